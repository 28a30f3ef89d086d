"""From what was found to what will be done, and why. Pure: a plan is a value.

Assets of one group that have something to take are one step: it is made whole, held whole, and
goes back whole. `core.units` adds those who depend on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from safe_auto_updater.core.case import Case, named_level
from safe_auto_updater.core.guards import No, objections
from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.model import (
    BY_APPLY,
    SERVER_SIDE,
    Action,
    Change,
    Plan,
    Step,
    UpdaterKind,
)
from safe_auto_updater.core.risk import combine
from safe_auto_updater.core.spelling import ComposeChange
from safe_auto_updater.core.units import held, in_step_order, united


def plan(cases: Iterable[Case], around: Mapping[str, Case]) -> Plan:
    """One step per asset or per unit that moves; what is needed comes first, else by name.

    `around` has a case without changes for each asset of the inventory: those who depend on what
    moves have to follow.
    """
    units: dict[tuple[str, str], list[Case]] = {}
    for case in sorted(cases, key=lambda case: case.asset.id):
        units.setdefault(unit_of(case.asset.id, case.policy.group), []).append(case)
    steps = [step for unit in units.values() for step in _steps(unit)]
    return Plan(tuple(in_step_order(united(steps, around), around)))


def unit_of(asset: str, group: str | None) -> tuple[str, str]:
    """What moves together: a group on one platform and host; without a group the asset alone."""
    where, _, name = asset.partition("/")
    return (where, f"/{group}") if group else (where, name)


def decide(*unit: Case) -> Step:
    """What to do with one asset, or with several that have something to take together."""
    wanted = tuple(change for case in unit for change in case.wanted)
    if not wanted:
        (case,) = unit
        return _idle(case)
    risks = [case.risk for case in unit if case.risk is not None]
    step = Step(
        unit[0].asset.id,
        Action.UPDATE,
        changes=wanted,
        members=tuple(case.asset.id for case in unit) if len(unit) > 1 else (),
        risk=combine(risks) if risks else None,
        updater=_updater(unit[0]),
    )
    against = [
        No(no.rule, _of(case, no.reason, unit)) for case in unit for no in objections(case, step.id)
    ]
    against += _mixed(unit)
    if against:
        return held(step, against)
    why = [_of(case, _why(case, change), unit) for case in unit for change in case.wanted]
    why += [
        _of(case, told, unit)
        for case in unit
        for told in (
            *_remarks(case),
            *_of_its_file(case),
            *of_its_pipeline(case.asset.managed_by, case.wanted),
            *case.notes,
        )
    ]
    approved = unit[0].memory.approval(step.id, step.risk)
    if approved is not None:
        at = datetime.fromtimestamp(approved.at, UTC)
        why.append(f"approved by {approved.who} at {at:%Y-%m-%d %H:%M} UTC")
    return replace(step, reasons=tuple(why))


def _steps(unit: Sequence[Case]) -> list[Step]:
    """A group's steps: one for those that move, one for each other. An unknown member holds it."""
    moving = [case for case in unit if case.wanted]
    rest = [decide(case) for case in unit if not case.wanted]
    if not moving:
        return rest
    together = decide(*moving)
    unknown = [
        No("unknown", f"{short_name(step.asset)} of the same group: {'; '.join(step.reasons)}")
        for step in rest
        if step.action is Action.HOLD
    ]
    return [held(together, unknown) if unknown else together, *rest]


def _idle(case: Case) -> Step:
    """Nothing to take: because nothing is known, or because nothing newer is allowed."""
    asset = case.asset.id
    blocked = tuple(b.reason for b in case.memory.blocked if b.asset == asset)
    if blocked:
        return Step(asset, Action.HOLD, blocked, case.changes, hold_rules=("memory",))
    unknown = tuple(change.error for change in case.changes if change.error)
    if unknown:
        return Step(asset, Action.HOLD, unknown, case.changes, hold_rules=("unknown",))
    notes = tuple(change.note for change in case.changes if change.note)
    remarks = tuple(told for change in case.changes for told in change.remarks)
    return Step(asset, Action.NONE, (*(notes or (_nothing(case),)), *remarks), case.changes)


def _nothing(case: Case) -> str:
    if any(change.rejected for change in case.changes):
        return f"nothing newer is allowed under policy {named_level(case)}"
    return "nothing newer exists"


def _why(case: Case, change: Change) -> str:
    """Why this version, and of which container where several change."""
    whose = f"container {change.container}: " if len(case.wanted) > 1 else ""
    return whose + _why_that(case, change)


def _why_that(case: Case, change: Change) -> str:
    assert change.candidate is not None
    target = change.candidate.version or change.candidate.reference
    if not change.moves_tag:
        behind = f" ({change.behind})" if change.behind else ""
        return (
            f"{change.candidate.reference} has new content{behind}; policy {named_level(case)} "
            "allows it"
        )
    if len(change.path) > 1:
        return f"{target} is the next step ({change.bump}) on the path {', '.join(change.path)}"
    old_enough = " and that is old enough" if case.policy.minimum_age_s > 0 else ""
    return (
        f"{target} is the newest that policy {named_level(case)} allows{old_enough} ({change.bump})"
    )


def _updater(case: Case) -> UpdaterKind:
    """Which of the platform's updaters carries it out."""
    if case.asset.own:
        return UpdaterKind.SELF
    if case.asset.platform == "kubernetes":
        return UpdaterKind.KUBERNETES
    if case.asset.platform == "helm":
        return UpdaterKind.HELM
    if case.asset.kind == "service":
        return UpdaterKind.SWARM
    return UpdaterKind(case.policy.docker_updater.value)


def _mixed(unit: Sequence[Case]) -> list[No]:
    """A unit is made by one updater: the way back of one is none for what another one made."""
    updaters = sorted({_updater(case).value for case in unit})
    if len(updaters) < 2:
        return []
    names = ", ".join(short_name(case.asset.id) for case in unit)
    reason = f"{names} are one group and need different updaters ({', '.join(updaters)})"
    return [No("group", f"{reason}; give them different groups")]


def _remarks(case: Case) -> list[str]:
    return [told for change in case.wanted for told in change.remarks]


def _of_its_file(case: Case) -> list[str]:
    wanted = [edit for edit in case.edits if edit.is_wanted]
    match case.policy.compose:
        case ComposeChange.UPDATE_FILE:
            return [f"writes {edit.text}" for edit in wanted]
        case _:
            left = "its Compose file stays: the next `docker compose up` puts the old version back"
            return [left] if wanted else []


def of_its_pipeline(managed_by: str | None, changes: Sequence[Change]) -> list[str]:
    """What the next `kubectl apply` makes of such changes, where that is how the asset is made."""
    if managed_by not in BY_APPLY:
        return []
    was = [change.current.version or change.current.reference for change in changes]
    old = ", ".join(dict.fromkeys(was))
    if managed_by == SERVER_SIDE:
        return [
            "`kubectl apply --server-side` made it: the next one of the same manifest meets a "
            f"conflict with safe-auto-updater, and puts {old} back with --force-conflicts"
        ]
    return [f"`kubectl apply` made it: the next one of the same manifest puts {old} back"]


def _of(case: Case, reason: str, unit: Sequence[Case]) -> str:
    """In a group, whose reason it is."""
    return reason if len(unit) == 1 else f"{short_name(case.asset.id)}: {reason}"
