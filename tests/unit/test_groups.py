"""Assets of one group are one step: made whole, held whole, under one id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from safe_auto_updater.core import planning
from safe_auto_updater.core.case import Case
from safe_auto_updater.core.identity import docker_id
from safe_auto_updater.core.memory import Approved, Hold, Memory
from safe_auto_updater.core.model import (
    Action,
    Asset,
    Change,
    Health,
    Image,
    ImageUse,
    Plan,
    Status,
    Step,
)
from safe_auto_updater.core.policy import Keys, Settings, resolve
from safe_auto_updater.core.risk import Reversibility, Risk
from safe_auto_updater.core.versions import PolicyLevel

OLD = Image("app:1.0.0", "1.0.0", "sha256:old")
NEW = Image("app:1.1.0", "1.1.0", "sha256:new", "sha256:content")
MEMORY = Memory(now=1000.0)


def member(
    name: str,
    group: str | None = "shop",
    host: str = "local",
    candidate: Image | None = NEW,
    error: str | None = None,
    memory: Memory = MEMORY,
    kind: str = "container",
    **more: Any,
) -> Case:
    asset = docker_id(host, name)
    use = ImageUse(name, OLD)
    change = Change(asset, name, OLD, candidate, candidate and "minor", error=error)
    return Case(
        Asset(asset, "docker", kind, name, (use,), Status.RUNNING, Health.HEALTHY),
        (change,),
        resolve(Settings(default=Keys(policy=PolicyLevel.MINOR, group=group)), asset, {}),
        memory,
        **more,
    )


def steps(*cases: Case) -> dict[str, Step]:
    """Each step of a plan by the names of its assets."""
    found: Plan = planning.plan(cases, {case.asset.id: replace(case, changes=()) for case in cases})
    return {" ".join(asset.removeprefix("docker:") for asset in s.assets): s for s in found.steps}


def test_members_that_have_something_to_take_are_one_step() -> None:
    (step,) = steps(member("web"), member("db"), member("cron")).values()
    assert step.action is Action.UPDATE
    assert step.members == tuple(docker_id("local", name) for name in ("cron", "db", "web"))
    assert step.asset == step.members[0]
    assert [change.asset for change in step.changes] == list(step.members)
    assert [reason.partition(":")[0] for reason in step.reasons] == ["cron", "db", "web"]


def test_a_member_with_nothing_to_take_stays_out_and_holds_nothing() -> None:
    found = steps(member("web"), member("db", candidate=None), member("cron"))
    assert {name: step.action for name, step in found.items()} == {
        "local/cron local/web": Action.UPDATE,
        "local/db": Action.NONE,
    }
    alone = steps(member("web"), member("db", candidate=None))["local/web"]
    assert (alone.action, alone.members) == (Action.UPDATE, ())


def test_one_held_member_holds_the_group_and_is_named() -> None:
    held = replace(MEMORY, holds=(Hold(docker_id("local", "db"), "not now", 1.0),))
    (step,) = steps(member("web", memory=held), member("db", memory=held)).values()
    assert (step.action, step.hold_rules) == (Action.HOLD, ("memory",))
    assert step.reasons == ("db: held: not now",)


def test_a_member_that_nobody_knows_about_holds_the_group() -> None:
    found = steps(member("web"), member("db", candidate=None, error="unknown: 429"))
    web = found["local/web"]
    assert (web.action, web.hold_rules) == (Action.HOLD, ("unknown",))
    assert web.reasons == ("db of the same group: unknown: 429",)
    assert found["local/db"].action is Action.HOLD


def test_a_group_that_needs_two_updaters_is_held() -> None:
    (step,) = steps(member("web"), member("db", kind="service")).values()
    assert (step.action, step.hold_rules) == (Action.HOLD, ("group",))
    assert step.reasons == (
        "db, web are one group and need different updaters (native, swarm); give them different "
        "groups",
    )


def test_every_member_tells_its_own_reasons() -> None:
    held = replace(MEMORY, holds=(Hold("*", "not now", 1.0),))
    found = steps(
        member("web", memory=held),
        member("db", memory=held),
        member("cron", candidate=None, error="unknown: 429"),
    )
    step = found["local/db local/web"]
    assert step.hold_rules == ("memory", "unknown")
    assert step.reasons == (
        "db: held: not now",
        "web: held: not now",
        "cron of the same group: unknown: 429",
    )


@pytest.mark.parametrize(
    "others",
    [{"group": None}, {"group": "mail"}, {"host": "attic"}],
    ids=["without a group", "of another group", "of the same group on another host"],
)
def test_an_asset_moves_alone(others: dict[str, Any]) -> None:
    held = replace(MEMORY, holds=(Hold(docker_id("local", "web"), "not now", 1.0),))
    actions = [s.action for s in steps(member("web", memory=held), member("b", **others)).values()]
    assert sorted(actions) == [Action.HOLD, Action.UPDATE]


def test_a_container_named_as_a_group_is_not_of_it() -> None:
    assert set(steps(member("web"), member("shop", group=None))) == {"local/web", "local/shop"}


def test_a_group_is_as_risky_as_its_riskiest_member() -> None:
    easy, hard = (
        Risk(score, (), (), cost) for score, cost in ((5, Reversibility.R0), (40, Reversibility.R2))
    )
    (step,) = steps(member("web", risk=easy), member("db", risk=hard)).values()
    assert step.risk == replace(hard)
    assert (step.action, step.hold_rules) == (Action.HOLD, ("approval",))
    assert step.reasons == (
        f"db: risk 40 of 100, from 30 on a human approves: sau approve {step.id}",
    )


def test_an_approval_is_for_the_whole_group_as_it_was_shown() -> None:
    hard = Risk(40, (), (), Reversibility.R2)
    (step,) = steps(member("web", risk=hard), member("db", risk=hard)).values()
    word = Approved(step.id, step.asset, "ann", 1.0, 100, Reversibility.R3)
    memory = replace(MEMORY, approved=(word,))
    whole = [member(name, risk=hard, memory=memory) for name in ("web", "db")]
    assert [s.action for s in steps(*whole).values()] == [Action.UPDATE]
    (alone,) = steps(whole[0]).values()
    assert (alone.action, alone.hold_rules) == (Action.HOLD, ("approval",))
    (more,) = steps(*whole, member("cron", memory=memory)).values()
    assert (more.action, more.hold_rules) == (Action.HOLD, ("approval",))


def test_the_id_of_a_step_covers_every_member_and_what_it_takes() -> None:
    cases = [member("web"), member("db")]
    (step,) = steps(*cases).values()
    assert [s.id for s in steps(*reversed(cases)).values()] == [step.id]
    other = replace(NEW, content="sha256:other")
    different = {
        s.id
        for unit in ([cases[0]], [cases[1]], [*cases, member("cron")],
                     [cases[0], member("db", candidate=other)],
                     [member("web", candidate=other), cases[1]])
        for s in steps(*unit).values()
    }  # fmt: skip
    assert len(different) == 5
    assert step.id not in different
