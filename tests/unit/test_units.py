"""Who depends on what moves has to follow: in order, as one step, held with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core import planning
from safe_auto_updater.core.case import Case, Veto
from safe_auto_updater.core.identity import docker_id
from safe_auto_updater.core.memory import Blocked, Hold, Memory
from safe_auto_updater.core.model import (
    Action,
    Asset,
    Bond,
    Change,
    Health,
    Image,
    ImageUse,
    Need,
    Status,
    Step,
)
from safe_auto_updater.core.policy import Keys, Settings, resolve
from safe_auto_updater.core.spelling import Approval
from safe_auto_updater.core.ties import in_order
from safe_auto_updater.core.units import united
from safe_auto_updater.core.versions import PolicyLevel
from safe_auto_updater.core.windows import parse_window

OLD = Image("app:1.0.0", "1.0.0", "sha256:old", image_id="sha256:id")
NEW = Image("app:1.1.0", "1.1.0", "sha256:new", "sha256:content")
MEMORY = Memory(now=1000.0)


def case(
    name: str,
    *needs: str,
    bond: Bond = Bond.RECREATE,
    moves: bool = False,
    status: Status = Status.RUNNING,
    health: Health = Health.NONE,
    memory: Memory = MEMORY,
    **keys: Any,
) -> Case:
    """An asset with what it needs, and a candidate where it moves."""
    id_ = docker_id("local", name)
    asset = Asset(
        id_, "docker", "container", name, (ImageUse(name, OLD),), status, health,
        needs=tuple(Need(docker_id("local", other), bond, "uses its network") for other in needs),
    )  # fmt: skip
    change = Change(id_, name, OLD, NEW if moves else None, "minor" if moves else None)
    policy = resolve(Settings(default=Keys(policy=PolicyLevel.MINOR, **keys)), id_, {})
    return Case(asset, (change,), policy, memory)


def plan(*cases: Case) -> dict[str, Step]:
    """Each step by the names of its members, or of its one asset."""
    around = {one.asset.id: replace(one, changes=()) for one in cases}
    found = planning.plan(cases, around)
    return {" ".join(a.removeprefix("docker:local/") for a in s.assets): s for s in found.steps}


def test_chain_follows_in_order_and_keeps_its_images() -> None:
    steps = plan(case("c", "b"), case("b", "x"), case("x", moves=True), case("other"))
    unit = steps["x b c"]
    assert unit.action is Action.UPDATE
    assert [(f.container, f.image, f.bond) for f in unit.followers] == [
        ("b", OLD, Bond.RECREATE),
        ("c", OLD, Bond.RECREATE),
    ]
    assert unit.movers == ("docker:local/x",)
    assert steps["b"].action is steps["other"].action is Action.NONE


def test_dependent_with_an_update_of_its_own_takes_it_in_the_same_step() -> None:
    steps = plan(case("app", "vpn", moves=True), case("vpn", moves=True))
    unit = steps["vpn app"]
    assert [change.container for change in unit.changes] == ["vpn", "app"]
    assert unit.followers == ()
    assert set(unit.joins) == {
        plan(case("vpn", moves=True))["vpn"].id,
        plan(case("app", moves=True))["app"].id,
    }


def test_two_that_move_are_one_step_where_somebody_hangs_on_both() -> None:
    steps = plan(case("a", moves=True), case("b", moves=True), case("z", "a", "b"))
    assert set(steps) == {"a b z", "z"}


def test_update_of_a_dependent_that_must_wait_is_left_out_and_told() -> None:
    waits = Memory(now=1000.0, quarantine=())
    app = case("app", "vpn", moves=True, minimum_age=3600.0, memory=waits)
    steps = plan(app, case("vpn", moves=True))
    assert steps["vpn app"].action is Action.UPDATE
    assert [follower.container for follower in steps["vpn app"].followers] == ["app"]
    assert steps["app"].hold_rules == ("age",)


HELD = {
    "switched off": {"enable": False},
    "held by a human": {"memory": Memory(1000.0, (Hold("docker:local/app", "exams", 0.0),))},
    "paused": {"status": Status.PAUSED},
    "in a crash loop": {"status": Status.RESTARTING},
}


@pytest.mark.parametrize("why", HELD)
def test_dependent_that_may_not_be_touched_holds_what_it_depends_on(why: str) -> None:
    unit = plan(case("vpn", moves=True), case("app", "vpn", **HELD[why]))["vpn app"]
    assert unit.action is Action.HOLD
    assert unit.hold_rules == ("dependent",)
    assert unit.reasons[0].startswith("app uses its network and has to follow: ")


def test_window_of_a_dependent_is_waited_for_as_ones_own() -> None:
    shut = {"window": (parse_window("Sat 02:00-03:00 UTC"),)}
    unit = plan(case("vpn", moves=True), case("app", "vpn", **shut))["vpn app"]
    assert unit.hold_rules == ("dependent", "window")
    assert len(unit.reasons) == 1


def test_what_is_needed_by_one_that_follows_comes_before_the_unit() -> None:
    app, db = case("app", "air"), docker_id("local", "db")
    needs = (*app.asset.needs, Need(db, Bond.ORDER, "depends on it"))
    app = replace(app, asset=replace(app.asset, needs=needs))
    steps = plan(case("air", moves=True), app, case("db", moves=True))
    assert [one for one in steps if steps[one].action is Action.UPDATE] == ["db", "air app"]


def taken_back(app: Case) -> Step:
    """A human takes the update of `vpn` back, on which this one depends."""
    vpn = case("vpn")
    back = Change(vpn.asset.id, "vpn", NEW, OLD, "minor")
    undo = Step(vpn.asset.id, Action.UPDATE, changes=(back,), undoes="u1")
    (step,) = united([undo], {one.asset.id: one for one in (vpn, app)})
    return step


NO_POLICY = {
    "switched off": {"enable": False},
    "everything on hold": {"memory": Memory(1000.0, (Hold("*", "an incident", 0.0),))},
    "in a crash loop": {"status": Status.RESTARTING},
    "unhealthy, for what it depends on is broken": {"health": Health.UNHEALTHY},
    "updates of it need approval": {"approval": Approval.REQUIRED},
    "not in its window": {"window": (parse_window("Sat 02:00-03:00 UTC"),)},
}


@pytest.mark.parametrize("why", NO_POLICY)
def test_no_policy_keeps_a_human_from_taking_back_what_others_depend_on(why: str) -> None:
    step = taken_back(case("app", "vpn", **NO_POLICY[why]))
    assert (step.action, step.reasons[-1]) == (
        Action.UPDATE,
        "app uses its network: made again with it",
    )


BLOCKED = Memory(1000.0, blocked=(Blocked("docker:local/app", "u2", "ended inconsistent"),))
ANY_TOUCH = {
    "paused": case("app", "vpn", status=Status.PAUSED),
    "ended inconsistent": case("app", "vpn", memory=BLOCKED),
    "it is excluded": replace(case("app", "vpn"), vetoes=(Veto("excluded", "it is excluded"),)),
}


@pytest.mark.parametrize("why", ANY_TOUCH)
def test_what_forbids_any_touch_of_a_dependent_holds_the_way_back_too(why: str) -> None:
    step = taken_back(ANY_TOUCH[why])
    assert (step.action, step.hold_rules) == (Action.HOLD, ("dependent",))
    assert why in step.reasons[0]


def test_dependent_that_the_configuration_leaves_out_holds_too() -> None:
    vpn, app = case("vpn", moves=True), case("app", "vpn")
    left_out = replace(app, changes=(), vetoes=(Veto("excluded", "it is excluded"),))
    (step,) = planning.plan([vpn], {vpn.asset.id: vpn, app.asset.id: left_out}).steps
    assert step.reasons == ("app uses its network and has to follow: it is excluded",)


def test_dependent_at_rest_follows_and_one_that_would_only_restart_does_not() -> None:
    rests = {"status": Status.EXITED}
    assert "vpn app" in plan(case("vpn", moves=True), case("app", "vpn", **rests))
    assert "vpn" in plan(case("vpn", moves=True), case("app", "vpn", bond=Bond.RESTART, **rests))


def test_whoever_only_comes_after_is_not_touched_and_comes_after() -> None:
    steps = plan(
        case("a", "z", bond=Bond.ORDER, moves=True), case("m", moves=True), case("z", moves=True)
    )
    assert list(steps) == ["m", "z", "a"]


def test_circle_is_held_and_named() -> None:
    steps = plan(case("a", "c", moves=True), case("b", "a"), case("c", "b"))
    unit = steps["a b c"]
    assert unit.hold_rules == ("cycle",)
    assert "a needs c needs b needs a" in unit.reasons[0]


def test_followers_change_no_id_so_that_approvals_stay() -> None:
    alone = plan(case("vpn", moves=True))["vpn"]
    assert plan(case("vpn", moves=True), case("app", "vpn"))["vpn app"].id == alone.id


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_order_puts_what_is_needed_first_or_names_a_circle(pairs: list[tuple[int, int]]) -> None:
    needs = [(str(one), str(other)) for one, other in pairs if one != other]
    nodes = [str(number) for number in range(10)]
    ordered, circle = in_order(nodes, needs)
    place = {node: number for number, node in enumerate(ordered)}
    assert all(place[other] < place[one] for one, other in needs if one in place)
    assert bool(circle) is (len(ordered) < len(nodes))
    for one, other in zip(circle, [*circle[1:], *circle[:1]], strict=True):
        assert (one, other) in needs
