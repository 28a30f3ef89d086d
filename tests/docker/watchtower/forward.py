"""The lab's registry at an address of its own, without a port in its name.

The original Watchtower takes an image's name up to its first colon: of a registry with a port
nothing is left to tell images apart.
"""

from __future__ import annotations

import secrets
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Forward:
    """Hands each connection on to the registry. Use as a context manager."""

    def __init__(self, registry: str) -> None:
        host, _, port = registry.rpartition(":")
        self._to = (host, int(port))
        low, high = secrets.randbelow(250) + 1, secrets.randbelow(250) + 1
        self.host = f"127.77.{low}.{high}"
        self._listener = socket.create_server((self.host, 80))

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                asking, _ = self._listener.accept()
                answering = socket.create_connection(self._to)
                for pair in ((asking, answering), (answering, asking)):
                    threading.Thread(target=_pump, args=pair, daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(1 << 16):
            target.sendall(part)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
