"""Events as lines, for people or for machines. Never a credential, never a broken update."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.redact import redact, redact_all

__all__ = ["LEVELS", "Form", "Level", "Logger", "level_of", "redact"]

Form = Literal["human", "json"]
Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")

_LEVEL_OF: dict[str, Level] = {
    "phase": "debug",
    "progress": "debug",
    "waiting": "warning",
    "unverified": "warning",
    "rolled_back": "warning",
    "aborted": "warning",
    "warning": "warning",
    "halted": "error",
    "inconsistent": "error",
    "unfinished": "error",
}


def level_of(kind: str) -> Level:
    """How urgent an event kind is."""
    return _LEVEL_OF.get(kind, "info")


class Logger:
    """A subscriber: call it with an event and it writes one line, from `level` upwards.

    Human lines are `HH:MM:SS  asset  message` in local time. JSON lines hold at (ISO 8601, UTC),
    level, kind, asset, update, message and details. Credentials are masked in both. A stream that
    cannot be written is ignored: an update must not fail because its log did.
    """

    def __init__(self, stream: TextIO, form: Form = "human", level: Level = "info") -> None:
        self._stream = stream
        self._form = form
        self._lowest = LEVELS.index(level)
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write the event's line, unless it is below the level."""
        level = level_of(event.kind)
        if LEVELS.index(level) < self._lowest:
            return
        line = _json(event, level) if self._form == "json" else _human(event)
        with self._lock:
            try:
                self._stream.write(_writable(line, self._stream) + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                return


def _human(event: Event) -> str:
    moment = datetime.fromtimestamp(event.at, UTC).astimezone()
    parts = [f"{moment:%H:%M:%S}", event.asset or "", redact(event.message)]
    return _one_line("  ".join(part for part in parts if part))


def _json(event: Event, level: str) -> str:
    record: dict[str, Any] = {
        "at": datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds"),
        "level": level,
        "kind": event.kind,
        "asset": event.asset,
        "update": event.update,
        "message": redact(event.message),
        "details": redact_all(event.details),
    }
    return json.dumps(record, ensure_ascii=True)


def _one_line(text: str) -> str:
    """Third parties' words must not forge lines or move the cursor."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _writable(line: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)
