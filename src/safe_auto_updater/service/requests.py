"""What people have said on the command line since the service last listened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from safe_auto_updater.engine.decisions import ALL, Decisions
from safe_auto_updater.engine.state import ask, open_state

_CALLS = ("approve", "release")
"""Words after which something may be done that could not before."""


class Requests:
    """Listens at the state file: a look costs next to nothing while nobody writes."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        self._db = open_state(folder)
        self._decisions = Decisions(self._db, now)
        self._version = self._written()
        self._heard = self._decisions.last()

    def close(self) -> None:
        """Listen no more."""
        self._db.close()

    def approved(self) -> tuple[str, ...]:
        """The assets that somebody has approved a step of, or released, since the last look."""
        version = self._written()
        if version == self._version:
            return ()
        self._version = version
        last = self._decisions.last()  # first: what is written in between is heard twice, not never
        words = self._decisions.words_after(self._heard)
        self._heard = last
        assets = (word.asset for word in words if word.kind in _CALLS and word.who)
        return tuple(dict.fromkeys(asset for asset in assets if asset != ALL))

    def _written(self) -> int:
        """Changes whenever another connection has written."""
        return int(ask(self._db, "PRAGMA data_version")[0][0])
