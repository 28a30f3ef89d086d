"""What failed several times in a row by no fault of its own rests, and ever longer.

A port that is taken or a hook that fails is no reason for quarantine, but each try costs its
downtime, and with nobody there it would cost it in every cycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from safe_auto_updater.core.memory import Hold
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.core.windows import told_here
from safe_auto_updater.engine.journal import Record

HOUR_S = 3600.0
RESTS_S = (0.0, HOUR_S, 4 * HOUR_S, 16 * HOUR_S, 64 * HOUR_S, 168 * HOUR_S)
"""After the first failure, the second, and so on; the last one after every further one."""


def resting(counting: Iterable[tuple[Record, str]], now: float) -> Iterator[Hold]:
    """Versions that are not tried yet. `counting`: updates, newest first, each with an asset."""
    failures: dict[tuple[str, str], list[Record]] = {}
    succeeded: set[tuple[str, str]] = set()
    for record, asset in counting:
        for content in _contents(record, asset):
            if record.took_effect:
                succeeded.add((asset, content))
            elif (asset, content) not in succeeded and _cost_something(record):
                failures.setdefault((asset, content), []).append(record)
    for (asset, content), failed in failures.items():
        last = failed[0]
        until = last.rows[-1].at + RESTS_S[min(len(failed), len(RESTS_S)) - 1]
        if now < until:
            reason = (
                f"it was taken back {len(failed)} times in a row, at last by update {last.id} "
                f"({last.facts['failure']['error']}); it is tried again after {told_here(until)}, "
                "or once it is released"
            )
            yield Hold(asset, reason, last.rows[-1].at, until, content)


def _contents(record: Record, asset: str) -> set[str]:
    if record.step.undoes is not None:
        return set()
    changes = record.step.changes
    return {c.candidate.key() for c in changes if c.candidate is not None and c.asset == asset}


def _cost_something(record: Record) -> bool:
    """Whether it was applied and went back; what quarantines needs no rest."""
    cause = record.cause
    return record.outcome is Outcome.ROLLED_BACK and cause is not None and not cause.quarantines
