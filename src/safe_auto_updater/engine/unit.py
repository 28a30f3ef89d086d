"""Several assets moved as one: every verb of one updater, done for each member in turn.

The unit is one update with one journal row per phase. Each member keeps its own facts under
`members`; what the whole is judged by stands beside them. A verb stops at the first member that
cannot go forward; the verbs that lead back go on to the others, and fail at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from safe_auto_updater.core.errors import PlatformError, StepFailed
from safe_auto_updater.core.model import Change, short_name
from safe_auto_updater.core.ports import (
    CheckResult,
    Facts,
    Look,
    Patience,
    Side,
    Subject,
    Updater,
    Work,
)

Verb = Callable[[Work], Facts]


class Unit:
    """An `Updater` over several assets of one host. Going back, the last comes first."""

    def __init__(self, updater: Updater) -> None:
        self._updater = updater

    def reachable(self) -> bool:
        """Whether the platform answers now."""
        return self._updater.reachable()

    def prepare(self, work: Work) -> Facts:
        """Everything for every member is there before anything changes."""
        return self._forward(work, self._updater.prepare)

    def precheck(self, work: Work) -> Facts:
        """Each member is what was planned from. One that must be well must all be."""
        facts = self._forward(work, self._updater.precheck)
        fixes = all(member.get("fix_forward") for member in facts["members"].values())
        return {**facts, "fix_forward": fixes}

    def snapshot(self, work: Work) -> Facts:
        """Everything that going back needs, for every member."""
        return self._forward(work, self._updater.snapshot)

    def stage(self, work: Work) -> Facts:
        """All new ones stand beside the old ones before the first old one stops."""
        return self._forward(work, self._updater.stage)

    def apply(self, work: Work) -> Facts:
        """One member after the other."""
        return _with_downtime(self._forward(work, self._updater.apply))

    def look(self, work: Work, side: Side) -> Look:
        """All members at once: the unit is as well as its worst."""
        results: list[CheckResult] = []
        subjects: list[Subject] = []
        for member in _members(work):
            seen = self._updater.look(member, side)
            results += (replace(result, asset=member.step.asset) for result in seen.results)
            subjects += seen.subjects
        return Look(tuple(results), tuple(subjects))

    def patience(self, work: Work, side: Side) -> Patience:
        """As long as the slowest needs."""
        each = [self._updater.patience(member, side) for member in _members(work)]
        return Patience(max(p.timeout_s for p in each), max(p.stable_for_s for p in each))

    def commit(self, work: Work) -> Facts:
        """What only going back needed is removed; what cannot be is told at the end."""
        return self._all(work, _members(work), self._updater.commit)

    def rollback(self, work: Work) -> Facts:
        """Every member's old one serves again. Those never reached are only cleaned, at the end."""
        members = list(_members(work))[::-1]
        touched = (work.facts.get("failure") or {}).get("evidence", {}).get("touched")
        if touched is None or "interrupted" in work.facts:
            touched = work.step.members
        members.sort(key=lambda member: member.step.asset not in touched)

        def back(member: Work) -> Facts:
            if member.step.asset in touched:
                return self._updater.rollback(member)
            try:
                facts = self._updater.clean(member)
            except (StepFailed, PlatformError) as error:
                facts = {"warnings": [f"left over: {error}"]}
            return {**facts, "downtime_s": 0.0}

        return _with_downtime(self._all(work, members, back))

    def confirm(self, work: Work) -> Facts:
        """Each member equals its snapshot."""
        return self._all(work, _members(work), self._updater.confirm)

    def clean(self, work: Work) -> Facts:
        """What was staged is gone, for every member."""
        return self._all(work, _members(work), self._updater.clean)

    def _forward(self, work: Work, verb: Verb) -> dict[str, Any]:
        """Member by member, up to the first failure, which names it and those done before."""
        known: dict[str, Facts] = dict(work.facts.get("members", {}))
        reached: list[str] = []
        for member in _members(work):
            asset = member.step.asset
            reached.append(asset)
            try:
                known[asset] = {**known.get(asset, {}), **verb(member)}
            except StepFailed as error:
                raise _named(error, asset, reached) from error
        return {"members": known}

    def _all(self, work: Work, members: Iterable[Work], verb: Verb) -> dict[str, Any]:
        """Every member, whatever happens to the others; a failure is raised at the end.

        One of the platform comes before one of a member: where it is, trying again may help.
        """
        known: dict[str, Facts] = dict(work.facts.get("members", {}))
        told: dict[str, list[str]] = {"last_words": [], "warnings": []}
        failures: list[StepFailed | PlatformError] = []
        for member in members:
            asset = member.step.asset
            try:
                facts = dict(verb(member))
            except StepFailed as error:
                failures.append(_named(error, asset, None))
                continue
            except PlatformError as error:
                failures.insert(0, error)
                continue
            for word, lines in told.items():
                lines += (f"{short_name(asset)}: {line}" for line in facts.pop(word, ()))
            known[asset] = {**known.get(asset, {}), **facts}
        if failures:
            raise failures[0]
        return {"members": known, **{word: lines for word, lines in told.items() if lines}}


def _members(work: Work) -> Iterable[Work]:
    """Each member's own part of the work, as if it were alone."""
    known = work.facts.get("members", {})
    shared = {key: value for key, value in work.facts.items() if key != "members"}
    changes: dict[str, list[Change]] = {asset: [] for asset in work.step.members}
    for change in work.step.changes:
        changes[change.asset].append(change)
    for asset, own in changes.items():
        step = replace(work.step, asset=asset, changes=tuple(own), members=())
        yield Work(work.update, step, {**shared, **known.get(asset, {})})


def _named(error: StepFailed, asset: str, reached: list[str] | None) -> StepFailed:
    evidence = {**error.evidence, "member": asset}
    if reached is not None:
        evidence["touched"] = list(reached)
    return StepFailed(f"{short_name(asset)}: {error}", error.cause, evidence)


def _with_downtime(facts: dict[str, Any]) -> dict[str, Any]:
    """The unit was down for as long as its worst member; unknown where one is."""
    each = [member.get("downtime_s") for member in facts["members"].values()]
    known = [seconds for seconds in each if seconds is not None]
    return {**facts, "downtime_s": max(known) if len(known) == len(each) else None}
