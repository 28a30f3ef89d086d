"""Swarm services that must wait: each says why, and the command it names lets it go."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import Any

import pytest

from lab.behaviours import HEALTHCHECK, SECOND
from tests.docker.swarm.kit import BACK, UPDATE, Services, pinned
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

pytestmark = pytest.mark.swarm

SLOW_CHECK = HEALTHCHECK | {"Interval": 20 * SECOND, "Retries": 4, "StartPeriod": 10 * SECOND}
# what is wrong with it, and what is said of it; the remedy is what stands in backticks
HELD: dict[str, tuple[dict[str, Any], str]] = {
    "the engine would only pause": (
        {"UpdateConfig": {"Parallelism": 1, "Monitor": 60 * SECOND}},
        "its update_config's failure_action is pause, not rollback: `docker service update "
        "--update-failure-action rollback --update-monitor 60s NAME`",
    ),
    "nothing is said of updates": (
        {"UpdateConfig": None},
        "failure_action is pause, not rollback; its update_config's monitor is not set: `docker "
        "service update --update-failure-action rollback --update-monitor 60s NAME`",
    ),
    "the engine looks for too short a time": (
        {"UpdateConfig": UPDATE, "container": {"Healthcheck": SLOW_CHECK}},
        "monitor of 1 s is too short: its health check needs 90 s for its word: `docker service "
        "update --update-monitor 90s NAME`",
    ),
    "most tasks may fail": (
        {"UpdateConfig": UPDATE | {"MaxFailureRatio": 0.9}},
        "max_failure_ratio 0.9 lets most tasks fail: `docker service update "
        "--update-max-failure-ratio 0 NAME`",
    ),
    "its stack's file would not say so": (
        {"UpdateConfig": None, "Labels": {"com.docker.stack.namespace": "shop"}},
        "NAME`, and write it into the file of stack shop",
    ),
}


@pytest.mark.parametrize("what", HELD)
def test_service_is_held_until_its_remedy_was_run(
    world: World, services: Services, sau: Sau, what: str
) -> None:
    spec, why = HELD[what]
    name = services.create(pinned(world.publish("1.0.0")), replicas=1, running=False, **spec)
    eventually(services.running, 30)
    world.publish("1.1.0")

    step = sau("plan").step(name)

    assert step["action"] == "hold"
    assert why.replace("NAME", name) in "; ".join(step["reasons"])
    if not world.lab.docker:
        return
    command = re.findall("`(docker service update [^`]+)`", step["reasons"][0])[0]
    docker_host = ["--host", world.lab.docker_host]
    done = subprocess.run(
        [world.lab.docker, *docker_host, *shlex.split(command)[1:], "--detach"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    after = sau("plan").step(name)
    assert not any("update_config" in reason for reason in after["reasons"])


def test_unpinned_service_is_held_and_told_what_it_runs(
    world: World, services: Services, sau: Sau
) -> None:
    old = world.publish("1.0.0")
    name = services.create(old.reference, replicas=1)
    world.publish("1.1.0")
    (reason,) = sau("plan").step(name)["reasons"]
    assert f"`docker service update --image {pinned(old)} {name}`" in reason
    services.set_image(pinned(old))
    eventually(lambda: services.state() == "completed", 60)
    assert sau("plan").step(name)["action"] == "update"


def test_service_of_a_stack_takes_new_content_and_no_new_tag(
    world: World, services: Services, sau: Sau
) -> None:
    label = {"com.docker.stack.namespace": world.prefix}
    name = services.create(pinned(world.publish("1.0.0")), replicas=1, Labels=label)
    world.publish("1.1.0")
    step = sau("plan").step(name)
    assert step["action"] == "hold"
    assert f"the file of stack {world.prefix} names this tag for service" in step["reasons"][0]
    assert sau("scan").json["assets"][0]["managed_by"] == f"stack:{world.prefix}"


def test_service_that_is_updating_or_stuck_is_held(
    world: World, services: Services, sau: Sau
) -> None:
    config = {"FailureAction": "pause", "Monitor": 30 * SECOND, "Parallelism": 1}
    name = services.create(pinned(world.publish("1.0.0")), replicas=1, UpdateConfig=config)
    world.publish("1.1.0")
    services.set_image(pinned(world.publish("1.0.1")))
    eventually(lambda: services.state() == "updating")
    reasons = sau("plan").step(name)["reasons"]
    assert any("the engine is updating it" in reason for reason in reasons), reasons
    services.set_image(pinned(world.publish("1.0.2", behaviour="crash")))
    eventually(lambda: services.state() == "paused", 30)
    reasons = sau("plan").step(name)["reasons"]
    assert any(f"end it by `docker service rollback {name}`" in reason for reason in reasons)


def test_job_is_held(world: World, services: Services, sau: Sau) -> None:
    image = world.publish("1.0.0", behaviour="one_shot")
    name = services.create(
        pinned(image),
        replicas=0,
        Mode={"ReplicatedJob": {}},
        UpdateConfig=None,
        RollbackConfig=None,
    )
    world.publish("1.1.0", behaviour="one_shot")
    step = sau("plan").step(name)
    assert step["action"] == "hold"
    assert any("a job" in reason for reason in step["reasons"])


def test_container_that_is_called_like_a_service_holds_both(
    world: World, services: Services, sau: Sau
) -> None:
    old = world.publish("1.0.0")
    name = services.create(pinned(old), replicas=1)
    world.run(old.reference, "web")
    world.publish("1.1.0")
    (step,) = sau("plan").json["steps"]
    assert step["action"] == "hold"
    assert "rename the container" in step["reasons"][0]
    assert name in step["asset"]


def test_tasks_of_a_service_are_told_with_it(world: World, services: Services, sau: Sau) -> None:
    name = services.create(pinned(world.publish("1.0.0")), RollbackConfig=BACK)
    (asset,) = sau("scan").json["assets"]
    assert (asset["name"], asset["kind"]) == (name, "service")
