"""A group as one updater: what leads back reaches every member, whatever happens to the others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from safe_auto_updater.core.errors import (
    PlatformError,
    PlatformUnfit,
    PlatformUnreachable,
    StepFailed,
)
from safe_auto_updater.core.model import Action, Bond, Change, Follower, Image, Step
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckResult, CheckState
from safe_auto_updater.core.updater import Facts, Look, Patience, Side, Work
from safe_auto_updater.engine.health import HealthChecker
from safe_auto_updater.engine.unit import Unit
from tests.clock import FakeClock

A, B, C = (f"docker:local/{name}" for name in "abc")
CHANGES = tuple(Change(one, one[-1], Image("web:1"), Image("web:2"), "major") for one in (A, B, C))
WORK = Work("u1", Step(A, Action.UPDATE, changes=CHANGES, members=(A, B, C)))
REFUSED = StepFailed("refused", Cause.CONFLICT)


@dataclass
class Members:
    """An updater that notes what it did to whom; `faults` are by verb and asset."""

    faults: dict[tuple[str, str], Exception] = field(default_factory=dict)
    done: list[tuple[str, str]] = field(default_factory=list)
    unwell: set[str] = field(default_factory=set)
    warn: bool = False

    def _do(self, verb: str, work: Work) -> Facts:
        asset = work.step.asset
        if (verb, asset) in self.faults:
            raise self.faults[verb, asset]
        self.done.append((verb, asset))
        warning = {"warnings": [f"{verb} was odd"]} if self.warn else {}
        return {"downtime_s": 2.0, **warning} if verb in ("apply", "rollback") else warning

    def prepare(self, work: Work) -> Facts:
        return self._do("prepare", work)

    def precheck(self, work: Work) -> Facts:
        return self._do("precheck", work)

    def snapshot(self, work: Work) -> Facts:
        return self._do("snapshot", work)

    def stage(self, work: Work) -> Facts:
        return self._do("stage", work)

    def recheck(self, work: Work) -> None:
        self._do("recheck", work)

    def apply(self, work: Work) -> Facts:
        return self._do("apply", work)

    def commit(self, work: Work) -> Facts:
        return self._do("commit", work)

    def rollback(self, work: Work) -> Facts:
        return self._do("rollback", work)

    def confirm(self, work: Work) -> Facts:
        return self._do("confirm", work)

    def clean(self, work: Work) -> Facts:
        return self._do("clean", work)

    def withdraw(self, work: Work, side: Side) -> None:
        self._do(f"withdraw {side}", work)

    def look(self, work: Work, side: Side) -> Look:
        self._do("look", work)
        asset = work.step.asset
        state = CheckState.FAILED if asset in self.unwell else CheckState.PASSED
        return Look((CheckResult("it", state, "as it is"),), ())

    def patience(self, work: Work, side: Side) -> Patience:
        return Patience(60.0, 1.0)

    def reachable(self) -> bool:
        return True


def unit(members: Members, restarter: Members | None = None) -> Unit:
    return Unit(members, restarter or members, HealthChecker(lambda asset: (), FakeClock()))


def after_failed_apply(members: Members, at: str) -> Work:
    """The work as it is known when APPLY failed at one member."""
    members.faults["apply", at] = REFUSED
    with pytest.raises(StepFailed) as caught:
        unit(members).apply(WORK)
    members.done.clear()
    return WORK.with_facts({"failure": {"evidence": caught.value.evidence}})


def test_what_was_touched_serves_again_before_the_rest_is_cleaned() -> None:
    members = Members()
    facts = unit(members).rollback(after_failed_apply(members, B))
    assert members.done == [("rollback", B), ("rollback", A), ("clean", C)]
    assert facts["downtime_s"] == 2.0


def test_what_was_staged_and_cannot_be_removed_is_a_warning() -> None:
    members = Members({("clean", C): PlatformError("busy")})
    facts = unit(members).rollback(after_failed_apply(members, B))
    assert members.done == [("rollback", B), ("rollback", A)]
    assert facts["warnings"] == ["c: left over: busy"]


def test_one_that_was_never_touched_and_is_gone_all_the_same_is_told() -> None:
    members = Members({("clean", C): REFUSED})
    with pytest.raises(StepFailed, match="c: refused"):
        unit(members).rollback(after_failed_apply(members, B))
    assert members.done == [("rollback", B), ("rollback", A)]


def test_members_are_looked_at_again_once_all_are_staged() -> None:
    members = Members({("recheck", A): REFUSED})
    with pytest.raises(StepFailed, match="a: refused"):
        unit(members).stage(WORK)
    assert members.done == [("stage", A), ("stage", B), ("stage", C)]


@pytest.mark.parametrize("fault", [REFUSED, PlatformError("busy"), OSError("read-only")])
def test_one_that_cannot_go_back_keeps_no_other_from_it(fault: Exception) -> None:
    members = Members({("rollback", C): fault})
    with pytest.raises(type(fault), match=str(fault)):
        unit(members).rollback(WORK)
    assert members.done == [("rollback", B), ("rollback", A)]


def test_a_way_back_that_may_yet_work_is_told_before_one_that_cannot() -> None:
    members = Members({("rollback", C): REFUSED, ("rollback", A): PlatformError("busy")})
    with pytest.raises(PlatformError, match="busy"):
        unit(members).rollback(WORK)


def test_nobody_else_is_asked_of_a_platform_that_is_away() -> None:
    members = Members({("rollback", C): PlatformUnreachable("away")})
    with pytest.raises(PlatformUnreachable):
        unit(members).rollback(WORK)
    assert members.done == []


FOLLOWERS = tuple(
    Follower(one, one[-1], Image("app:1"), Bond.RECREATE, "uses it") for one in (B, C)
)
CHAIN = Work(
    "u1",
    Step(
        A,
        Action.UPDATE,
        changes=CHANGES[:1],
        members=(A, B, C),
        followers=FOLLOWERS,
        needs=((B, A), (C, B)),
    ),
)


def test_those_who_need_a_member_are_out_of_service_while_it_changes() -> None:
    members = Members()
    unit(members).apply(CHAIN)
    assert members.done == [
        ("withdraw old", C), ("withdraw old", B), ("apply", A), ("look", A),
        ("apply", B), ("look", B), ("apply", C),
    ]  # fmt: skip


def test_nobody_starts_before_what_it_needs_is_well() -> None:
    members = Members(unwell={A})
    with pytest.raises(StepFailed, match="a: others wait for it, not healthy: it: as it is"):
        unit(members).apply(CHAIN)
    assert ("apply", B) not in members.done


def test_the_way_back_is_walked_in_the_order_of_starting_too() -> None:
    members = Members(unwell={A, B, C})
    unit(members).rollback(CHAIN)
    assert members.done == [
        ("withdraw new", C), ("withdraw new", B), ("rollback", A), ("look", A),
        ("rollback", B), ("look", B), ("rollback", C),
    ]  # fmt: skip


@pytest.mark.parametrize("fault", [REFUSED, PlatformError("busy"), PlatformUnfit("full")])
def test_one_that_cannot_be_stopped_keeps_what_it_needs_from_nothing(fault: Exception) -> None:
    members = Members({("withdraw new", C): fault})
    facts = unit(members).rollback(CHAIN)
    assert members.done == [
        ("withdraw new", B), ("rollback", A), ("look", A),
        ("rollback", B), ("look", B), ("rollback", C),
    ]  # fmt: skip
    assert facts["warnings"] == [f"a: c could not be stopped before it: {fault}"]


def test_what_a_member_warns_of_is_told_of_the_whole_once_and_by_name() -> None:
    members, work = Members(warn=True), WORK
    for verb in ("stage", "apply", "commit"):
        work = work.with_facts(getattr(unit(members), verb)(work))
    assert work.facts["warnings"] == [
        f"{name}: {verb} was odd" for verb in ("stage", "apply", "commit") for name in "abc"
    ]


def test_whoever_was_only_withdrawn_is_brought_back_not_cleaned() -> None:
    members = Members({("apply", A): REFUSED})
    with pytest.raises(StepFailed) as caught:
        unit(members).apply(CHAIN)
    assert set(caught.value.evidence["touched"]) == {A, B, C}


def test_member_that_only_restarts_is_left_to_the_restarter() -> None:
    members, restarter = Members(), Members()
    restarted = replace(FOLLOWERS[0], bond=Bond.RESTART)
    work = replace(
        CHAIN, step=replace(CHAIN.step, members=(A, B), followers=(restarted,), needs=((B, A),))
    )
    unit(members, restarter).apply(work)
    assert {asset for _, asset in members.done} == {A}
    assert restarter.done == [("withdraw old", B), ("apply", B)]
