"""Notices to over a hundred services, by the apprise library, in a child process.

Nothing that it does can delay or end this program: it has a group of its own, a deadline and a
memory limit, and ends with us.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.core.wording import Notice, cut
from safe_auto_updater.notify.secrets import whole

CHILD = "safe_auto_updater.notify.apprise_child"
_WHO = "apprise"
_KEPT = ("PATH", "HOME", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR")
_KEPT_BEGINNINGS = ("HTTP", "NO_PROXY", "REQUESTS_CA_BUNDLE")
_KINDS = {
    "succeeded": "success",
    "held": "info",
    "rolled_back": "warning",
    "aborted": "warning",
    "unverified": "warning",
    "warning": "warning",
    "halted": "failure",
    "inconsistent": "failure",
    "unfinished": "failure",
}
LONGEST_TEXT = 8000  # some services take 2000 at once, and a pause between the parts
_WORST = ("info", "success", "warning", "failure")


def require_library() -> None:
    """PlatformError with the remedy where it is not installed."""
    if find_spec("apprise") is None:
        remedy = "pip install 'safe-auto-updater[apprise]'"
        raise PlatformError(f"{_WHO}: the library is not installed; {remedy}")


class AppriseNotifier:
    """Sends each notice to each of its URLs; to those that failed alone when it is tried again.

    `urls_file` is read for each delivery: one URL a line, `#` begins a comment.
    """

    def __init__(
        self, urls: tuple[str, ...] = (), urls_file: str | None = None, timeout_s: float = 60.0
    ) -> None:
        self._urls = urls
        self._urls_file = urls_file
        self._timeout_s = timeout_s
        self._done: tuple[tuple[Any, ...], set[str]] = ((), set())

    def send(self, notice: Notice) -> None:
        """Deliver. PlatformUnreachable or PlatformError when it was not taken, without secrets."""
        require_library()
        urls = self._all()
        if self._done[0] != notice.events:
            self._done = notice.events, set()
        done = self._done[1]
        asked = {
            "title": notice.title,
            "body": cut(notice.text, LONGEST_TEXT),
            "kind": max((_KINDS.get(e.kind, "info") for e in notice.events), key=_WORST.index),
            "urls": [url for url in urls if url not in done],
        }
        answers = dict(zip(asked["urls"], _answers(asked, self._timeout_s), strict=True))
        done |= {url for url, answer in answers.items() if answer.sent}
        wrong = [
            (f"URL {number} ({url.partition(':')[0]}://) {answers[url].text}", answers[url].final)
            for number, url in enumerate(urls, 1)
            if url not in done
        ]
        told = f"{_WHO}: {'; '.join(text for text, _ in wrong)}"
        if not all(final for _, final in wrong):
            raise PlatformUnreachable(told)
        if wrong:
            raise PlatformError(f"{told}; correct it")

    def _all(self) -> Sequence[str]:
        found = list(self._urls)
        if self._urls_file is not None:
            lines = whole(_WHO, "urls_file", self._urls_file).splitlines()
            found += [line.strip() for line in lines if line.strip() and line.strip()[0] != "#"]
        if not found:
            raise PlatformError(f"{_WHO}: urls_file {self._urls_file} names no URL; add one a line")
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class _Answer:
    """What became of one URL. `final`: to ask again is of no use."""

    sent: bool
    text: str = ""
    final: bool = False


def _answers(asked: dict[str, Any], timeout_s: float) -> list[_Answer]:
    """The child's word on each URL. PlatformUnreachable where it gave none in time."""
    with subprocess.Popen(
        [sys.executable, "-I", "-m", CHILD, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # it may quote a URL
        env=_environment(),
        start_new_session=True,
    ) as child:
        try:
            out, _ = child.communicate(json.dumps(asked).encode(), timeout_s)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # and whatever it has started
            raise PlatformUnreachable(f"{_WHO}: no answer within {timeout_s:g} s") from None
    try:
        answers = [_Answer(**answer) for answer in json.loads(out.rpartition(b"\x1e")[2])]
    except (ValueError, TypeError):
        answers = []
    if len(answers) != len(asked["urls"]):
        raise PlatformUnreachable(f"{_WHO}: it ended with {child.returncode} and no answer")
    return answers


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.upper().startswith(_KEPT_BEGINNINGS)
    }
