"""The child process in which apprise runs: a question on standard input, an answer on output.

The answer follows the last record separator, so that nothing else that is printed disturbs it: for
each URL whether it was sent, else why not, without anything of the URL.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import re
import resource
import signal
import sys
from typing import Any

MEMORY_BYTES = 1 << 30
_STATUS = re.compile(r"\berror=(\d{3})\b|\bHTTP (?:error )?(\d{3})\b")


class _Heard(logging.Handler):
    """The statuses that apprise tells in its log. Its lines can hold secrets and go nowhere."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.status: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        found = _STATUS.search(record.getMessage())
        if found:
            self.status = found[1] or found[2]


def main(parent: int) -> None:
    """Answer the one question. Ends with the parent, whatever happens to it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        asked = json.load(sys.stdin)
        answers = [_send(url, asked) for url in asked["urls"]]
        sys.stdout.write("\x1e" + json.dumps(answers))
        sys.stdout.flush()
    finally:
        os.killpg(0, signal.SIGKILL)  # ourselves, and what services have left behind


def _send(url: str, asked: dict[str, Any]) -> dict[str, Any]:
    import apprise

    heard = _Heard()
    log = logging.getLogger("apprise")
    log.addHandler(heard)
    log.propagate = False
    try:
        service = apprise.Apprise()
        if not service.add(url):
            return _not("is no address that apprise knows", final=True)
        for server in service:
            if "overflow=" not in url:  # else what is too long for a service is refused by it
                server.overflow_mode = apprise.OverflowMode.SPLIT
        sent = service.notify(
            title=asked["title"],
            body=asked["body"],
            notify_type=asked["kind"],
            body_format=apprise.NotifyFormat.TEXT,
        )
    except Exception as error:
        return _not(f"failed: {type(error).__name__}")
    finally:
        log.removeHandler(heard)
    if sent:
        return {"sent": True}
    if heard.status is None:
        return _not("could not be reached")
    is_final = heard.status.startswith("4") and heard.status not in ("408", "429")
    return _not(f"was answered {heard.status}", final=is_final)


def _not(text: str, *, final: bool = False) -> dict[str, Any]:
    return {"sent": False, "text": text, "final": final}


if __name__ == "__main__":
    main(int(sys.argv[1]))
