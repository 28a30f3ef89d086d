"""Kept HTTP connections to one engine."""

from __future__ import annotations

import http.client
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from safe_auto_updater.platforms.docker.dialling import Dialler, Endpoint, plainly
from safe_auto_updater.platforms.docker.line import Line

AT_ONCE = 4  # connections in the making: sshd refuses a crowd


class Connections:
    """To one engine. Thread-safe.

    Asking and reading raise OSError (TimeoutError where the answer does not come) and
    http.client.HTTPException. No question is sent twice: the first may have been heard.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._dialler = Dialler(endpoint)
        self._dialling = threading.Semaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._kept: list[_Connection] = []
        self._closed = False

    @property
    def peer(self) -> tuple[str, int] | None:
        """Address and port that answered last; None where no TCP is spoken."""
        return self._dialler.peer

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        wait_s: float,
    ) -> Reply:
        """The answer, of which status and headers have come. `wait_s` is for one wait."""
        connection = self._kept_one() or _Connection(self._dialler)
        try:
            if connection.sock is None:
                with self._dialling:
                    connection.connect()
            connection.sock.settimeout(wait_s)
            connection.request(method, target, body, headers)
            return Reply(connection, connection.getresponse(), self._keep)
        except TimeoutError:
            connection.end()
            raise
        except (OSError, http.client.HTTPException) as error:
            told = connection.why(error)
            connection.end()
            raise ConnectionError(told) from error
        except BaseException:
            connection.end()
            raise

    def close(self) -> None:
        """Close those that are not in use, and the others when they are no longer."""
        with self._lock:
            self._closed = True
            kept, self._kept = self._kept, []
        for connection in kept:
            connection.end()

    def _kept_one(self) -> _Connection | None:
        while True:
            with self._lock:
                if not self._kept:
                    return None
                connection = self._kept.pop()
            if not _has_ended(connection.sock):
                return connection
            connection.end()

    def _keep(self, connection: _Connection) -> None:
        with self._lock:
            if not self._closed:
                self._kept.append(connection)
                return
        connection.end()


class Reply:
    """An answer that is coming in. Read it whole, or close it."""

    def __init__(
        self,
        connection: _Connection,
        response: http.client.HTTPResponse,
        keep: Callable[[_Connection], None],
    ) -> None:
        self.status, self.reason = response.status, response.reason
        self._connection, self._response, self._keep = connection, response, keep

    def header(self, name: str) -> str:
        """One header; empty where there is none."""
        return self._response.getheader(name) or ""

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

    def end(self) -> None:
        """Have whoever reads it in another thread come to its end."""
        self._connection.cut()

    def close(self) -> None:
        """Be done with it: what was read to its end leaves the connection to the next."""
        if self._connection.sock is not None and self._response.isclosed():
            self._keep(self._connection)
        else:
            self._response.close()
            self._connection.end()


class _Connection(http.client.HTTPConnection):
    def __init__(self, dialler: Dialler) -> None:
        self._dialler = dialler
        self._line: Line | None = None
        super().__init__("localhost")

    def connect(self) -> None:
        try:
            self._line = self._dialler.dial()
            self.sock = self._line.sock
            if self._dialler.needs_proof:
                self.request("GET", "/_ping")
                self.getresponse().read()
        except TimeoutError as error:
            raise ConnectionError("no connection in time") from error

    def why(self, error: Exception) -> str:
        """What broke it: what came instead of an answer, the way's own last words, or the error."""
        match error:
            case http.client.RemoteDisconnected():
                pass
            case http.client.BadStatusLine():
                return f"what comes from there is no HTTP: {str(error).strip()[:100]}"
        words = self._line.last_words() if self._line is not None else ""
        return words or plainly(error, self._dialler.over_tls)

    def cut(self) -> None:
        """Break it off, without freeing what somebody still reads from."""
        if self._line is not None:
            with suppress(OSError):  # it is over already
                socket.socket.shutdown(self._line.sock, socket.SHUT_RDWR)  # of TLS, what is below

    def end(self) -> None:
        """Close it, and free what it held. (`close` is also called while an answer comes in.)"""
        self.close()
        if self._line is not None:
            self._line.end()


def _has_ended(sock: socket.socket) -> bool:
    """Whether the other side closed a connection on which nothing can come that is meant for us."""
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(0))
