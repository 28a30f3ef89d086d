"""One question to a web server: was it taken. Its errors hold no secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.core.redact import redact
from safe_auto_updater.notify.secrets import one_line
from safe_auto_updater.notify.trust import trust


@dataclass(frozen=True)
class Address:
    """Where to ask: a URL, or the file that holds it, which is read each time.

    Many services keep their secret in the path: `where` has the host only. PlatformError where
    what is given is no URL.
    """

    who: str
    url: str | None
    url_file: str | None

    def read(self) -> httpx2.URL:
        """The URL, as it is now."""
        text = self.url
        if text is None:
            assert self.url_file is not None  # said by the configuration
            text = one_line(self.who, "url_file", self.url_file)
        key = "url" if self.url_file is None else f"url_file {self.url_file}"
        try:
            url = httpx2.URL(text)
        except httpx2.InvalidURL as error:
            reason = str(error) if self.url_file is None else "it does not parse"
            raise PlatformError(f"{self.who}: {key} is not a URL: {reason}; correct it") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise PlatformError(f"{self.who}: {key} is not a web URL; start it with https://")
        return url


@dataclass(frozen=True)
class Question:
    """What is asked of a server. Redirects are not followed: it is for this URL only."""

    who: str
    url: httpx2.URL
    method: str
    timeout_s: float
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    ca_file: str | None = None

    def ask(self) -> None:
        """PlatformUnreachable or PlatformError where it was not taken, without secrets."""
        where = f"{self.who} {self.url.scheme}://{self.url.netloc.decode()}"
        headers = {"user-agent": "safe-auto-updater", **self.headers}
        verify = True if self.ca_file is None else trust(self.who, self.ca_file)
        try:
            with (
                httpx2.Client(
                    timeout=self.timeout_s, follow_redirects=False, verify=verify
                ) as client,
                client.stream(
                    self.method, self.url, content=self.content, headers=headers
                ) as response,
            ):
                status = response.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            # not chained: the cause holds the request, and with it the token
            reason = redact(str(error)) or type(error).__name__
            raise PlatformUnreachable(f"{where} cannot be reached: {reason}") from None
        if status >= 500 or status == 429:
            raise PlatformUnreachable(f"{where} answered {status}; look at its own log")
        if not 200 <= status < 300:
            text = f"{where} refused it with {status}; check its address and what it is sent as"
            raise PlatformError(text, status)
