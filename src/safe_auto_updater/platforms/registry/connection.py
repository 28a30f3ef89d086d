"""A connection to a web server that no peer can hold up: every wait ends at one deadline."""

import base64
import http.client
import io
import select
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from urllib.parse import unquote, urlsplit


class NoConnection(OSError):
    """No connection could be made; the text says why."""


class NotSecured(NoConnection):
    """There was a connection, and it could not be secured."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy, and the header that signs in to it (empty: none)."""

    host: str
    port: int
    authorization: str

    @classmethod
    def parse(cls, text: str) -> "Proxy":
        """From an environment variable, with or without `http://`. Raises NoConnection."""
        parts = urlsplit(text if "://" in text else f"http://{text}")
        if parts.scheme != "http" or not parts.hostname:
            raise NoConnection(
                f"by a proxy of the kind {parts.scheme[:20]!r}; only http proxies are known"
            )
        known = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            known = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return cls(parts.hostname, parts.port or 80, known)


@dataclass(frozen=True, slots=True)
class Way:
    """Where a connection leads, and through which proxy."""

    scheme: str
    host: str
    port: int
    proxy: Proxy | None


class Connection:
    """One connection, kept from exchange to exchange. One thread at a time."""

    def __init__(
        self, way: Way, tls: Callable[[], ssl.SSLContext], timeout_s: float, until: float
    ) -> None:
        """Connect. Raises NoConnection, TimeoutError."""
        self._way = way
        self._waits = waits = _Waits(timeout_s, until)
        first = way.proxy or way
        try:
            sock = _dial(first.host, first.port, waits)
        except TimeoutError:
            raise
        except OSError as error:
            raise NoConnection(str(error)) from error
        try:
            if way.scheme == "https":
                sock = self._secured(sock, tls())
        except BaseException:
            sock.close()
            raise
        self._line = _Line(sock, waits)

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        until: float,
    ) -> http.client.HTTPResponse:
        """The beginning of the answer; its body is to be read by `until` too."""
        self._waits.until = until
        way = self._way
        if way.proxy is not None and way.scheme == "http":
            headers = {**headers, **_signed_in(way.proxy)}
            target = f"http://{headers['Host']}{target}"
        return self._line.ask(method, target, headers, body)

    def is_usable(self) -> bool:
        """Whether it is open, and nothing came that nobody asked for."""
        return self._line.is_silent()

    def close(self) -> None:
        """Hang up."""
        self._line.hang_up()

    def _secured(self, sock: socket.socket, context: ssl.SSLContext) -> socket.socket:
        if self._way.proxy is not None:
            self._tunnel(sock, self._way.proxy)
        sock.settimeout(self._waits.left())
        try:
            return context.wrap_socket(sock, server_hostname=self._way.host)
        except TimeoutError:
            raise
        except (OSError, ValueError) as error:
            raise NotSecured(str(error)) from error

    def _tunnel(self, sock: socket.socket, proxy: Proxy) -> None:
        host = f"[{self._way.host}]" if ":" in self._way.host else self._way.host
        place = f"{host}:{self._way.port}"
        answer = _Line(sock, self._waits).ask(
            "CONNECT", place, {"Host": place, **_signed_in(proxy)}, None
        )
        if not 200 <= answer.status < 300:
            raise NoConnection(f"the proxy {proxy.host} answered {answer.status}")


class _Waits:
    """How long one wait may last: `timeout_s`, and never beyond `until` on the machine's own clock,
    which is what sockets wait by."""

    def __init__(self, timeout_s: float, until: float) -> None:
        self._timeout_s, self.until = timeout_s, until

    def left(self) -> float:
        left = min(self._timeout_s, self.until - monotonic())
        if left <= 0:
            raise TimeoutError("the deadline is over")
        return left


class _Line(io.RawIOBase):
    """A socket as http.client uses one. Each read waits only for what is left of the deadline: by
    itself a timeout begins anew with every byte that drips in.

    One buffer serves all answers, so that what comes behind an answer is not taken for the next.
    """

    def __init__(self, sock: socket.socket, waits: _Waits) -> None:
        self._sock, self._waits = sock, waits
        self._wait_s: float | None = None
        self._patient, self._ended = True, False
        self._arrived = select.poll()
        self._arrived.register(sock, select.POLLIN)
        self._input = _Input(self)
        self._http = http.client.HTTPConnection("-")
        self._http.sock = self

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        self._http.sock = self  # it lets go of a connection that shall not be kept
        self._http.request(method, target, body, headers)
        return self._http.getresponse()

    def is_silent(self) -> bool:
        self._patient = False
        try:
            return not self._input.peek(1) and not self._ended
        except OSError:
            return False
        finally:
            self._patient = True

    def hang_up(self) -> None:
        self._sock.close()

    def readable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int | None:  # type: ignore[override]
        if not self._patient and not self._arrived.poll(0):
            return None
        self._wait(self._waits.left() if self._patient else 0.0)
        try:
            size = self._sock.recv_into(into)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        self._ended = size == 0
        return size

    def sendall(self, data: bytes) -> None:
        self._wait(self._waits.left())
        self._sock.sendall(data)

    def _wait(self, seconds: float) -> None:
        if seconds != self._wait_s:  # each call is one into the system
            self._sock.settimeout(seconds)
            self._wait_s = seconds

    def makefile(self, mode: str) -> io.BufferedReader:
        return self._input

    def close(self) -> None:
        """Only `hang_up` ends it: http.client closes what it has not read yet."""


class _Input(io.BufferedReader):
    def close(self) -> None:
        """An answer that was read leaves it to the next."""


def _dial(host: str, port: int, waits: _Waits) -> socket.socket:
    trouble: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(waits.left())
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            trouble = error
    raise trouble


def _signed_in(proxy: Proxy) -> dict[str, str]:
    return {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
