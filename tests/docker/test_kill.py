"""SIGKILL of the real process at every instant of an update: the promise holds every time.

`make test` takes a sample by a printed seed (SAU_SEED repeats it); `make test-full` takes them all.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace

import pytest

from tests.docker.kill.promise import assert_kept, assert_nothing_to_recover
from tests.docker.kill.scene import (
    BY_NAME,
    SCENARIOS,
    Scenario,
    Scene,
    every,
    instants,
    instants_anywhere,
)
from tests.lab_kit import Lab, World

SAMPLE = 12


def sampled(lab: Lab, number: int) -> tuple[str, int]:
    """The sample's instant of this number: spread over all, chosen by the seed."""
    there = every(lab)
    chance = random.Random(f"{os.environ['SAU_SEED']} {number}")
    return there[int((number + chance.random()) * len(there) / SAMPLE)]


def killed(scene: Scene, at: int | str) -> str:
    """Kill the update at an instant; the instant's name."""
    said = scene.hit(*scene.apply, action="kill", at=at)
    assert said.code == -9, f"instant {at} was not reached, only {len(said.reached)}: {said.text}"
    return said.reached[-1]


def resume(scene: Scene, by_recover: bool) -> str:
    """Start again, by `recover` or by the next plain `apply`; which side runs then."""
    said = scene.sau("recover") if by_recover else scene.sau(*scene.apply)
    side = assert_kept(scene)
    if by_recover:
        assert said.code == 0, said.text
    else:
        assert said.code in (0, 1, 3), said.text
        assert side == ("new" if scene.scenario.ends == "succeeded" else "old"), said.text
    assert_nothing_to_recover(scene)
    return side


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_undisturbed_update_ends_as_it_must(world: World, scenario: Scenario) -> None:
    scene = Scene(world, scenario)
    said = scene.hit(*scene.apply, action="kill", at=None)
    assert_kept(scene)
    assert_nothing_to_recover(scene)
    assert [str(record.outcome) for record in scene.journal()] == [scenario.ends], said.text
    reached = "\n".join(said.reached)
    assert len(said.reached) == instants(scenario, world.lab), (
        f"the instants have changed:\n{reached}"
    )


@pytest.mark.parametrize("number", range(SAMPLE))
def test_killed_and_resumed_at_a_sampled_instant(world: World, number: int) -> None:
    name, at = sampled(world.lab, number)
    scene = Scene(world, BY_NAME[name])
    print(f"SAU_SEED={os.environ['SAU_SEED']}: {name} killed at {at}, {killed(scene, at)}")
    resume(scene, by_recover=number % 2 == 0)


SLOW_STOP = {"behaviour": "slow_stop", "env": {"STOP_SECONDS": "7"}}


@pytest.mark.parametrize("by_recover", [True, False])
def test_stop_that_outlives_its_asker_is_waited_out(world: World, by_recover: bool) -> None:
    scene = Scene(world, replace(BY_NAME["crash"], old_image=SLOW_STOP, stop_timeout_s=10))
    killed(scene, "sent POST containers/stop")
    resume(scene, by_recover)
    time.sleep(7)  # longer than the stop that the engine was asked for
    assert_kept(scene)


RECOVERED = [  # where the update is killed, and how many instants its recovery then has
    ("good", "answered POST containers/create", 10),
    ("good", "unseen VERIFY", 10),
    ("good", "answered DELETE containers", 4),
    ("crash", "answered POST containers/start", 34),
    ("unhealthy", "written ROLLBACK", 37),
]
AGAIN = [(name, at, again) for name, at, most in RECOVERED for again in range(1, most + 1)]


def kill_twice(scene: Scene, at: str, again: int) -> None:
    """Kill the update, and then its recovery."""
    killed(scene, at)
    said = scene.hit("recover", action="kill", at=again)
    assert said.code == -9, f"instant {again} was not reached: {said.text}"
    print(f"recovery killed at {said.reached[-1]}")
    resume(scene, by_recover=again % 2 == 0)


@pytest.mark.parametrize(("name", "at", "most"), RECOVERED)
def test_undisturbed_recovery(world: World, name: str, at: str, most: int) -> None:
    scene = Scene(world, BY_NAME[name])
    killed(scene, at)
    said = scene.hit("recover", action="kill", at=None)
    assert_kept(scene)
    reached = "\n".join(said.reached)
    assert len(said.reached) == most, f"the instants have changed:\n{reached}"


@pytest.mark.parametrize("number", range(4))
def test_recovery_killed_at_a_sampled_instant(world: World, number: int) -> None:
    seed = os.environ["SAU_SEED"]
    name, at, again = random.Random(f"{seed} again {number}").choice(AGAIN)
    print(f"SAU_SEED={seed}: {name} killed at {at}, its recovery at {again}")
    kill_twice(Scene(world, BY_NAME[name]), at, again)


@pytest.mark.every_instant
@pytest.mark.parametrize(("name", "at", "again"), AGAIN)
def test_recovery_killed_at_every_instant(world: World, name: str, at: str, again: int) -> None:
    kill_twice(Scene(world, BY_NAME[name]), at, again)


@pytest.mark.every_instant
@pytest.mark.parametrize(("name", "at"), instants_anywhere())
def test_killed_and_resumed_at_every_instant(world: World, name: str, at: int) -> None:
    scene = Scene(world, BY_NAME[name])
    print(f"{name} killed at {at}, {killed(scene, at)}")
    resume(scene, by_recover=at % 2 == 0)
