"""A group moves together and goes back together, whatever happens in the middle."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from lab.behaviours import HEALTHCHECK, SECOND
from safe_auto_updater.core.outcome import Outcome
from tests.docker.kill.hitting import hit, update_when
from tests.lab_kit import World, eventually
from tests.sau_kit import Said, Sau

pytestmark = pytest.mark.any_engine

RULES = """\
detection:
  rules:
    - {match: {asset: "*"}, group: shop}
"""
NAMES = ("api", "web")


class Group:
    """Two running containers of one group, with a newer version of each at the registry."""

    def __init__(self, world: World, folder: Path, **newer: Any) -> None:
        self.world = world
        self.sau = Sau(world, folder, health="stable_for: 300ms", extra=RULES)
        self.folder = folder
        for name in NAMES:
            old = world.publish("1.0.0", name=name, version=f"{name} old", volumes=("/data",))
            host = {"RestartPolicy": {"Name": "always"}}
            world.run(old.reference, name, StopTimeout=2, HostConfig=host)
            recipe = {"version": f"{name} new", "volumes": ("/data",)}
            world.publish("1.1.0", name=name, **(recipe | (newer if name == "web" else {})))
        for name in NAMES:
            world.text(name)
        self.before = {name: world.get(name) for name in NAMES}

    def side(self) -> str:
        """`old` or `new`: the whole group, each member alone under its name, and running."""
        found = set()
        assert len(self.world.ids()) == len(NAMES), "nothing is left over"
        for name in NAMES:
            now = self.world.get(name)
            side = "old" if now["Id"] == self.before[name]["Id"] else "new"
            wanted = f"{name} {side}"
            eventually(lambda: self.world.http(name) == wanted)  # noqa: B023
            if side == "old":
                for key in ("Name", "Image", "Mounts", "Config"):
                    assert now[key] == self.before[name][key], key
                policy = self.before[name]["HostConfig"]["RestartPolicy"]
                assert now["HostConfig"]["RestartPolicy"] == policy
            found.add(side)
        (side,) = found
        return side


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def the_step(said: Said) -> dict[str, Any]:
    (step,) = [step for step in said.json["steps"] if step["action"] != "none"]
    found: dict[str, Any] = step
    return found


def test_group_moves_as_one_update(world: World, folder: Path) -> None:
    group = Group(world, folder)

    said = group.sau("apply", "--yes")

    assert said.code == 0, said.err
    assert group.side() == "new"
    members = {member["asset"].rpartition("-")[2]: member for member in said.update["members"]}
    assert {name: member["old_id"] for name, member in members.items()} == {
        name: group.before[name]["Id"] for name in NAMES
    }
    assert {member["new_id"] for member in members.values()} == world.ids()
    assert said.update["downtime_s"] is not None


def test_naming_one_member_plans_the_whole_group(world: World, folder: Path) -> None:
    group = Group(world, folder)
    step = the_step(group.sau("plan", f"{world.prefix}-web"))
    assert [member["asset"].rpartition("-")[2] for member in step["members"]] == list(NAMES)
    assert len(step["changes"]) == len(NAMES)


UNHEALTHY = {"behaviour": "unhealthy", "healthcheck": HEALTHCHECK | {"Interval": SECOND // 10}}


@pytest.mark.parametrize("newer", [{"behaviour": "crash"}, UNHEALTHY], ids=["crash", "unhealthy"])
def test_member_that_fails_takes_the_whole_group_back(
    world: World, folder: Path, newer: dict[str, Any]
) -> None:
    group = Group(world, folder, **newer)

    said = group.sau("apply", "--yes")

    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said.out
    assert group.side() == "old"
    assert "web" in said.update["error"]
    again = the_step(group.sau("plan"))
    assert again["action"] == "hold"
    assert "web: quarantined" in " ".join(again["reasons"])
    assert "api: quarantined" not in " ".join(again["reasons"])


def test_member_that_cannot_be_staged_leaves_all_untouched(world: World, folder: Path) -> None:
    group = Group(world, folder, entrypoint=())
    started = {name: one["State"]["StartedAt"] for name, one in group.before.items()}
    group.sau.configure("stable_for: 300ms", RULES.replace("group:", "approval: none, group:"))

    said = group.sau("apply", "--yes")

    assert said.update["outcome"] == "aborted"
    assert group.side() == "old"
    assert {name: world.get(name)["State"]["StartedAt"] for name in NAMES} == started


def test_held_member_holds_the_group(world: World, folder: Path) -> None:
    group = Group(world, folder)
    assert group.sau("hold", f"{world.prefix}-api", "--reason", "migration").code == 0

    step = the_step(group.sau("plan"))
    said = group.sau("apply", "--yes")

    assert (step["action"], step["hold_rules"]) == ("hold", ["memory"])
    assert "api: held: migration" in step["reasons"][0]
    assert (said.code, said.json["updates"], group.side()) == (0, [], "old")


def test_group_is_taken_back_by_any_members_name(world: World, folder: Path) -> None:
    group = Group(world, folder)
    assert group.sau("apply", "--yes").code == 0

    said = group.sau("rollback", f"{world.prefix}-web", "--yes")

    assert said.code == 0, said.err
    assert {world.text(name) for name in NAMES} == {"api old", "web old"}
    assert len(world.ids()) == len(NAMES)
    step = the_step(group.sau("plan"))
    assert step["action"] == "hold"
    assert sum("a human took" in reason for reason in step["reasons"]) == len(NAMES)


SAMPLE = 4


@pytest.mark.parametrize("ends", ["new", "old"])
@pytest.mark.parametrize("number", range(SAMPLE))
def test_group_killed_at_a_sampled_instant_is_whole_after_recovery(
    world: World, folder: Path, ends: str, number: int
) -> None:
    newer = {} if ends == "new" else {"behaviour": "crash"}
    group = Group(world, folder, **newer)
    chance = random.Random(f"{os.environ['SAU_SEED']} group {ends} {number}").random()
    at = 3 + int((number + chance) * 60 / SAMPLE)
    ended = hit(group.sau, "apply", "--yes", at=at)
    print(f"killed at {at}: {ended.reached[-1:]}")

    if ended.killed:
        assert group.sau("recover").code == 0
    side = group.side()
    assert side == "old" or ends == "new"
    again = group.sau("recover", json_output=False)
    assert (again.code, "Nothing was interrupted" in again.out) == (0, True)


SHARES = 8  # of all instants, for as many tests side by side


@pytest.mark.every_instant
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("ends", ["new", "old"])
@pytest.mark.parametrize("share", range(1, SHARES + 1))
def test_group_killed_at_every_instant_is_whole_after_recovery(
    world: World, folder: Path, ends: str, share: int
) -> None:
    newer = {} if ends == "new" else {"behaviour": "crash"}
    at, killed = share, True
    while killed:
        place = folder / str(at)
        place.mkdir()
        group = Group(world, place, **newer)
        ended = hit(group.sau, "apply", "--yes", at=at)
        killed = ended.killed
        if killed:
            assert group.sau("recover").code == 0, ended.reached[-1]
        assert group.side() == "old" or ends == "new", ended.reached[-1]
        world.clean()
        at += SHARES
    assert at > 60, "the instants were not there to be hit"


def test_member_whose_way_back_is_gone_does_not_keep_the_others_from_going_back(
    world: World, folder: Path
) -> None:
    group = Group(world, folder, behaviour="crash")

    old = group.before["api"]["Id"]
    record = update_when(
        group.sau, "ROLLBACK", lambda: world.call("DELETE", f"/containers/{old}?force=1")
    )

    assert record.outcome is Outcome.INCONSISTENT
    assert "api: the old container" in record.facts["trouble"]["error"]
    web = world.get("web")
    assert (web["Id"], web["State"]["Running"]) == (group.before["web"]["Id"], True)
    for step in group.sau("plan").json["steps"]:  # also the member that has nothing newer now
        assert (step["action"], step["hold_rules"][0]) == ("hold", "memory")
        assert f"update {record.id} ended inconsistent" in step["reasons"][0]
