"""Answering challenges: basic credentials, and bearer tokens kept until they expire."""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.platforms.registry.answer import Answer
from safe_auto_updater.platforms.registry.auth import (
    Basic,
    Bearer,
    Challenge,
    choose,
    parse_challenges,
    realm_fault,
)
from safe_auto_updater.platforms.registry.credentials import Credentials, IdentityToken, Password
from safe_auto_updater.platforms.registry.failures import json_object, malformed, refused
from safe_auto_updater.platforms.registry.once import KeyedLocks
from safe_auto_updater.platforms.registry.settings import HostSettings
from safe_auto_updater.platforms.registry.transport import Transport
from safe_auto_updater.platforms.registry.wire import Wire

_LARGEST_TOKEN = 1 << 20
# The token specification's own default and minimum.
_SHORTEST_LIFE_S = 60.0
_MARGIN_S = 5.0
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class _Token:
    header: str = field(repr=False)
    until: float


class Authorizer:
    """Knows what one registry wants, and gives the Authorization header for a scope. Thread-safe.

    The first challenge is remembered, so that later questions come with their token at once.
    """

    def __init__(
        self,
        settings: HostSettings,
        transport: Transport,
        wire: Wire,
        credentials: Credentials,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._wire = wire
        self._credentials = credentials
        self._clock = clock
        self._challenge: Challenge | None = None
        self._tokens: dict[str, _Token] = {}
        self._locks = KeyedLocks()

    @property
    def signed_in(self) -> bool:
        """Whether we showed credentials, as far as this registry asked for any."""
        return self._challenge is not None and self._credential() is not None

    def header(self, scope: str) -> str | None:
        """What to send at first: None until the registry has asked. Raises RegistryError."""
        return None if self._challenge is None else self._answer(self._challenge, scope, None)

    def after_refusal(self, answer: Answer, scope: str, sent: str | None) -> str | None:
        """The header for a second try after a 401, or None where there is nothing else to show.

        Raises RegistryError where the registry's wish cannot be met.
        """
        headers = answer.headers.all("www-authenticate")
        challenge = choose(parse_challenges(headers))
        if challenge is None:
            return None
        self._challenge = challenge
        header = self._answer(challenge, scope, sent)
        return None if header == sent else header

    def _answer(self, challenge: Challenge, scope: str, refused_header: str | None) -> str:
        match challenge:
            case Basic():
                return self._basic()
            case Bearer():
                with self._locks(scope):
                    token = self._tokens.get(scope)
                    if (
                        token is None
                        or token.until <= self._clock.monotonic()
                        or token.header == refused_header
                    ):
                        token = self._fetch(challenge, scope)
                        self._tokens[scope] = token
                    return token.header

    def _basic(self) -> str:
        match self._credential():
            case Password(username, password):
                return _basic_header(username, password)
            case _:
                raise RegistryError(
                    f"{self._settings.host} wants a user name and a password. Run docker login "
                    f"{self._settings.host}, or configure username and password_file for it.",
                    "auth",
                )

    def _fetch(self, challenge: Bearer, scope: str) -> _Token:
        what = f"{self._settings.host}: token for {scope}"
        fault = realm_fault(challenge.realm, registry_is_plain=self._settings.is_plain)
        if fault is not None:
            raise RegistryError(
                f"{what}: the token service {_printable(challenge.realm)} {fault}. "
                "It is not asked. Check the registry's configuration.",
                "auth",
            )
        fields = {"scope": scope, "client_id": "safe-auto-updater"}
        if challenge.service is not None:
            fields["service"] = challenge.service
        answer = self._ask(challenge.realm, fields)
        if answer.status in (400, 401, 403):
            known = self._credential() is not None
            remedy = "Check the credentials: docker login" if known else "Sign in: docker login"
            raise RegistryError(
                f"{what}: {answer.place} answered {answer.status}. "
                f"{remedy} {self._settings.host}, or username and password_file.",
                "auth",
            )
        if answer.status != 200:
            raise refused(what, answer, signed_in=self._credential() is not None)
        return self._read(what, answer)

    def _ask(self, realm: str, fields: dict[str, str]) -> Answer:
        headers = {"Accept": "application/json"}
        url = f"{realm}{'&' if urlsplit(realm).query else '?'}{urlencode(fields)}"
        match self._credential():
            case IdentityToken(token):
                form = {**fields, "grant_type": "refresh_token", "refresh_token": token}
                return self._wire.send(
                    self._transport, "POST", realm, headers, _LARGEST_TOKEN, form
                )
            case Password(username, password):
                headers["Authorization"] = _basic_header(username, password)
        return self._wire.send(self._transport, "GET", url, headers, _LARGEST_TOKEN)

    def _read(self, what: str, answer: Answer) -> _Token:
        content = json_object(what, answer)
        token = content.get("token") or content.get("access_token")
        if not isinstance(token, str) or not _PRINTABLE.fullmatch(token):
            raise malformed(what, f"{answer.place} gave no token")
        life = content.get("expires_in")
        seconds = float(life) if isinstance(life, int) and 0 < life < 10**9 else _SHORTEST_LIFE_S
        until = self._clock.monotonic() + max(seconds - _MARGIN_S, seconds / 2)
        return _Token(f"Bearer {token}", until)

    def _credential(self) -> Password | IdentityToken | None:
        return self._credentials.for_host(self._settings.host)


def _basic_header(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def _printable(text: str) -> str:
    return repr(text[:100])
