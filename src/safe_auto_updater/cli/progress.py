"""One live line for long work, on a terminal only."""

from __future__ import annotations

import sys

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.identity import short_name


class Progress:
    """A listener: shows the latest phase or pull, and wipes itself when something is said."""

    def __init__(self) -> None:
        self._stream = sys.stderr
        self._on = sys.stderr.isatty()
        self._shown = False

    def __call__(self, event: Event) -> None:
        """Show `phase` and `progress` events in place."""
        if not self._on:
            return
        if event.kind in ("phase", "progress"):
            name = short_name(event.asset or "")
            line = f"{name}: {event.message}"[:78]
            self._stream.write(f"\r\x1b[2K{line}")
            self._stream.flush()
            self._shown = True
        else:
            self.wipe()

    def wipe(self) -> None:
        """Clear the line."""
        if self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._shown = False
