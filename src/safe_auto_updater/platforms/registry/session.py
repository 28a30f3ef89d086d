"""Talking to one registry: signed in, redirects followed without taking secrets along."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from safe_auto_updater.platforms.registry.answer import Answer
from safe_auto_updater.platforms.registry.failures import malformed, refused
from safe_auto_updater.platforms.registry.limits import Limits
from safe_auto_updater.platforms.registry.settings import HostSettings
from safe_auto_updater.platforms.registry.tokens import Authorizer
from safe_auto_updater.platforms.registry.transport import Transport
from safe_auto_updater.platforms.registry.wire import Wire

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Question:
    """One question to a registry. `path` may be a URL; `what` names it in errors.

    `limit` bounds the body in bytes. With an `etag`, 304 is an answer too; so is every status in
    `also`. `counted` means that registries with a pull limit count it.
    """

    method: str
    path: str
    repository: str
    what: str
    limit: int
    accept: str
    etag: str | None = None
    also: frozenset[int] = frozenset()
    counted: bool = False


class Session:
    """One registry host: its kept connections, its tokens, and the rules of where they may go."""

    def __init__(
        self,
        settings: HostSettings,
        transport: Transport,
        wire: Wire,
        authorizer: Authorizer,
        limits: Limits,
    ) -> None:
        self.settings = settings
        self._base_url = settings.base_url
        self._transport = transport
        self._wire = wire
        self._authorizer = authorizer
        self._limits = limits

    def ask(self, question: Question) -> Answer:
        """The answer with status 200, 304 where that was asked for, or one of `also`.

        Raises RegistryError for every other status, and where no answer can be had.
        """
        if question.counted:
            self._limits.refuse_spent(question.what, self.settings.host)
        url = urljoin(self._base_url, question.path)
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._ask(question, url)
            if answer.status == 200 or answer.status in question.also:
                return answer
            if answer.status == 304:
                if question.etag is None:
                    fact = f"{answer.place} answered 304 (not modified) to a first question"
                    raise malformed(question.what, fact)
                return answer
            if answer.status not in REDIRECTS:
                raise refused(question.what, answer, signed_in=self._authorizer.signed_in)
            url = redirected(answer, question.what)
        raise malformed(question.what, f"more than {MOST_REDIRECTS} redirects")

    def is_own(self, url: str) -> bool:
        """Whether a URL leads to this registry itself: only there do secrets go."""
        return same_origin(url, self._base_url)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _ask(self, question: Question, url: str) -> Answer:
        headers = {"Accept": question.accept}
        if question.etag is not None:
            headers["If-None-Match"] = question.etag
        if not self.is_own(url):
            return self._send(question, url, headers, None)
        scope = f"repository:{question.repository}:pull"
        sent = self._authorizer.header(scope)
        answer = self._send(question, url, headers, sent)
        if answer.status == 401:
            better = self._authorizer.after_refusal(answer, scope, sent)
            if better is not None:
                answer = self._send(question, url, headers, better)
        self._limits.note(self.settings.host, answer.headers)
        return answer

    def _send(
        self, question: Question, url: str, headers: dict[str, str], authorization: str | None
    ) -> Answer:
        if authorization is not None:
            headers = {**headers, "Authorization": authorization}
        return self._wire.send(self._transport, question.method, url, headers, question.limit)


def same_origin(url: str, other: str) -> bool:
    """Whether two URLs lead to the same scheme, host and port."""
    return _origin(urlsplit(url)) == _origin(urlsplit(other))


def redirected(answer: Answer, what: str) -> str:
    """Where an answer sends us. Raises RegistryError where nobody should be asked there."""
    location = answer.headers.get("location")
    try:
        url = urljoin(answer.url, location or "")
        parts = urlsplit(url)
        usable = bool(location) and parts.scheme in ("http", "https") and bool(parts.hostname)
        usable = usable and "@" not in parts.netloc and url.isascii() and url.isprintable()
    except ValueError:
        usable = False
    if not usable:
        raise malformed(what, f"{answer.place} redirects to nowhere that may be asked")
    if urlsplit(answer.url).scheme == "https" and parts.scheme != "https":
        raise malformed(what, f"{answer.place} redirects from HTTPS to plain HTTP")
    return url


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    try:
        port = parts.port
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme)
