"""Kept HTTP connections to one engine, over its Unix socket or plain TCP."""

from __future__ import annotations

import http.client
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

CONNECT_S = 10.0


class Connections:
    """To one engine, `unix:///path` or `tcp://host:port`. Thread-safe.

    Asking and reading raise OSError (TimeoutError where the answer does not come) and
    http.client.HTTPException. No question is sent twice: the first may have been heard.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._kept: list[http.client.HTTPConnection] = []

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        wait_s: float,
    ) -> Reply:
        """The answer, of which status and headers have come. `wait_s` is for one wait."""
        connection = self._kept_one() or _Connection(self._host)
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(wait_s)
            connection.request(method, target, body, headers)
            return Reply(connection, connection.getresponse(), self._keep)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close those that are not in use."""
        with self._lock:
            kept, self._kept = self._kept, []
        for connection in kept:
            connection.close()

    def _kept_one(self) -> http.client.HTTPConnection | None:
        while True:
            with self._lock:
                if not self._kept:
                    return None
                connection = self._kept.pop()
            if not _has_ended(connection.sock):
                return connection
            connection.close()

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._kept.append(connection)


class Reply:
    """An answer that is coming in. Read it whole, or close it."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        keep: Callable[[http.client.HTTPConnection], None],
    ) -> None:
        self.status, self.reason = response.status, response.reason
        self._connection, self._response, self._keep = connection, response, keep

    def read(self) -> bytes:
        """The whole body."""
        try:
            return self._response.read()
        finally:
            self.close()

    def lines(self) -> Iterator[bytes]:
        """The body line by line, as it comes."""
        while line := self._response.readline():
            yield line

    def close(self) -> None:
        """Be done with it: what was read to its end leaves the connection to the next."""
        if self._connection.sock is not None and self._response.isclosed():
            self._keep(self._connection)
        else:
            self._response.close()
            self._connection.close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, host: str) -> None:
        self._to = urlsplit(host)
        super().__init__("localhost")

    def connect(self) -> None:
        try:
            self.sock = self._dialled()
        except TimeoutError as error:
            raise ConnectionError(f"no connection within {CONNECT_S:g} s") from error

    def _dialled(self) -> socket.socket:
        if self._to.scheme != "unix":
            sock = socket.create_connection((self._to.hostname, self._to.port), CONNECT_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(CONNECT_S)
            sock.connect(self._to.path)
        except BaseException:
            sock.close()
            raise
        return sock


def _has_ended(sock: socket.socket) -> bool:
    """Whether the other side closed a connection on which nothing can come that is meant for us."""
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(0))
