"""Plain HTTP over a Unix socket: the engine's API without a client library in between."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class EngineError(Exception):
    """The engine refused; ``status`` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


def call(path: Path, method: str, url: str, body: object = None, timeout_s: float = 30) -> Any:
    """One request to the engine at the socket ``path``; the parsed answer (None when empty).

    Raises EngineError for a refusal and OSError when the engine does not answer. An answer
    that is a stream of lines (a pull) is read to its end and given as a list.
    """
    connection = _UnixConnection(path, timeout_s)
    try:
        payload = None if body is None else json.dumps(body)
        connection.request(method, url, payload, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace").strip()
    finally:
        connection.close()
    try:
        parsed: Any = json.loads(text) if text else None
    except ValueError:
        try:
            parsed = [json.loads(line) for line in text.splitlines()]
        except ValueError:
            parsed = text
    if answer.status >= 400:
        message = parsed.get("message", text) if isinstance(parsed, dict) else text
        raise EngineError(answer.status, f"{method} {url}: {message}")
    return parsed


def answers(path: Path) -> bool:
    """Whether an engine answers at this socket."""
    try:
        return bool(call(path, "GET", "/_ping", timeout_s=2) == "OK")
    except (OSError, http.client.HTTPException, EngineError):
        return False
