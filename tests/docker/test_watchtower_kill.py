"""SIGKILL while Watchtower replaces a container, which goes on without us: the promise holds."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from lab import wire
from tests.docker.kill.hitting import hit
from tests.docker.watchtower.scene import PARAMS, Scene, assert_equivalent, only_standin, scene_on
from tests.docker.watchtower.standin import StandIn, Ways
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine

Staged = Callable[..., Scene]
HEALTH = "stable_for: 700ms"
ENDS = {"good": "succeeded", "crash": "rolled_back"}
INSTANTS = {"good": 32, "crash": 59}
SAMPLE = 4


@pytest.fixture(params=PARAMS)
def staged(world: World, sau: Sau, request: pytest.FixtureRequest) -> Iterator[Staged]:
    """Makes a scene with an update to be killed; what the new content does is said."""
    with ExitStack() as closing:

        def made(behaviour: str, **ways: Any) -> Scene:
            scene = closing.enter_context(scene_on(world, sau, request.param, Ways(**ways)))
            scene.configure(HEALTH)
            scene.publish("old")
            scene.before = scene.run(
                StopTimeout=2, HostConfig={"RestartPolicy": {"Name": "always"}}
            )
            scene.publish("new", behaviour=behaviour)
            return scene

        yield made


def apply(scene: Scene) -> tuple[str, ...]:
    """The update as it is typed."""
    return ("apply", "--yes", f"{scene.world.prefix}-web")


def assert_kept(scene: Scene) -> str:
    """One whole container is left, on the side that the journal tells; which one."""
    if isinstance(scene.watchtower, StandIn):
        scene.watchtower.idle()
    world, text = scene.world, scene.sau("history").json
    outcomes = [one["outcome"] for one in text["updates"]]
    side = "new" if "succeeded" in outcomes[:1] else "old"
    assert scene.serves(side), outcomes
    now = world.get("web")
    assert world.ids() == {now["Id"]}, "exactly one container is left"
    if side == "old":
        assert_equivalent(scene.before, now)
        assert world.image(scene.reference)["Id"] == scene.before["Image"]
    assert not {"inconsistent", "unfinished"} & set(outcomes), outcomes
    return side


def resume(scene: Scene, by_recover: bool) -> None:
    """Start again, by `recover` or by the next plain `apply`."""
    if by_recover:
        said = scene.sau("recover", json_output=False)
        assert said.code == 0, said
    else:
        said = scene.apply()
        assert said.code in (0, 3), said
    assert_kept(scene)
    again = scene.sau("recover", json_output=False)
    assert "Nothing was interrupted" in again.out, again


@pytest.mark.parametrize("behaviour", ["good", "crash"])
def test_undisturbed_update_has_these_instants(staged: Staged, behaviour: str) -> None:
    scene = staged(behaviour)
    ended = hit(scene.sau, *apply(scene), at=None, alone=False)
    reached, text = ended.reached, ended.text
    side = assert_kept(scene)
    assert (side == "new") == (ENDS[behaviour] == "succeeded"), text
    assert len(reached) == INSTANTS[behaviour], "\n".join(reached)


@pytest.mark.parametrize("number", range(SAMPLE))
def test_killed_and_resumed_at_a_sampled_instant(staged: Staged, number: int) -> None:
    behaviour = "crash" if number % 2 else "good"
    chance = random.Random(f"{os.environ['SAU_SEED']} watchtower {number}").random()
    at = 1 + int((number // 2 + chance) * INSTANTS[behaviour] / (SAMPLE // 2))
    scene = staged(behaviour, waits_s=0.3)
    ended = hit(scene.sau, *apply(scene), at=at, alone=False)
    reached = ended.reached
    assert ended.killed, ended.text
    print(f"SAU_SEED={os.environ['SAU_SEED']}: {behaviour} killed at {at}, {reached[-1]}")
    resume(scene, by_recover=number % 4 < 2)


EVERY = [(behaviour, at) for behaviour, most in INSTANTS.items() for at in range(1, most + 1)]


@pytest.mark.every_instant
@pytest.mark.parametrize(("behaviour", "at"), EVERY)
def test_killed_and_resumed_at_every_instant(staged: Staged, behaviour: str, at: int) -> None:
    scene = staged(behaviour, waits_s=0.3)
    ended = hit(scene.sau, *apply(scene), at=at, alone=False)
    reached = ended.reached
    assert ended.killed, ended.text
    print(f"{behaviour} killed at {at}, {reached[-1]}")
    resume(scene, by_recover=at % 2 == 0)


@pytest.mark.parametrize("by_recover", [True, False])
@pytest.mark.parametrize("behaviour", ["good", "crash"])
def test_killed_between_removing_and_creating_while_watchtower_goes_on(
    staged: Staged, world: World, behaviour: str, by_recover: bool
) -> None:
    only_standin()
    scene = staged(behaviour, waits_s=2.0)
    running = scene.sau.start(*apply(scene))
    eventually(lambda: not _exists(world, scene.before["Id"]))
    running.kill()
    running.wait()
    resume(scene, by_recover)


@pytest.mark.parametrize("where", ["remove", "create"])
def test_both_killed_half_way(staged: Staged, world: World, where: str) -> None:
    only_standin()
    scene = staged("good", stops_after=where, waits_s=0.5)
    running = scene.sau.start(*apply(scene))
    eventually(lambda: not _exists(world, scene.before["Id"]))
    running.kill()
    running.wait()
    time.sleep(1)  # longer than it needs to reach its own end
    said = scene.sau("recover", json_output=False)
    assert said.code == 0, said
    assert assert_kept(scene) == "old"


def _exists(world: World, container: str) -> bool:
    try:
        world.call("GET", f"/containers/{container}/json")
    except wire.EngineError:
        return False
    return True
