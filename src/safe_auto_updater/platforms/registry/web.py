"""Any web server, asked as registries are: bounded, retried, and secrets go to nobody else."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from safe_auto_updater.platforms.registry.answer import Answer
from safe_auto_updater.platforms.registry.failures import malformed
from safe_auto_updater.platforms.registry.session import (
    MOST_REDIRECTS,
    REDIRECTS,
    redirected,
    same_origin,
)
from safe_auto_updater.platforms.registry.settings import is_loopback
from safe_auto_updater.platforms.registry.transport import Transport
from safe_auto_updater.platforms.registry.wire import Wire


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What came back in the end."""

    answer: Answer

    @property
    def status(self) -> int:
        """HTTP status, never that of a redirect."""
        return self.answer.status

    @property
    def body(self) -> bytes:
        """All of it."""
        return self.answer.body

    def header(self, name: str) -> str | None:
        """The first value of this name, which is in lower case."""
        return self.answer.headers.get(name)


class WebServer:
    """One server, and those that it sends us to. Thread-safe; close it when done.

    `tls` is asked for with the first secure connection, `wire` is shared by all servers.
    """

    def __init__(
        self, url: str, wire: Wire, tls: Callable[[], ssl.SSLContext], timeout_s: float
    ) -> None:
        use_proxy = not is_loopback(urlsplit(url).netloc)
        self._transport = Transport(tls, use_proxy, timeout_s)
        self._wire = wire

    def get(
        self, url: str, headers: Mapping[str, str], limit: int, authorization: str | None
    ) -> WebAnswer:
        """The answer, whatever its status, with at most `limit` bytes of body.

        `authorization` is not shown where a redirect leads to another server. Raises RegistryError.
        """
        what = url.partition("?")[0]
        place = url
        for _ in range(MOST_REDIRECTS + 1):
            sent = dict(headers)
            if authorization is not None and same_origin(place, url):
                sent["Authorization"] = authorization
            answer = self._wire.send(self._transport, "GET", place, sent, limit)
            if answer.status not in REDIRECTS:
                return WebAnswer(answer)
            place = redirected(answer, what)
        raise malformed(what, f"more than {MOST_REDIRECTS} redirects")

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
