"""``python -m lab.bench.prober PORT``: how a client sees a service change hands.

A fresh connection every 2 ms, whether or not the one before was answered; one line of JSON for
each change of the text that is served. It is a process of its own, so that the side under
measurement does not slow it down.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from lab.bench.errors import BenchError

EVERY_S = 0.002
ANSWER_S = 1.0
_REQUEST = b"GET / HTTP/1.0\r\n\r\n"


@dataclass(frozen=True)
class Change:
    """The last good answer with one text, and the first good answer with the next."""

    before: str
    after: str
    gap_s: float


class Prober:
    """A running prober (``with Prober(port) as prober``)."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab.bench.prober", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def change(self, before: str, after: str, timeout_s: float = 60) -> Change:
        """Wait for the next change, which must be this one."""
        assert self._process.stdout is not None
        limit = threading.Timer(timeout_s, self._process.kill)
        limit.start()
        line = self._process.stdout.readline()
        limit.cancel()
        found = Change(**json.loads(line)) if line else None
        if found is None or (found.before, found.after) != (before, after):
            raise BenchError(f"expected {before!r} to become {after!r}, seen: {found}")
        return found


class _Service:
    """What has been seen of the service so far."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._text, self._last = "", time.monotonic()

    async def ask(self) -> None:
        """One probe. Refused, broken off or too slow: no answer."""
        loop = asyncio.get_running_loop()
        with socket.socket() as connection:
            connection.setblocking(False)
            try:
                async with asyncio.timeout(ANSWER_S):
                    await loop.sock_connect(connection, self._address)
                    await loop.sock_sendall(connection, _REQUEST)
                    answer = b""
                    while part := await loop.sock_recv(connection, 4096):
                        answer += part
            except (OSError, TimeoutError):
                return
        head, _, body = answer.partition(b"\r\n\r\n")
        if body and b" 200 " in head.partition(b"\r\n")[0]:
            self._saw(body.decode().strip())

    def _saw(self, text: str) -> None:
        now = time.monotonic()
        if text != self._text:
            change = {"before": self._text, "after": text, "gap_s": now - self._last}
            print(json.dumps(change), flush=True)
        self._text, self._last = text, now


async def _probe(port: int) -> None:
    service, asking = _Service(port), set()
    while True:
        task = asyncio.create_task(service.ask())
        asking.add(task)
        task.add_done_callback(asking.discard)
        await asyncio.sleep(EVERY_S)


if __name__ == "__main__":
    asyncio.run(_probe(int(sys.argv[1])))
