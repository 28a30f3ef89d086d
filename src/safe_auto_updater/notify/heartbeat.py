"""Ask a URL after each cycle: whoever listens there knows that the service is alive."""

from __future__ import annotations

from safe_auto_updater.core.wording import Notice
from safe_auto_updater.notify.web import Address, Question

_WHO = "heartbeat"


class Heartbeat:
    """Says nothing but that a cycle has ended."""

    def __init__(
        self,
        url: str | None = None,
        url_file: str | None = None,
        method: str = "GET",
        ca_file: str | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self._address = Address(_WHO, url, url_file)
        self._method = method
        self._ca_file = ca_file
        self._timeout_s = timeout_s

    def send(self, notice: Notice) -> None:
        """Ask. PlatformUnreachable or PlatformError where that was not taken."""
        url = self._address.read()
        Question(_WHO, url, self._method, self._timeout_s, ca_file=self._ca_file).ask()
