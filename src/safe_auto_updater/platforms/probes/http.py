"""Well when a URL answers with an expected status."""

from __future__ import annotations

import socket

import httpx2

from safe_auto_updater.core.ports import CheckResult, CheckState, Subject
from safe_auto_updater.core.probing import by_status, cannot_tell, dial, no_address
from safe_auto_updater.engine.trust import verifying
from safe_auto_updater.platforms.probes.deadline import Deadline


class HttpCheck:
    """`url` may hold `{address}`; no `expect_status` means 200 to 399.

    GET, with a new connection for each look, no proxy and no redirects; the body is not read.
    """

    def __init__(
        self, url: str, expect_status: tuple[int, ...] = (), timeout_s: float = 5.0
    ) -> None:
        self._url = url
        self._expected = expect_status
        self._timeout_s = timeout_s
        self._tls = verifying()

    def check(self, subject: Subject) -> CheckResult:
        """One look. Failing on no or the wrong answer; unknown where there is nobody to ask."""
        url = dial(self._url, subject, in_url=True)
        if url is None:
            return no_address("http", subject)
        deadline = Deadline(self._timeout_s)
        try:
            status = self._status(url, deadline)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            if _unresolved(error):
                return cannot_tell("http", f"{url}: the host name cannot be resolved")
            return CheckResult("http", CheckState.FAILING, f"{url}: {self._told(error, deadline)}")
        return by_status("http", url, status, self._expected)

    def _status(self, url: str, deadline: Deadline) -> int:
        with (
            deadline.watching() as trace,
            httpx2.Client(verify=self._tls, timeout=self._timeout_s, trust_env=False) as client,
            client.stream(
                "GET",
                url,
                headers={"user-agent": "safe-auto-updater", "connection": "close"},
                extensions={"trace": trace},
            ) as response,
        ):
            return response.status_code

    def _told(self, error: Exception, deadline: Deadline) -> str:
        if deadline.is_over or isinstance(error, httpx2.TimeoutException):
            return f"no answer within {self._timeout_s:g} s"
        return str(error) or type(error).__name__


def _unresolved(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, socket.gaierror):
            return True
        error = error.__cause__ or error.__context__
    return False
