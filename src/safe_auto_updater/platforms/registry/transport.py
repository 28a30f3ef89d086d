"""One HTTP exchange: bounded in time from the first byte to the last, and in size."""

import math
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import httpcore2

from safe_auto_updater.platforms.registry.answer import Answer, Headers
from safe_auto_updater.platforms.registry.failures import malformed, unreachable


class Transport:
    """Kept connections, for one registry and the hosts that it sends us to. Thread-safe.

    `tls` is asked for when the first secure connection is made: reading every authority takes time.
    `use_proxy` means: as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say. `timeout_s` is for one wait.
    """

    def __init__(
        self, tls: Callable[[], ssl.SSLContext], use_proxy: bool, timeout_s: float
    ) -> None:
        self._tls = tls
        self._proxies = urllib.request.getproxies() if use_proxy else {}
        self._waits = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)}
        self._backend = _BoundedBackend()
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str], httpcore2.ConnectionPool] = {}

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        limit: int,
        deadline_s: float,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, with at most `limit` bytes of body, all of it within `deadline_s`.

        Raises RegistryError (malformed) for an answer without measure, and what httpcore2 raises.
        """
        # Compressed bodies are not asked for: a small one can unpack to more than memory holds.
        sent = [("User-Agent", "safe-auto-updater"), ("Accept-Encoding", "identity")]
        sent += headers.items()
        content = None
        if form is not None:
            content = urlencode(form).encode()
            sent.append(("Content-Type", "application/x-www-form-urlencoded"))
        with (
            self._backend.within(deadline_s),
            self._pool(url).stream(
                method, url, headers=sent, content=content, extensions=self._waits
            ) as response,
        ):
            answer = Answer(response.status, Headers(response.headers), b"", url)
            coding = (answer.headers.get("content-encoding") or "identity").lower()
            if coding != "identity" and method != "HEAD":
                raise malformed(answer.place, "its answer is compressed, though we asked for none")
            return Answer(answer.status, answer.headers, _body(response, answer, limit), url)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()

    def _pool(self, url: str) -> httpcore2.ConnectionPool:
        parts = urlsplit(url)
        proxy = self._proxies.get(parts.scheme) or self._proxies.get("all") or ""
        if proxy and urllib.request.proxy_bypass(parts.hostname or ""):
            proxy = ""
        with self._lock:
            if (proxy, parts.scheme) not in self._pools:
                tls = self._tls() if parts.scheme == "https" else None
                self._pools[proxy, parts.scheme] = self._connect(proxy, parts.netloc, tls)
            return self._pools[proxy, parts.scheme]

    def _connect(
        self, proxy: str, place: str, tls: ssl.SSLContext | None
    ) -> httpcore2.ConnectionPool:
        # How many there are at once is bounded by who asks, for each host.
        options: dict[str, Any] = {
            "ssl_context": tls,
            "network_backend": self._backend,
            "max_connections": None,
            "keepalive_expiry": 15.0,
        }
        if not proxy:
            return httpcore2.ConnectionPool(**options)
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise unreachable(
                place,
                f"by a proxy of the kind {parts.scheme[:20]!r}; only http and https are known",
            )
        auth = None
        if parts.username is not None:
            auth = (unquote(parts.username).encode(), unquote(parts.password or "").encode())
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        url = f"{parts.scheme}://{parts.hostname}:{port}"
        return httpcore2.HTTPProxy(url, proxy_auth=auth, **options)


def _body(response: httpcore2.Response, answer: Answer, limit: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > limit:
            raise malformed(answer.place, f"its answer is larger than {limit} bytes")
    return bytes(body)


class _Deadline(threading.local):
    """When the exchange of this thread must be over, on the machine's own clock: it is what
    sockets wait by, whatever clock the rest of the program is given."""

    end = math.inf

    def left(self, timeout: float | None) -> float:
        wait = math.inf if timeout is None else timeout
        return max(0.001, min(wait, self.end - time.monotonic()))


class _Within:
    def __init__(self, deadline: _Deadline, seconds: float) -> None:
        self._deadline, self._seconds = deadline, seconds

    def __enter__(self) -> None:
        self._deadline.end = time.monotonic() + self._seconds

    def __exit__(self, *_: object) -> None:
        self._deadline.end = math.inf


class _BoundedBackend(httpcore2.NetworkBackend):
    """The usual sockets, which no peer keeps waiting beyond the deadline by sending a byte now and
    then: the timeouts of the library begin anew with each."""

    def __init__(self) -> None:
        self._sockets = httpcore2.SyncBackend()
        self._deadline = _Deadline()

    def within(self, seconds: float) -> _Within:
        return _Within(self._deadline, seconds)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        wait = self._deadline.left(timeout)
        stream = self._sockets.connect_tcp(host, port, wait, local_address, socket_options)
        return _BoundedStream(stream, self._deadline)


class _BoundedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadline: _Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        wait = self._deadline.left(timeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, wait)
        return _BoundedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
