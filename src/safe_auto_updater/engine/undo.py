"""`rollback`: a finished update taken back is a new update, to what its snapshot says. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.model import Action, Change, Step, UpdaterKind
from safe_auto_updater.engine.journal import Record

_DECLARED = (UpdaterKind.SWARM, UpdaterKind.KUBERNETES, UpdaterKind.HELM)
"""Who takes back what they made: a container is taken back by our own updater, whoever made it."""


def undo_step(record: Record, history: Sequence[Record]) -> Step:
    """The step that takes `record` back. `history` is that of all that it changed, newest first.

    UsageError where it changed nothing, or where a newer update of the asset took effect.
    """
    if not record.took_effect:
        said = "is not finished" if record.outcome is None else f"ended {record.outcome.value}"
        raise UsageError(f"update {record.id} {said}: there is nothing to take back")
    if record.id in _undone(history):
        raise UsageError(f"update {record.id} was taken back already")
    newer = history[: [one.id for one in history].index(record.id)]
    in_the_way = [one for one in newer if one.outcome is None] or _standing(newer)
    if in_the_way:
        raise UsageError(
            f"update {in_the_way[0].id} of {record.asset} is newer than {record.id}: take that one "
            "back first"
        )
    changes = tuple(_back(change, record) for change in record.step.changes)
    reason = f"takes update {record.id} back"
    declared = record.step.updater in _DECLARED
    return Step(
        record.asset,
        Action.UPDATE,
        (reason,),
        changes,
        undoes=record.id,
        members=record.step.movers if len(record.step.movers) > 1 else (),
        updater=record.step.updater if declared else UpdaterKind.NATIVE,
    )


def last_effective(history: Sequence[Record], asset: str) -> Record:
    """The newest update of an asset that took effect and was not taken back; else UsageError."""
    standing = [record for record in _standing(history) if asset in record.step.movers]
    if not standing:
        raise UsageError(f"{asset}: no finished update to take back; see `sau history`")
    return standing[0]


def _standing(history: Sequence[Record]) -> list[Record]:
    """Updates that took effect, without those that were taken back and those that took back."""
    undone = _undone(history)
    return [
        record
        for record in history
        if record.took_effect and record.step.undoes is None and record.id not in undone
    ]


def _undone(history: Sequence[Record]) -> set[str]:
    """Updates that were taken back. A rollback that was taken back itself has undone nothing."""
    undone: set[str] = set()
    for record in history:  # from the newest on
        if record.took_effect and record.id not in undone and record.step.undoes:
            undone.add(record.step.undoes)
    return undone


def _back(change: Change, record: Record) -> Change:
    assert change.candidate is not None
    prepared = record.facts_of(change.asset)["prepared"]
    left = replace(change.candidate, image_id=prepared["image_id"])
    return Change(change.asset, change.container, left, change.current, change.bump)
