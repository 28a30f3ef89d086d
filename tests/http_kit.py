"""An HTTP server of the test's own: quiet, on loopback, gone when the test is over."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

_POLL_S = 0.005  # how long ending may take


class QuietHandler(BaseHTTPRequestHandler):
    """Says nothing of what it is asked."""

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] = {}) -> None:
        """A whole answer; `headers` may tell another Content-Length than the body's."""
        length = {} if status in (204, 304) else {"Content-Length": str(len(body))}
        self.send_response(status)
        for name, value in {**length, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


class LocalServer:
    """Serves from the moment it is made until `close`, or as a context manager."""

    def __init__(
        self,
        handler: Callable[..., BaseHTTPRequestHandler],
        at: tuple[str, int] = ("127.0.0.1", 0),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = _Server(at, handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.host = f"{at[0]}:{self.port}"
        self.url = f"{'http' if tls is None else 'https'}://{self.host}"
        self._thread = Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nobody listens any more; answers under way are not waited for."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked may hang up; anything else is a mistake of the test's, and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
