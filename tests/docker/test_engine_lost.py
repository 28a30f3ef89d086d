"""The Docker engine is killed and comes back in the middle of an update: the promise holds.

A journal row is nothing to the engine, so its instants are those between questions and answers.
"""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from lab import engine, wire
from tests.docker.kill.promise import assert_kept, assert_nothing_to_recover
from tests.docker.kill.scene import BY_NAME, ENGINE, Scene, every, instants_anywhere
from tests.lab_kit import World, eventually

pytestmark = pytest.mark.engine_crash

CRASHED: dict[str, Any] = {"away_s": 0.5}
UNNOTICED: dict[str, Any] = {"away_s": 0, "unnoticed": True}
STOPPED: dict[str, Any] = {"away_s": 0.5, "gently": True}
LONG_AWAY: dict[str, Any] = {"away_s": 5}
TORN = ("sent POST containers/create", "sent DELETE containers")
"""Where the engine, killed in the middle, may itself forget a volume: docs/limits.md."""
SAMPLE = [*[CRASHED] * 4, *[UNNOTICED] * 3, STOPPED, LONG_AWAY]


def lose_engine(scene: Scene, at: int | str, how: dict[str, Any]) -> None:
    """Lose the engine at an instant; `apply` waits for it and brings the update to an end."""
    lab = scene.world.lab
    more = how | {"kinds": ENGINE}
    try:
        said = scene.hit(*scene.apply, action="crash engine", at=at, **more)
    finally:
        eventually(lambda: wire.answers(lab.socket), 60)
    assert said.code in (0, 1, 3), said.text
    lost_at = at if isinstance(at, str) else said.reached[at - 1]
    if lost_at in TORN:
        remove_forgotten(scene)
    side = assert_kept(scene)
    if said.code == 0:
        assert side == "new", said.text
    assert_nothing_to_recover(scene)


def remove_forgotten(scene: Scene) -> None:
    """What one container may have left: a volume without a name, which nobody uses."""
    unused = scene.world.call("GET", """/volumes?filters={"dangling":["true"]}""")["Volumes"] or []
    forgotten = {one["Name"] for one in unused} - scene.volumes
    assert len(forgotten) <= 1
    for name in forgotten:
        assert re.fullmatch("[0-9a-f]{64}", name)
        scene.world.call("DELETE", f"/volumes/{name}")


@pytest.mark.parametrize("number", range(len(SAMPLE)))
def test_engine_lost_at_a_sampled_instant(world: World, number: int) -> None:
    seed = os.environ["SAU_SEED"]
    name, at = random.Random(f"{seed} {number}").choice(every(world.lab, ENGINE))
    print(f"SAU_SEED={seed}: {name}, engine lost at {at}, {SAMPLE[number]}")
    lose_engine(Scene(world, BY_NAME[name]), at, SAMPLE[number])


@pytest.mark.parametrize(
    "at", ["answered POST containers/stop", "sent POST containers/update"]
)  # the restart policy `always` brings a stopped container back when the engine starts
@pytest.mark.parametrize("name", ["good", "crash"])
def test_old_and_new_never_run_together(world: World, name: str, at: str) -> None:
    lose_engine(Scene(world, BY_NAME[name]), at, UNNOTICED)


def test_container_that_is_made_after_recovery_is_removed_by_the_next(world: World) -> None:
    scene = Scene(world, BY_NAME["good"])
    at = "unasked POST containers/create"
    scene.hit(*scene.apply, action="stall engine", at=at)
    pid = engine.dockerd(world.lab.layout).pid()
    assert pid is not None
    going_on = threading.Timer(2, lambda: os.kill(pid, signal.SIGCONT))
    going_on.start()
    said = scene.sau("recover")  # asks while the engine still stands
    going_on.join()
    assert [str(record.outcome) for record in scene.journal()] == ["aborted"], said.text
    time.sleep(1)  # by now the engine has made it, before or after it was looked for
    assert_nothing_to_recover(scene)
    assert assert_kept(scene) == "old"


def test_new_image_is_not_blamed_for_what_the_engine_ended(world: World) -> None:
    scene = Scene(world, replace(BY_NAME["good"], restart="no"))
    lose_engine(scene, "unseen VERIFY", CRASHED)
    assert [(str(r.outcome), str(r.cause)) for r in scene.journal()] == [
        ("rolled_back", "platform")
    ]
    assert scene.sau(*scene.apply).code == 0, "it is tried again"
    assert assert_kept(scene) == "new"


def test_old_container_without_restart_policy_is_started_again(world: World) -> None:
    scene = Scene(world, replace(BY_NAME["crash"], restart="no"))
    lose_engine(scene, "unseen CONFIRM", CRASHED)
    assert [str(record.outcome) for record in scene.journal()] == ["rolled_back"]


@pytest.mark.every_instant
@pytest.mark.parametrize(("name", "at"), instants_anywhere(ENGINE))
def test_engine_killed_at_every_instant(world: World, name: str, at: int) -> None:
    lose_engine(Scene(world, BY_NAME[name]), at, CRASHED)


@pytest.mark.every_instant
@pytest.mark.parametrize(("name", "at"), instants_anywhere(ENGINE, each=2))
def test_engine_restarted_unnoticed_at_every_second_instant(
    world: World, name: str, at: int
) -> None:
    lose_engine(Scene(world, BY_NAME[name]), at, UNNOTICED)
