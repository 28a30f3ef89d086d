"""Counts the requests that reach the engine: a socket that passes everything on."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_REQUEST_LINE = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE) /\S+ HTTP/1\.1\r\n")


class EngineRequests:
    """``with EngineRequests(engine, here) as counted``: use ``counted.host``, then read ``count``.

    It costs time on each request, so what is counted is not timed.
    """

    def __init__(self, engine: Path, here: Path) -> None:
        self._engine, self._here = engine, here
        self.host = f"unix://{here}"
        self.count = 0
        self._lock = threading.Lock()
        here.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(here))
        self._listener.listen(64)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._listener.close()
        self._here.unlink()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(str(self._engine))
                for way in ((client, engine), (engine, client)):
                    threading.Thread(target=self._pass_on, args=way, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(1 << 16):
                found = len(_REQUEST_LINE.findall(part))  # a small request comes in one piece
                with self._lock:
                    self.count += found
                target.sendall(part)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
