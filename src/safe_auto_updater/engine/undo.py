"""`rollback`: a finished update taken back is a new update, to what its snapshot says. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.model import Action, Change, Step
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.engine.journal import Record

_TOOK_EFFECT = (Outcome.SUCCEEDED, Outcome.UNVERIFIED, None)


def undo_step(record: Record, history: Sequence[Record]) -> Step:
    """The step that takes `record` back. `history` is its asset's, newest first.

    UsageError where it changed nothing, or where a newer update of the asset took effect.
    """
    if record.outcome not in (Outcome.SUCCEEDED, Outcome.UNVERIFIED):
        said = "is not finished" if record.outcome is None else f"ended {record.outcome.value}"
        raise UsageError(f"update {record.id} {said}: there is nothing to take back")
    for newer in history:
        if newer.id == record.id:
            break
        if newer.outcome in _TOOK_EFFECT:
            raise UsageError(
                f"update {newer.id} of {record.asset} is newer than {record.id}: take that one "
                "back first"
            )
    changes = tuple(_back(change, record) for change in record.step.changes)
    reason = f"takes update {record.id} back"
    return Step(record.asset, Action.UPDATE, (reason,), changes, undoes=record.id)


def last_effective(history: Sequence[Record], asset: str) -> Record:
    """The newest update of an asset that took effect. UsageError where there is none."""
    for record in history:
        if record.outcome in (Outcome.SUCCEEDED, Outcome.UNVERIFIED):
            return record
    raise UsageError(f"{asset}: no finished update to take back; see `sau history`")


def _back(change: Change, record: Record) -> Change:
    assert change.candidate is not None
    left = replace(change.candidate, image_id=record.facts["prepared"]["image_id"])
    return Change(change.asset, change.container, left, change.current, change.bump)
