"""From what was found to what will be done, and why. Pure: a plan is a value.

Every guard that can say no is one row of `_GUARDS`; the first that says no decides, and its
words are what the operator reads at night.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safe_auto_updater.core.memory import Memory
from safe_auto_updater.core.model import (
    Action,
    Asset,
    Change,
    Health,
    Plan,
    Status,
    Step,
)
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import AssetPolicy


@dataclass(frozen=True)
class Case:
    """One asset with everything that decides about it."""

    asset: Asset
    changes: tuple[Change, ...]
    policy: AssetPolicy
    memory: Memory

    @property
    def wanted(self) -> tuple[Change, ...]:
        """The changes that have a candidate."""
        return tuple(change for change in self.changes if change.candidate is not None)


def plan(
    assets: tuple[Asset, ...],
    changes: Mapping[str, tuple[Change, ...]],
    policies: Mapping[str, AssetPolicy],
    memory: Memory,
) -> Plan:
    """One step per asset, ordered by identity."""
    cases = [
        Case(asset, changes.get(asset.id, ()), policies[asset.id], memory)
        for asset in sorted(assets, key=lambda asset: asset.id)
    ]
    return Plan(tuple(decide(case) for case in cases))


def decide(case: Case) -> Step:
    """What to do with one asset: nothing newer, hold with the reason, or update."""
    asset, wanted = case.asset, case.wanted
    if not wanted:
        unknown = [change.error for change in case.changes if change.error]
        if unknown:
            return Step(asset.id, Action.HOLD, tuple(unknown), case.changes, hold_rule="unknown")
        notes = tuple(change.note for change in case.changes if change.note)
        return Step(asset.id, Action.NONE, notes or (_nothing(case),), case.changes)
    for rule, guard in _GUARDS:
        reason = guard(case)
        if reason is not None:
            return Step(asset.id, Action.HOLD, (reason,), wanted, hold_rule=rule)
    return Step(asset.id, Action.UPDATE, tuple(_why(case, change) for change in wanted), wanted)


def _nothing(case: Case) -> str:
    if any(change.rejected for change in case.changes):
        return f"nothing newer is allowed under policy {_policy(case)}"
    return "nothing newer exists"


def _why(case: Case, change: Change) -> str:
    assert change.candidate is not None
    target = change.candidate.version or change.candidate.reference
    if change.bump == "digest":
        return f"{change.candidate.reference} has new content; policy {_policy(case)} allows digest"
    return f"{target} is the newest that policy {_policy(case)} allows ({change.bump})"


def _policy(case: Case) -> str:
    return f"{case.policy.level.value} ({case.policy.level_from})"


def _labels(case: Case) -> str | None:
    return "; ".join(case.policy.problems) or None


def _enabled(case: Case) -> str | None:
    return "switched off by enable=false" if case.policy.enable is False else None


def _memory(case: Case) -> str | None:
    return refused(case.asset.id, case.wanted, case.memory)


def refused(asset: str, wanted: tuple[Change, ...], memory: Memory) -> str | None:
    """Why what is remembered forbids these changes, or None. Asked again right before acting."""
    for blocked in memory.blocked:
        if blocked.asset == asset:
            return blocked.reason
    for hold in memory.holds:
        if hold.asset not in (asset, "*"):
            continue
        if hold.content is None:
            return f"held: {hold.reason}"
        if any(_content(change) == hold.content for change in wanted):
            return f"this version is held: {hold.reason}"
    for change in wanted:
        for failed in memory.quarantine:
            if failed.content != _content(change):
                continue
            if (failed.asset, failed.container) == (asset, change.container):
                return (
                    f"quarantined: this content failed here before ({failed.update}: "
                    f"{failed.reason}); a newer version may follow, `sau release` tries it again"
                )
            if failed.cause is Cause.IMAGE:
                return (
                    f"quarantined: this content failed on {failed.asset} ({failed.update}: "
                    f"{failed.reason}); `sau release {failed.asset}` tries it again"
                )
    return None


def _obstacle(case: Case) -> str | None:
    moves = any(change.moves_tag for change in case.wanted)
    for obstacle in case.asset.obstacles:
        if moves or not obstacle.only_tag_changes:
            return obstacle.reason
    return None


def _status(case: Case) -> str | None:
    match case.asset.status:
        case Status.RUNNING:
            return None
        case Status.PAUSED:
            return "paused; an update would have to start it. Unpause it first"
        case Status.RESTARTING if case.policy.fix_forward:
            return None
        case Status.RESTARTING:
            return "restarting in a loop before the update (rule fix_forward would allow it)"
        case other:
            return f"{other.value}: a container that does not run stays as it is"


def _health(case: Case) -> str | None:
    if case.policy.fix_forward:
        return None
    match case.asset.health:
        case Health.UNHEALTHY:
            return "unhealthy before the update (rule fix_forward would allow it)"
        case _:
            return None


def _content(change: Change) -> str:
    assert change.candidate is not None
    return change.candidate.key()


_GUARDS: tuple[tuple[str, Callable[[Case], str | None]], ...] = (
    ("label", _labels),
    ("disabled", _enabled),
    ("obstacle", _obstacle),
    ("memory", _memory),
    ("status", _status),
    ("unhealthy", _health),
)
