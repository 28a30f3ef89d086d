"""What the executor asks of whoever updates: one verb per phase, and the words between them.

No plugin group: strangers could not keep the laws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from safe_auto_updater.core.model import Change, Step
from safe_auto_updater.core.ports import CheckResult, Subject

Facts = Mapping[str, Any]  # JSON only: facts are journaled


def merged(known: Facts, more: Facts) -> dict[str, Any]:
    """What is known after one more row: later words over earlier ones, warnings added up."""
    both = {**known, **more}
    if "warnings" in known and "warnings" in more:
        both["warnings"] = list(dict.fromkeys([*known["warnings"], *more["warnings"]]))
    return both


@dataclass(frozen=True)
class Work:
    """One update on its way: the step, and every fact journaled so far."""

    update: str
    step: Step
    facts: Facts = field(default_factory=dict)

    @property
    def change(self) -> Change:
        """The one change of a single-container asset."""
        return self.step.changes[0]

    def with_facts(self, facts: Facts) -> Work:
        """The same work, knowing more."""
        return replace(self, facts=merged(self.facts, facts))


class Side(StrEnum):
    """Which of the two a health check looks at."""

    OLD = "old"
    NEW = "new"


@dataclass(frozen=True)
class Look:
    """One look at one side: the platform's own results, and the subjects for configured checks.

    `unverified`: why nobody can say whether it is well, where it is as it was told to be.
    `seen`: which processes were looked at; where it changes, being well begins anew. `progress`:
    how far a rollout has come; where it grows, the deadline begins anew.
    """

    results: tuple[CheckResult, ...]
    subjects: tuple[Subject, ...]
    unverified: str | None = None
    seen: str = ""
    progress: int = 0


@dataclass(frozen=True)
class Patience:
    """How long one side may need, by the platform's own knowledge (start period, retries).

    `timeout_s` is without progress; `cap_s` in all, by default the same.
    """

    timeout_s: float
    stable_for_s: float
    cap_s: float | None = None


class Updater(Protocol):
    """Idempotent verbs, one per phase: look first, then make it so.

    Each returns the facts to journal with the next phase. Raises StepFailed (the third party or
    the world said no), PlatformUnreachable (no answer: not a failure).
    """

    def prepare(self, work: Work) -> Facts:
        """Resolve and prefetch. Nothing visible changes."""
        ...

    def precheck(self, work: Work) -> Facts:
        """Still the version that was planned from, and still allowed to be touched?"""
        ...

    def snapshot(self, work: Work) -> Facts:
        """Everything that going back needs."""
        ...

    def stage(self, work: Work) -> Facts:
        """Make the new one beside the old, and compare."""
        ...

    def recheck(self, work: Work) -> None:
        """The last look before the first change: nobody has touched either side meanwhile."""
        ...

    def withdraw(self, work: Work, side: Side) -> None:
        """Take one side out of service, ahead of the verb that would: it needs another asset."""
        ...

    def apply(self, work: Work) -> Facts:
        """Take the old one out of service and the new one into it."""
        ...

    def look(self, work: Work, side: Side) -> Look:
        """One read-only look at one side: identity first, then health."""
        ...

    def patience(self, work: Work, side: Side) -> Patience:
        """How long this side needs before it can be judged."""
        ...

    def commit(self, work: Work) -> Facts:
        """Point of no return: what only going back needed is removed."""
        ...

    def rollback(self, work: Work) -> Facts:
        """The old one serves again; what was staged is gone."""
        ...

    def confirm(self, work: Work) -> Facts:
        """The old one equals the snapshot."""
        ...

    def clean(self, work: Work) -> Facts:
        """What was staged is gone; the old one was never touched.

        What cannot be removed is a warning. StepFailed where the old one is gone.
        """
        ...

    def reachable(self) -> bool:
        """Whether the platform answers now."""
        ...
