"""Post notices as JSON to a URL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.redact import redact, redact_all

SCHEMA = "safe-auto-updater/event/v1"
PAUSES_S = (1.0, 4.0)  # before the second and the third attempt


class WebhookNotifier:
    """Delivers one event per POST, up to three attempts when the other side is not there.

    `token_file` is read for each delivery, so that a rotated token is used at once, and sent as
    a bearer token. Redirects are not followed: the token and the text are for this URL only.
    A text that is no URL is a PlatformError at once.
    """

    def __init__(
        self,
        url: str,
        token_file: str | None = None,
        timeout_s: float = 10.0,
        *,
        sleep: Callable[[float], None],
    ) -> None:
        try:
            self._url = httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise PlatformError(f"webhook: not a URL: {error}; correct url") from None
        self._token_file = token_file
        self._timeout_s = timeout_s
        self._sleep = sleep
        # Many services keep the secret in the path: messages name the host only.
        self._where = f"webhook {self._url.scheme}://{self._url.netloc.decode()}"

    def notify(self, event: Event) -> None:
        """Deliver. PlatformUnreachable or PlatformError when it was not taken, without secrets."""
        headers = {"user-agent": "safe-auto-updater", **self._authorization()}
        body = _body(event)
        for pause in PAUSES_S:
            try:
                return self._post(body, headers)
            except PlatformUnreachable:
                self._sleep(pause)
        return self._post(body, headers)

    def _post(self, body: dict[str, Any], headers: dict[str, str]) -> None:
        try:
            with (
                httpx2.Client(timeout=self._timeout_s, follow_redirects=False) as client,
                client.stream("POST", self._url, json=body, headers=headers) as response,
            ):
                status = response.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            # not chained: the cause holds the request, and with it the token
            reason = redact(str(error)) or type(error).__name__
            raise PlatformUnreachable(f"{self._where} cannot be reached: {reason}") from None
        if status >= 500:
            raise PlatformUnreachable(f"{self._where} answered {status}; look at its own log")
        if not 200 <= status < 300:
            text = f"{self._where} refused the notice with {status}; check url and token_file"
            raise PlatformError(text, status)

    def _authorization(self) -> dict[str, str]:
        if self._token_file is None:
            return {}
        try:
            token = Path(self._token_file).read_text("ascii").strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not ASCII text"
            text = f"{self._where}: token_file {self._token_file} cannot be read: {reason}"
            raise PlatformError(text) from None
        if not token or not token.isprintable():
            text = f"{self._where}: token_file {self._token_file} must hold one line, the token"
            raise PlatformError(text)
        return {"authorization": f"Bearer {token}"}


def _body(event: Event) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": event.kind,
        "message": redact(event.message),
        "asset": event.asset,
        "update": event.update,
        "at": datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds"),
        "details": redact_all(event.details),
    }
