"""What may be updated with nobody there. Pure."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from safe_auto_updater.core.memory import Memory
from safe_auto_updater.core.model import Plan, Step


class Unattended(StrEnum):
    """Which assets the service updates by itself."""

    LABELLED = "labelled"
    ALL = "all"
    NONE = "none"


def permitted(
    plan: Plan, whose: Unattended, enabled: Callable[[str], bool], memory: Memory
) -> tuple[Plan, tuple[Step, ...]]:
    """The plan with only those updates that need nobody, and the updates that wait to be asked for.

    `enabled` says whether an asset is to be updated by itself; in a unit each of them has to be. A
    step that a human has approved needs no more.
    """

    def may(step: Step) -> bool:
        word = memory.approval(step.id, step.risk)
        if word is not None and word.covers(step.risk):
            return True
        match whose:
            case Unattended.ALL:
                return True
            case Unattended.NONE:
                return False
            case Unattended.LABELLED:
                return all(enabled(asset) for asset in step.assets)

    waiting = tuple(step for step in plan.updates if not may(step))
    return Plan(tuple(step for step in plan.steps if step not in waiting)), waiting
