"""Several assets moved as one: every verb of one updater, done for each member in turn.

The unit is one update with one journal row per phase. Each member keeps its own facts under
`members`; what the whole is judged by stands beside them. A verb stops at the first member that
cannot go forward; the verbs that lead back go on to the others, and fail at the end.

Members stand in the order in which they start. Whoever needs another member is taken out of service
before it and put back once it is well, on the way forward and on the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from safe_auto_updater.core.errors import (
    PlatformError,
    PlatformUnfit,
    PlatformUnreachable,
    StepFailed,
)
from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.model import Bond, Change
from safe_auto_updater.core.ports import CheckResult, Subject
from safe_auto_updater.core.updater import Facts, Look, Patience, Side, Updater, Work, merged
from safe_auto_updater.engine.health import HealthChecker, Verdict

Verb = Callable[[Work], Facts]


class Unit:
    """An `Updater` over several assets of one host; `restarter` serves those that only restart."""

    def __init__(self, updater: Updater, restarter: Updater, health: HealthChecker) -> None:
        self._updater = updater
        self._restarter = restarter
        self._health = health

    def reachable(self) -> bool:
        """Whether the platform answers now."""
        return self._updater.reachable()

    def prepare(self, work: Work) -> Facts:
        """Everything for every member is there before anything changes."""
        return self._forward(work, lambda member: self._of(member).prepare(member))

    def precheck(self, work: Work) -> Facts:
        """Each member is what was planned from. One that must be well must all be."""
        facts = self._forward(work, lambda member: self._of(member).precheck(member))
        fixes = all(facts["members"][asset].get("fix_forward") for asset in work.step.movers)
        return {**facts, "fix_forward": fixes}

    def snapshot(self, work: Work) -> Facts:
        """Everything that going back needs, for every member."""
        return self._forward(work, lambda member: self._of(member).snapshot(member))

    def stage(self, work: Work) -> Facts:
        """All new ones stand beside the old ones before the first old one stops."""
        facts = self._forward(work, lambda member: self._of(member).stage(member))
        self.recheck(work.with_facts(facts))
        return facts

    def recheck(self, work: Work) -> None:
        """Nobody has touched any of them while the others were staged."""
        for member in _members(work, work.step.assets):
            try:
                self._of(member).recheck(member)
            except StepFailed as error:
                raise _named(error, member.step.asset, None) from error

    def withdraw(self, work: Work, side: Side) -> None:
        """Take all of one side out of service, the last to start first."""
        for member in reversed(_members(work, work.step.assets)):
            self._of(member).withdraw(member, side)

    def apply(self, work: Work) -> Facts:
        """One member after the other, each with those who need it out of service meanwhile."""
        reached: list[str] = []

        def swap(member: Work) -> Facts:
            self._withdraw_those_who_need(member, work, reached)
            facts = self._of(member).apply(member)
            if _is_needed(member.step.asset, work):
                self._well(member.with_facts(facts))
            return facts

        return _with_downtime(self._forward(work, swap, reached))

    def look(self, work: Work, side: Side) -> Look:
        """All members at once: the unit is as well as its worst."""
        results: list[CheckResult] = []
        subjects: list[Subject] = []
        unverified = None
        for member in _members(work, work.step.assets):
            seen = self._of(member).look(member, side)
            results += (replace(result, asset=member.step.asset) for result in seen.results)
            subjects += seen.subjects
            unverified = unverified or seen.unverified
        return Look(tuple(results), tuple(subjects), unverified)

    def patience(self, work: Work, side: Side) -> Patience:
        """As long as the slowest needs."""
        each = [self._of(m).patience(m, side) for m in _members(work, work.step.assets)]
        return Patience(max(p.timeout_s for p in each), max(p.stable_for_s for p in each))

    def commit(self, work: Work) -> Facts:
        """What only going back needed is removed; what cannot be is told at the end."""
        return self._all(work, work.step.assets, lambda m: self._of(m).commit(m))

    def rollback(self, work: Work) -> Facts:
        """Every member's old one serves again. Those never reached are only cleaned, at the end.

        Where nobody needs another the last comes first, as what they share was changed last.
        """
        touched = (work.facts.get("failure") or {}).get("evidence", {}).get("touched")
        if touched is None or "interrupted" in work.facts:
            touched = work.step.members
        order = work.step.members if work.step.needs else work.step.members[::-1]
        assets = sorted(order, key=lambda asset: asset not in touched)
        withdrawn = [asset for asset in assets if asset not in touched]  # nothing to withdraw there

        def back(member: Work) -> Facts:
            updater = self._of(member)
            if member.step.asset in touched:
                stuck = self._withdrawn_or_told(member, work, withdrawn)
                facts: Facts = merged(updater.rollback(member), stuck)
                if _is_needed(member.step.asset, work):
                    self._watched(member.with_facts(facts), Side.OLD)
                return facts
            try:
                facts = updater.clean(member)
            except PlatformError as error:
                facts = {"warnings": [f"left over: {error}"]}
            return {**facts, "downtime_s": 0.0}

        return _with_downtime(self._all(work, assets, back))

    def confirm(self, work: Work) -> Facts:
        """Each member equals its snapshot."""
        return self._all(work, work.step.assets, lambda m: self._of(m).confirm(m))

    def clean(self, work: Work) -> Facts:
        """What was staged is gone, for every member."""
        return self._all(work, work.step.assets, lambda m: self._of(m).clean(m))

    def _of(self, member: Work) -> Updater:
        """Who does the verbs for a member."""
        restarts = any(one.bond is Bond.RESTART for one in member.step.followers)
        return self._restarter if restarts else self._updater

    def _withdraw_those_who_need(self, member: Work, work: Work, reached: list[str]) -> None:
        """Before a member goes, those go who cannot do without it; `reached` have gone already."""
        for other in _going_before(member, work, reached):
            reached.append(other.step.asset)
            self._of(other).withdraw(other, Side.OLD)

    def _withdrawn_or_told(self, member: Work, work: Work, withdrawn: list[str]) -> Facts:
        """As on the way forward; but one that cannot go keeps no other from going back."""
        warnings = []
        for other in _going_before(member, work, withdrawn):
            withdrawn.append(other.step.asset)
            try:
                self._of(other).withdraw(other, Side.NEW)
            except (StepFailed, PlatformError, PlatformUnfit) as error:
                name = short_name(other.step.asset)
                warnings.append(f"{name} could not be stopped before it: {error}")
        return {"warnings": warnings} if warnings else {}

    def _well(self, member: Work) -> None:
        """A member that others need is well before they start; else StepFailed."""
        verdict = self._watched(member, Side.NEW)
        if not verdict.healthy:
            assert verdict.cause is not None
            evidence = {"checks": verdict.evidence}
            raise StepFailed(f"others wait for it, {verdict.reason}", verdict.cause, evidence)

    def _watched(self, member: Work, side: Side) -> Verdict:
        updater = self._of(member)
        patience = replace(updater.patience(member, side), stable_for_s=0.0)
        return self._health.watch(lambda: updater.look(member, side), patience)

    def _forward(self, work: Work, verb: Verb, reached: list[str] | None = None) -> dict[str, Any]:
        """Member by member, up to the first failure, which names it and those done before."""
        known: dict[str, Facts] = dict(work.facts.get("members", {}))
        reached, told = [] if reached is None else reached, _nothing_told()
        for asset in work.step.assets:
            (member,) = _members(work.with_facts({"members": known}), [asset])
            if asset not in reached:
                reached.append(asset)
            try:
                known[asset] = {**known.get(asset, {}), **_lifted(asset, verb(member), told)}
            except StepFailed as error:
                raise _named(error, asset, reached) from error
        return {"members": known, **_said(told)}

    def _all(self, work: Work, assets: Iterable[str], verb: Verb) -> dict[str, Any]:
        """Every member, whatever happens to the others; a failure is raised at the end.

        One of the platform comes before one of a member: where it is, trying again may help.
        """
        known: dict[str, Facts] = dict(work.facts.get("members", {}))
        told = _nothing_told()
        failures: list[Exception] = []
        for member in _members(work, assets):
            asset = member.step.asset
            try:
                facts = verb(member)
            except StepFailed as error:
                failures.append(_named(error, asset, None))
                continue
            except (PlatformError, PlatformUnfit) as error:
                failures.insert(0, error)
                continue
            except PlatformUnreachable:
                raise  # nobody else can be asked either
            except Exception as error:  # whatever it is, it keeps no other from going back
                failures.append(error)
                continue
            known[asset] = {**known.get(asset, {}), **_lifted(asset, facts, told)}
        if failures:
            raise failures[0]
        return {"members": known, **_said(told)}


def _nothing_told() -> dict[str, list[str]]:
    """What members say for a human: told by the whole, each in its member's name."""
    return {"last_words": [], "warnings": []}


def _lifted(asset: str, facts: Facts, told: dict[str, list[str]]) -> Facts:
    """A member's facts without what the whole tells."""
    for word, lines in told.items():
        lines += (f"{short_name(asset)}: {line}" for line in facts.get(word, ()))
    return {key: value for key, value in facts.items() if key not in told}


def _said(told: dict[str, list[str]]) -> dict[str, list[str]]:
    return {word: lines for word, lines in told.items() if lines}


def _going_before(member: Work, work: Work, gone: Iterable[str]) -> list[Work]:
    """Those who need a member and have not gone, the last to start first."""
    going = [asset for asset in _needing(member.step.asset, work) if asset not in gone]
    return _members(work, going)[::-1]


def _needing(asset: str, work: Work) -> list[str]:
    """Members that cannot do without one of them, chains included, in the order of starting."""
    found = {asset}
    for _ in work.step.members:
        found |= {one for one, other in work.step.needs if other in found}
    return [one for one in work.step.members if one in found and one != asset]


def _is_needed(asset: str, work: Work) -> bool:
    return any(other == asset for _, other in work.step.needs)


def _members(work: Work, assets: Iterable[str]) -> list[Work]:
    """These members' own parts of the work, each as if it were alone.

    `replaced` tells each what became of the others: the old one's ID and name to the new one's ID.
    """
    known = work.facts.get("members", {})
    shared = {key: value for key, value in work.facts.items() if key != "members"}
    replaced = {}
    for asset, facts in known.items():
        if "new_id" in facts:
            called = (facts["old_id"], short_name(asset))
            replaced.update(dict.fromkeys(called, facts["new_id"]))
    shared["replaced"] = replaced
    return [_member(work, asset, {**shared, **known.get(asset, {})}) for asset in assets]


def _member(work: Work, asset: str, facts: Facts) -> Work:
    own = tuple(change for change in work.step.changes if change.asset == asset)
    follows = tuple(one for one in work.step.followers if one.asset == asset)
    stays = tuple(Change(one.asset, one.container, one.image, one.image) for one in follows)
    step = replace(
        work.step, asset=asset, changes=own or stays, members=(), followers=follows, needs=()
    )
    return Work(work.update, step, facts)


def _named(error: StepFailed, asset: str, reached: Sequence[str] | None) -> StepFailed:
    evidence = {**error.evidence, "member": asset}
    if reached is not None:
        evidence["touched"] = list(reached)
    return StepFailed(f"{short_name(asset)}: {error}", error.cause, evidence)


def _with_downtime(facts: dict[str, Any]) -> dict[str, Any]:
    """The unit was down for as long as its worst member; unknown where one is."""
    each = [member.get("downtime_s") for member in facts["members"].values()]
    known = [seconds for seconds in each if seconds is not None]
    return {**facts, "downtime_s": max(known) if len(known) == len(each) else None}
