"""A group as one updater: what leads back reaches every member, whatever happens to the others."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable, StepFailed
from safe_auto_updater.core.model import Action, Change, Image, Step
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import Facts, Look, Patience, Side, Work
from safe_auto_updater.engine.unit import Unit

A, B, C = (f"docker:local/{name}" for name in "abc")
CHANGES = tuple(Change(one, one[-1], Image("web:1"), Image("web:2"), "major") for one in (A, B, C))
WORK = Work("u1", Step(A, Action.UPDATE, changes=CHANGES, members=(A, B, C)))
REFUSED = StepFailed("refused", Cause.CONFLICT)


@dataclass
class Members:
    """An updater that notes what it did to whom; `faults` are by verb and asset."""

    faults: dict[tuple[str, str], Exception] = field(default_factory=dict)
    done: list[tuple[str, str]] = field(default_factory=list)

    def _do(self, verb: str, work: Work) -> Facts:
        asset = work.step.asset
        if (verb, asset) in self.faults:
            raise self.faults[verb, asset]
        self.done.append((verb, asset))
        return {"downtime_s": 2.0} if verb in ("apply", "rollback") else {}

    def prepare(self, work: Work) -> Facts:
        return self._do("prepare", work)

    def precheck(self, work: Work) -> Facts:
        return self._do("precheck", work)

    def snapshot(self, work: Work) -> Facts:
        return self._do("snapshot", work)

    def stage(self, work: Work) -> Facts:
        return self._do("stage", work)

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

    def look(self, work: Work, side: Side) -> Look:
        return Look((), ())

    def patience(self, work: Work, side: Side) -> Patience:
        return Patience(60.0, 1.0)

    def reachable(self) -> bool:
        return True


def after_failed_apply(members: Members, at: str) -> Work:
    """The work as it is known when APPLY failed at one member."""
    members.faults["apply", at] = REFUSED
    with pytest.raises(StepFailed) as caught:
        Unit(members).apply(WORK)
    members.done.clear()
    return WORK.with_facts({"failure": {"evidence": caught.value.evidence}})


def test_what_was_touched_serves_again_before_the_rest_is_cleaned() -> None:
    members = Members()
    facts = Unit(members).rollback(after_failed_apply(members, B))
    assert members.done == [("rollback", B), ("rollback", A), ("clean", C)]
    assert facts["downtime_s"] == 2.0


@pytest.mark.parametrize("fault", [REFUSED, PlatformError("busy")])
def test_what_was_staged_and_cannot_be_removed_is_a_warning(fault: Exception) -> None:
    members = Members({("clean", C): fault})
    facts = Unit(members).rollback(after_failed_apply(members, B))
    assert members.done == [("rollback", B), ("rollback", A)]
    assert facts["warnings"] == [f"c: left over: {fault}"]


@pytest.mark.parametrize("fault", [REFUSED, PlatformError("busy")])
def test_one_that_cannot_go_back_keeps_no_other_from_it(fault: Exception) -> None:
    members = Members({("rollback", C): fault})
    with pytest.raises(type(fault), match=str(fault)):
        Unit(members).rollback(WORK)
    assert members.done == [("rollback", B), ("rollback", A)]


def test_a_way_back_that_may_yet_work_is_told_before_one_that_cannot() -> None:
    members = Members({("rollback", C): REFUSED, ("rollback", A): PlatformError("busy")})
    with pytest.raises(PlatformError, match="busy"):
        Unit(members).rollback(WORK)


def test_nobody_else_is_asked_of_a_platform_that_is_away() -> None:
    members = Members({("rollback", C): PlatformUnreachable("away")})
    with pytest.raises(PlatformUnreachable):
        Unit(members).rollback(WORK)
    assert members.done == []
