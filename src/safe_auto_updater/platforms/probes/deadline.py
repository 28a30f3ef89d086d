"""Ends a whole HTTP exchange in time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Deadline:
    """Ends the whole exchange in time: the client's own timeout starts anew with every byte."""

    def __init__(self, timeout_s: float) -> None:
        self._timer = threading.Timer(timeout_s, self._end)
        self._timer.daemon = True
        self._socket: socket.socket | None = None
        self.is_over = False

    @contextmanager
    def watching(self) -> Iterator[Any]:
        """The time runs within; gives the client's `trace` extension."""
        self._timer.start()
        try:
            yield self._trace
        finally:
            self._timer.cancel()

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.is_over:  # before there was anything to shut down
                self._shut()

    def _end(self) -> None:
        self.is_over = True
        self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # closed already
