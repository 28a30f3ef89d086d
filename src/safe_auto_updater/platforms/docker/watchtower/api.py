"""Watchtower's HTTP API, as both lines speak it: one question, and what may come back.

Sources: docs/http-api-mode.md of containrrr/watchtower 1.7.1; docs/http-api of
nicholas-fedor/watchtower 1.20.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from safe_auto_updater.core.errors import PlatformError

CONNECT_S = 10.0
BUSY_S = 30.0  # where a busy Watchtower does not say how long
NOBODY = "safe-auto-updater.invalid/nobody"  # an image that no container can have


class Line(StrEnum):
    """The two that share the name."""

    ORIGINAL = "containrrr/watchtower"
    FORK = "nicholas-fedor/watchtower"


@dataclass(frozen=True)
class Selection:
    """Which containers are meant: images without tag, and patterns over names.

    The original knows images only, and ignores what it does not know.
    """

    images: tuple[str, ...]
    containers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """It has worked the question off. `counts` is empty where it says nothing.

    `by_name` is whether it minds patterns over container names.
    """

    line: Line
    counts: Mapping[str, int] = field(default_factory=dict)
    by_name: bool = False


@dataclass(frozen=True)
class Busy:
    """It works on something else, and has done nothing for us."""

    again_s: float


@dataclass(frozen=True)
class Unclear:
    """It gave up, or was cut off: what it has done must be looked at."""

    fact: str


Answer = Done | Busy | Unclear


class NoAnswer(PlatformError):
    """Nobody listens there, or no answer came; `heard` where the question may have arrived."""

    def __init__(self, message: str, heard: bool) -> None:
        super().__init__(message)
        self.heard = heard


class WatchtowerApi:
    """One Watchtower. Raises PlatformError with a remedy where it refuses, NoAnswer where silent.

    The token is read from its file for each question, and never shown.
    """

    def __init__(self, url: str, token_file: Path, timeout_s: float) -> None:
        self.url = url.rstrip("/")
        self.timeout_s = timeout_s
        self._token_file = token_file
        self._to = urlsplit(self.url)

    def update(self, selection: Selection, wait_s: float) -> Answer:
        """Ask for an update of exactly these; comes back when it is done. `wait_s` bounds it."""
        query = [("image", image) for image in selection.images]
        query += [("container", pattern) for pattern in selection.containers]
        return self._answer(*self._post(f"/v1/update?{urlencode(query)}", wait_s))

    def idle(self, wait_s: float) -> Answer:
        """Ask for an update of nothing: comes back once nothing else is under way.

        So it shows too that it answers, accepts the token, and which line it is.
        """
        return self.update(Selection((NOBODY,), (NOBODY.rpartition("/")[2],)), wait_s)

    def _post(self, target: str, wait_s: float) -> tuple[http.client.HTTPResponse, bytes]:
        kind = http.client.HTTPSConnection if self._to.scheme == "https" else _Plain
        assert self._to.hostname is not None
        connection = kind(self._to.hostname, self._to.port, timeout=CONNECT_S)
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Length": "0"}
        heard = False
        try:
            connection.connect()
            connection.sock.settimeout(wait_s)
            heard = True
            connection.request("POST", self._to.path + target, headers=headers)
            reply = connection.getresponse()
            return reply, reply.read(1 << 20)
        except (OSError, http.client.HTTPException) as error:
            slow = heard and isinstance(error, TimeoutError)
            fact = f"no answer within {wait_s:.0f} s" if slow else str(error)
            raise NoAnswer(f"Watchtower at {self.url}: {fact}; is it running?", heard) from error
        finally:
            connection.close()

    def _answer(self, reply: http.client.HTTPResponse, content: bytes) -> Answer:
        match reply.status:
            case 200 | 202:
                return _done(content, _LIMITED in reply.headers)
            case 429:
                return Busy(_seconds(reply.headers.get("Retry-After")))
            case 503:
                return Busy(BUSY_S)
            case 401 | 403:
                fact = f"does not accept the token in {self._token_file}; give both the same"
            case 404:
                fact = (
                    "has no /v1/update: set WATCHTOWER_HTTP_API_UPDATE=true, or "
                    "WATCHTOWER_HTTP_API_ENDPOINTS=update where it is known"
                )
            case status if status in (408, 504) or status == 500:
                return Unclear(f"it answered {status} {reply.reason}")
            case status:
                fact = f"answers {status} {reply.reason}; is execution.watchtower.url right?"
        raise PlatformError(f"Watchtower at {self.url} {fact}", reply.status)

    def _token(self) -> str:
        try:
            token = self._token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            text = f"execution.watchtower.token_file {self._token_file} cannot be read: {reason}"
            raise PlatformError(text) from error
        if not token or not (token.isascii() and token.isprintable()):
            text = f"execution.watchtower.token_file {self._token_file} holds no usable token"
            raise PlatformError(text)
        return token


_LIMITED = "X-RateLimit-Limit"
_Plain = http.client.HTTPConnection


def _done(content: bytes, limited: bool) -> Done:
    """The original's answer has no body, the fork's is a summary in JSON.

    The fork minds `container` from 1.20 on, with which it began to tell its rate limit.
    """
    try:
        summary = json.loads(content)["summary"]
        counts = {key: int(value) for key, value in summary.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return Done(Line.FORK if content.startswith(b"{") else Line.ORIGINAL)
    return Done(Line.FORK, counts, by_name=limited)


def _seconds(text: str | None) -> float:
    try:
        return min(max(float(text or BUSY_S), 1.0), 300.0)
    except ValueError:
        return BUSY_S
