"""SIGKILL of the real process in the middle of a service's update, and of the engine.

`make test` takes a sample by a printed seed (SAU_SEED repeats it); `make test-full` takes them all.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.docker.kill.promise import assert_nothing_to_recover
from tests.docker.swarm.kit import Services
from tests.docker.swarm.scene import ServiceScene

pytestmark = pytest.mark.swarm

INSTANTS = {"good": 21, "crash": 23}  # held against a run in which nothing happens
EVERY = [(name, at) for name, most in INSTANTS.items() for at in range(1, most + 1)]
SAMPLE = 8


def sampled(number: int) -> tuple[str, int]:
    """The sample's instant of this number: spread over all, chosen by the seed."""
    part = len(EVERY) / SAMPLE
    chance = random.Random(f"{os.environ['SAU_SEED']} swarm {number}")
    return EVERY[int((number + chance.random()) * part)]


def killed_and_resumed(services: Services, name: str, at: int) -> None:
    scene = ServiceScene(services, name)
    said = scene.hit(*scene.apply, action="kill", at=at)
    assert said.code == -9, f"instant {at} was not reached, only {len(said.reached)}: {said.text}"
    print(f"SAU_SEED={os.environ['SAU_SEED']}: {name} killed at {at}, {said.reached[-1]}")
    if at % 2:
        again = scene.sau("recover")
        assert again.code == 0, again.text
        scene.assert_kept()
    else:
        again = scene.sau(*scene.apply)
        side = scene.assert_kept()
        assert side == ("new" if name == "good" else "old"), again.text
    assert_nothing_to_recover(scene)


@pytest.mark.parametrize("name", INSTANTS)
def test_undisturbed_update_of_a_service(services: Services, name: str) -> None:
    scene = ServiceScene(services, name)
    said = scene.hit(*scene.apply, action="kill", at=None)
    assert scene.assert_kept() == ("new" if name == "good" else "old"), said.text
    reached = "\n".join(said.reached)
    assert len(said.reached) == INSTANTS[name], f"the instants have changed:\n{reached}"
    assert_nothing_to_recover(scene)


@pytest.mark.parametrize("number", range(SAMPLE))
def test_service_killed_and_resumed_at_a_sampled_instant(services: Services, number: int) -> None:
    killed_and_resumed(services, *sampled(number))


@pytest.mark.every_instant
@pytest.mark.parametrize(("name", "at"), EVERY)
def test_service_killed_and_resumed_at_every_instant(
    services: Services, name: str, at: int
) -> None:
    killed_and_resumed(services, name, at)


@pytest.mark.engine_crash
@pytest.mark.parametrize("name", INSTANTS)
@pytest.mark.parametrize("at", ["answered POST services/update", "written VERIFY"])
def test_engine_that_is_killed_in_the_middle_is_waited_for(
    services: Services, name: str, at: str
) -> None:
    scene = ServiceScene(services, name)
    said = scene.hit(*scene.apply, action="crash engine", at=at, away_s=1.0)
    assert any(at in reached for reached in said.reached), said.text
    scene.assert_kept()
    assert_nothing_to_recover(scene)
