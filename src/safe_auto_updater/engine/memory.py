"""Human decisions, and what the journal teaches for later cycles. Nothing is stored twice:
quarantine is read out of the journal, and a release makes what came before it void."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from safe_auto_updater.core.errors import JournalError
from safe_auto_updater.core.memory import Blocked, Failed, Hold, Memory
from safe_auto_updater.core.model import Action, Image
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.engine.journal import Journal, Record

ALL = "*"


class Decisions:
    """The decisions, sightings and told tables."""

    def __init__(
        self, connection: sqlite3.Connection, journal: Journal, now: Callable[[], float]
    ) -> None:
        self._db = connection
        self._journal = journal
        self._now = now

    def hold(
        self, asset: str, reason: str, until: float | None = None, content: str | None = None
    ) -> None:
        """Hold an asset, every asset (`*`), or with `content` one version of an asset."""
        self._decide("hold", asset, content, until, reason)

    def release(self, asset: str, reason: str) -> None:
        """Forget every hold, quarantine and inconsistency of an asset up to now (`*`: of all)."""
        seen = self._run("SELECT coalesce(max(rowid), 0) FROM phases")[0][0]
        self._decide("release", asset, str(seen), None, reason)

    def memory(self) -> Memory:
        """Everything remembered now."""
        released: dict[str, int] = {}  # up to which row of the journal; clocks may step back
        holds: list[Hold] = []
        rows = self._run(
            "SELECT kind, asset, subject, until, reason, at FROM decisions ORDER BY seq"
        )
        for kind, asset, subject, until, reason, at in rows:
            if kind == "release":
                released[asset] = int(subject)
                holds = [hold for hold in holds if asset not in (ALL, hold.asset)]
            else:
                holds.append(Hold(asset, reason, at, until, subject))
        now = self._now()
        records = [
            record
            for record in self._journal.history()
            if record.outcome is None
            or record.last_row > max(released.get(record.asset, 0), released.get(ALL, 0))
        ]
        return Memory(
            now=now,
            holds=tuple(hold for hold in holds if hold.active(now)) + tuple(_taken_back(records)),
            quarantine=tuple(_failures(records)),
            blocked=tuple(_blocked(records)),
        )

    def saw(self, images: Sequence[Image]) -> None:
        """Remember when a digest was first seen under a reference."""
        rows = [(image.reference, image.digest, self._now()) for image in images if image.digest]
        for row in rows:
            self._run("INSERT OR IGNORE INTO sightings VALUES (?, ?, ?)", row)

    def tell_once(self, asset: str, reason: str) -> bool:
        """Whether this reason for holding this asset is news. Remembers that it was told."""
        known = self._run("SELECT reason FROM told WHERE asset = ?", (asset,))
        if known and known[0][0] == reason:
            return False
        self._run("INSERT OR REPLACE INTO told VALUES (?, ?, ?)", (asset, reason, self._now()))
        return True

    def told_no_more(self, asset: str) -> None:
        """The asset is held no more: when it is again, that is news."""
        self._run("DELETE FROM told WHERE asset = ?", (asset,))

    def prove_writable(self) -> None:
        """Write something that means nothing; JournalError where that cannot be."""
        self._run("INSERT OR REPLACE INTO told VALUES ('', 'doctor', ?)", (self._now(),))

    def _decide(
        self, kind: str, asset: str, subject: str | None, until: float | None, reason: str
    ) -> None:
        self._run(
            "INSERT INTO decisions (at, kind, asset, subject, until, reason) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (self._now(), kind, asset, subject, until, reason),
        )

    def _run(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._db.execute(query, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"the state file cannot serve: {error}") from error


def _taken_back(records: Sequence[Record]) -> list[Hold]:
    """A human's rollback holds the version that it left."""
    return [
        Hold(
            record.asset,
            f"a human took {change.current.version or change.current.reference} back "
            f"(update {record.id})",
            record.created_at,
            content=change.current.key(),
        )
        for record in records
        if record.step.undoes is not None and record.outcome is Outcome.SUCCEEDED
        for change in record.step.changes
    ]


def _failures(records: Sequence[Record]) -> list[Failed]:
    """Quarantine: what ended badly by its own fault, one entry per container and content."""
    failed = []
    for record in records:
        if record.outcome not in (Outcome.ROLLED_BACK, Outcome.ABORTED, Outcome.INCONSISTENT):
            continue
        cause = record.cause
        if cause is None or not cause.quarantines:
            continue
        for change in record.step.changes:
            if change.candidate is not None:
                failed.append(
                    Failed(
                        record.asset,
                        change.container,
                        change.candidate.key(),
                        cause,
                        record.id,
                        record.facts["failure"]["error"],
                    )
                )
    return failed


def _blocked(records: Sequence[Record]) -> list[Blocked]:
    """The newest update of each asset decides whether the asset waits for somebody."""
    newest: dict[str, Record] = {}
    for record in records:
        if record.step.action is Action.UPDATE:
            newest.setdefault(record.asset, record)
    blocked = []
    for asset, record in newest.items():
        match record.outcome:
            case None:
                reason = "an update was interrupted; `sau recover` finishes or undoes it"
            case Outcome.INCONSISTENT | Outcome.HALTED as outcome:
                reason = (
                    f"update {record.id} ended {outcome.value}; look at it (`sau show "
                    f"{record.id}`), then clear it with `sau release`"
                )
            case _:
                continue
        blocked.append(Blocked(asset, record.id, reason))
    return blocked
