"""Post notices as JSON to a URL, with a token, a signature, or both."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.wording import Notice, document
from safe_auto_updater.notify.secrets import one_line
from safe_auto_updater.notify.web import Address, Question

SCHEMA = "safe-auto-updater/event/v1"
SCHEMA_OF_MANY = "safe-auto-updater/events/v1"
SIGNATURE = "safe-auto-updater-signature"
_WHO = "webhook"


class WebhookNotifier:
    """Delivers one notice per POST.

    `token_file` and `secret_file` are read for each delivery. The token is sent as a bearer token;
    the secret is not sent, but signs time and body. A text that is no URL is a PlatformError at
    once.
    """

    def __init__(
        self,
        url: str | None = None,
        url_file: str | None = None,
        token_file: str | None = None,
        secret_file: str | None = None,
        ca_file: str | None = None,
        timeout_s: float = 10.0,
        *,
        now: Callable[[], float],
    ) -> None:
        self._address = Address(_WHO, url, url_file)
        if url is not None:
            self._address.read()
        self._token_file = token_file
        self._secret_file = secret_file
        self._ca_file = ca_file
        self._timeout_s = timeout_s
        self._now = now

    def send(self, notice: Notice) -> None:
        """Deliver. PlatformUnreachable or PlatformError when it was not taken, without secrets."""
        body = json.dumps(_document(notice)).encode()
        headers = {"content-type": "application/json"}
        if self._token_file is not None:
            headers["authorization"] = f"Bearer {self._read('token_file', self._token_file)}"
        if self._secret_file is not None:
            secret = one_line(_WHO, "secret_file", self._secret_file)
            headers[SIGNATURE] = signature(secret, body, int(self._now()))
        url = self._address.read()
        Question(_WHO, url, "POST", self._timeout_s, body, headers, self._ca_file).ask()

    def _read(self, key: str, path: str) -> str:
        token = one_line(_WHO, key, path)
        if not token.isascii():
            raise PlatformError(f"{_WHO}: {key} {path} must be ASCII text, the token; correct it")
        return token


def signature(secret: str, body: bytes, at: int) -> str:
    """`t=<seconds>,v1=<HMAC-SHA256 of "<seconds>." and the body, in hexadecimal>`."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def _document(notice: Notice) -> dict[str, Any]:
    told = {"title": notice.title, "text": notice.text}
    if notice.batched:
        return {"schema": SCHEMA_OF_MANY, **told, "events": [_event(e) for e in notice.events]}
    (event,) = notice.events
    return {"schema": SCHEMA, **told, **_event(event)}


def _event(event: Event) -> dict[str, Any]:
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds")
    return {**document(event), "at": at}
