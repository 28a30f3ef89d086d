"""One HTTP exchange: bounded in time from the first byte to the last, and in size."""

import http.client
import ssl
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from urllib.parse import SplitResult, urlencode, urlsplit

from safe_auto_updater.platforms.registry.answer import Answer, Headers
from safe_auto_updater.platforms.registry.connection import Connection, Proxy, Way
from safe_auto_updater.platforms.registry.failures import malformed

_KEPT_FOR_S = 15.0
_PART = 1 << 16


class Transport:
    """Kept connections, for one registry and the hosts that it sends us to. Thread-safe.

    `tls` is asked for when the first secure connection is made: reading every authority takes time.
    `use_proxy` means: as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say. `timeout_s` is for one wait.
    How many connections there are at once is bounded by who asks, for each host.
    """

    def __init__(
        self, tls: Callable[[], ssl.SSLContext], use_proxy: bool, timeout_s: float
    ) -> None:
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._use_proxy = use_proxy
        self._proxies: dict[tuple[str, str], Proxy | None] = {}
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._kept: dict[Way, list[tuple[Connection, float]]] = {}

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

        Raises RegistryError (malformed) for an answer without measure. Else NoConnection,
        TimeoutError, http.client.HTTPException for what is no HTTP, OSError, and ValueError for a
        URL that is none.
        """
        until = monotonic() + deadline_s
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # Compressed bodies are not asked for: a small one can unpack to more than memory holds.
        sent = {
            "Host": parts.netloc.rpartition("@")[2],
            "User-Agent": "safe-auto-updater",
            "Accept-Encoding": "identity",
            **headers,
        }
        content = None
        if form is not None:
            content = urlencode(form).encode()
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        way = self._way(parts)
        while True:
            connection = self._kept_one(way)
            is_kept = connection is not None
            if connection is None:
                connection = Connection(way, self._secure, self._timeout_s, until)
            try:
                response = connection.ask(method, target, sent, content, until)
                answer = _read(response, method, url, limit)
            except ConnectionError:
                connection.close()
                if is_kept and method != "POST":
                    continue  # it was closed for having been idle; a new one is tried once
                raise
            except BaseException:
                connection.close()
                raise
            self._give_back(way, connection, response)
            return answer

    def close(self) -> None:
        """Close every connection that is not in use."""
        with self._lock:
            kept, self._kept = self._kept, {}
        for connections in kept.values():
            for connection, _ in connections:
                connection.close()

    def _way(self, parts: SplitResult) -> Way:
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("its URL is no http(s) URL")
        place = parts.scheme, parts.hostname
        if self._use_proxy and place not in self._proxies:
            self._proxies[place] = _proxy(*place)
        port = parts.port or _PORTS[parts.scheme]
        return Way(*place, port, self._proxies.get(place))

    def _secure(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = self._tls()
            return self._context

    def _kept_one(self, way: Way) -> Connection | None:
        """A connection that waits for the next question, the last used first."""
        while True:
            with self._lock:
                waiting = self._kept.get(way)
                if not waiting:
                    return None
                connection, since = waiting.pop()
            if monotonic() - since < _KEPT_FOR_S and connection.is_usable():
                return connection
            connection.close()

    def _give_back(
        self, way: Way, connection: Connection, response: http.client.HTTPResponse
    ) -> None:
        if response.will_close:
            connection.close()
            return
        with self._lock:
            self._kept.setdefault(way, []).append((connection, monotonic()))


_PORTS = {"http": 80, "https": 443}


def _proxy(scheme: str, host: str) -> Proxy | None:
    from urllib.request import getproxies, proxy_bypass  # here: it takes time to import

    proxies = getproxies()
    text = proxies.get(scheme) or proxies.get("all")
    return Proxy.parse(text) if text and not proxy_bypass(host) else None


def _read(response: http.client.HTTPResponse, method: str, url: str, limit: int) -> Answer:
    answer = Answer(response.status, Headers(response.getheaders()), b"", url)
    coding = (answer.headers.get("content-encoding") or "identity").lower()
    if coding != "identity" and method != "HEAD":
        raise malformed(answer.place, "its answer is compressed, though we asked for none")
    body = bytearray()
    while part := response.read(_PART):
        body += part
        if len(body) > limit:
            raise malformed(answer.place, f"its answer is larger than {limit} bytes")
    if response.length:  # a part is allowed to be short
        raise http.client.IncompleteRead(b"", response.length)
    return Answer(answer.status, answer.headers, bytes(body), url)
