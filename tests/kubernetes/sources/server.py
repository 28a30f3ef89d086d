"""A classic repository as web servers serve one: files of a folder, over HTTP on loopback."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.http_kit import LocalServer, QuietHandler


@dataclass
class Served:
    """A running server: what it is asked, and how it behaves."""

    folder: Path
    url: str = ""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Path, status, and what the Authorization header said."""
    login: str | None = None
    """What the Authorization header must say."""
    redirects: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    """After how many bytes a body ends; its length is told as if it did not."""

    def count(self, path: str, status: int = 200) -> int:
        """How often a path was answered so."""
        return sum(asked[:2] == (path, str(status)) for asked in self.asked)

    def logins(self, path: str) -> list[str | None]:
        """What came as Authorization with each request for a path."""
        return [login for asked, _, login in self.asked if asked == path]


class _Handler(QuietHandler, SimpleHTTPRequestHandler):
    """Files with Last-Modified and 304, as the standard library has them."""

    protocol_version = "HTTP/1.1"

    def __init__(self, served: Served, *rest: Any, **named: Any) -> None:
        self.served = served
        super().__init__(*rest, directory=str(served.folder), **named)

    def do_GET(self) -> None:
        served, path = self.served, self.path.partition("?")[0]
        if served.login is not None and self.headers.get("Authorization") != served.login:
            self.answer(401, headers={"WWW-Authenticate": 'Basic realm="lab"'})
        elif path in served.redirects:
            self.answer(302, headers={"Location": served.redirects[path]})
        elif served.cut is not None and path.endswith("index.yaml"):
            body = (served.folder / "index.yaml").read_bytes()
            self.answer(200, body[: served.cut], {"Content-Length": str(len(body))})
            self.close_connection = True
        else:
            super().do_GET()

    def send_response(self, code: int, message: str | None = None) -> None:
        path = self.path.partition("?")[0]
        self.served.asked.append((path, str(int(code)), self.headers.get("Authorization")))
        super().send_response(code, message)


@contextmanager
def serving(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[Served]:
    """Serve a folder."""
    folder.mkdir(exist_ok=True)
    served = Served(folder)
    with LocalServer(partial(_Handler, served), tls=tls) as server:
        served.url = server.url
        yield served


def basic(username: str, password: str) -> str:
    """What the header says of a user."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def later(file: Path, seconds: int = 2) -> None:
    """Make a file look as if it had been written later: servers tell changes by whole seconds."""
    at = file.stat().st_mtime + seconds
    os.utime(file, (at, at))
