"""A socket proxy, as people put them before an engine: what is not allowed is answered with 403."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterable
from pathlib import Path

from safe_auto_updater.platforms.docker.api import Question
from tests.http_kit import LocalServer, QuietHandler

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade"}


class _Engine(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=120)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


class Filter(LocalServer):
    """Listens on a port of loopback and lets these questions through, in any API version."""

    def __init__(self, engine: Path, allowed: Iterable[Question]) -> None:
        self.allowed = [(one.method, re.compile(rf"(/v[\d.]+)?{one.pattern}")) for one in allowed]
        self.refused: list[str] = []
        self.engine: Path | None = engine
        filter_ = self

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.partition("?")[0]
                if not filter_.lets(self.command, path):
                    filter_.refused.append(f"{self.command} {path}")
                    return self.answer(403, b"<html><body>403 Forbidden</body></html>")
                if filter_.engine is None:
                    return self.answer(503, b"<html><body>503 Service Unavailable</body></html>")
                engine = _Engine(filter_.engine)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
                engine.request(self.command, self.path, body or None, headers)
                said = engine.getresponse()
                body = said.read()
                headers = {k: v for k, v in said.getheaders() if k.lower() not in HOP_BY_HOP}
                return self.answer(said.status, body, headers)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass_on

        super().__init__(Handler)

    def lets(self, method: str, path: str) -> bool:
        """Whether a question goes through."""
        return any(method == m and pattern.fullmatch(path) for m, pattern in self.allowed)
