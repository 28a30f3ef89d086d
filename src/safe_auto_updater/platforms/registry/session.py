"""Talking to one registry: signed in, redirects followed without taking secrets along."""

from urllib.parse import SplitResult, urljoin, urlsplit

import httpx2

from safe_auto_updater.platforms.registry.failures import Answer, malformed, refused
from safe_auto_updater.platforms.registry.settings import HostSettings
from safe_auto_updater.platforms.registry.tokens import Authorizer
from safe_auto_updater.platforms.registry.wire import Wire

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5


class Session:
    """One registry host: its pooled connections, its tokens, and the rules of where they may go."""

    def __init__(
        self, settings: HostSettings, http: httpx2.Client, wire: Wire, authorizer: Authorizer
    ) -> None:
        self.settings = settings
        self._http = http
        self._wire = wire
        self._authorizer = authorizer

    def ask(
        self, method: str, path: str, repository: str, what: str, limit: int, accept: str
    ) -> Answer:
        """The answer with status 200 to a GET or HEAD of a path, or of a URL on this registry.

        Raises RegistryError for every other status, and where no answer can be had.
        """
        url = urljoin(self.settings.base_url, path)
        headers = {"Accept": accept}
        scope = f"repository:{repository}:pull"
        for _ in range(_MOST_REDIRECTS + 1):
            if self.is_own(url):
                answer = self._signed(method, url, scope, headers, limit)
            else:
                answer = self._wire.send(self._http, method, url, headers, limit)
            if answer.status == 200:
                return answer
            if answer.status not in _REDIRECTS:
                raise refused(what, answer, signed_in=self._authorizer.signed_in)
            url = self._target(answer, what)
        raise malformed(what, f"more than {_MOST_REDIRECTS} redirects")

    def is_own(self, url: str) -> bool:
        """Whether a URL leads to this registry itself: only there do secrets go."""
        return _origin(urlsplit(url)) == _origin(urlsplit(self.settings.base_url))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _signed(
        self, method: str, url: str, scope: str, headers: dict[str, str], limit: int
    ) -> Answer:
        sent = self._authorizer.header(scope)
        answer = self._wire.send(self._http, method, url, _with(headers, sent), limit)
        if answer.status != 401:
            return answer
        better = self._authorizer.after_refusal(answer, scope, sent)
        if better is None:
            return answer
        return self._wire.send(self._http, method, url, _with(headers, better), limit)

    def _target(self, answer: Answer, what: str) -> str:
        location = answer.headers.get("location")
        try:
            url = urljoin(answer.url, location or "")
            parts = urlsplit(url)
            usable = bool(location) and parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            usable = False
        if not usable:
            raise malformed(what, f"{answer.place} redirects to nowhere")
        if urlsplit(answer.url).scheme == "https" and parts.scheme != "https":
            raise malformed(what, f"{answer.place} redirects from HTTPS to plain HTTP")
        return url


def _with(headers: dict[str, str], authorization: str | None) -> dict[str, str]:
    return headers if authorization is None else {**headers, "Authorization": authorization}


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    try:
        port = parts.port
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme)
