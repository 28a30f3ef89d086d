"""The lab keeps its word: each behaviour, indexes, crashes of the engine, and cleaning up."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from lab import images
from lab.behaviours import HEALTHCHECK, SECOND
from lab.errors import LabError
from tests.lab_kit import World, eventually

QUICK = HEALTHCHECK | {"Interval": SECOND // 10}


@pytest.mark.parametrize(
    ("behaviour", "env", "state"),
    [
        ("good", [], ("running", 0, "healthy", True)),
        ("unhealthy", [], ("running", 0, "unhealthy", True)),
        ("never_ready", [], ("running", 0, "unhealthy", False)),
        ("crash", [], ("exited", 1, "unhealthy", False)),
        ("crash_later", ["CRASH_AFTER=0.5"], ("exited", 1, "unhealthy", False)),
        ("ready_late", ["READY_AFTER=0.5"], ("running", 0, "healthy", True)),
        ("slow_stop", [], ("running", 0, "healthy", True)),
        ("ignore_term", [], ("running", 0, "healthy", True)),
        ("one_shot", [], ("exited", 0, "unhealthy", False)),
    ],
)
def test_behaviour_is_what_its_name_says(
    world: World, behaviour: str, env: list[str], state: tuple[str, int, str, bool]
) -> None:
    published = world.publish("1.2.3", behaviour=behaviour, healthcheck=QUICK)
    container = world.run(published.reference, Env=env)
    status, code, health, serves = state

    def settled() -> bool:
        now = world.get(container)["State"]
        if (now["Status"], now["ExitCode"]) != (status, code):
            return False
        return status == "exited" or world.health(container) == health

    eventually(settled)
    assert world.http(container) == ("1.2.3" if serves else None)


def test_crash_later_serves_before_it_crashes(world: World) -> None:
    container = world.run(
        world.publish("1", behaviour="crash_later").reference, Env=["CRASH_AFTER=1"]
    )
    assert world.text(container) == "1"
    eventually(lambda: world.get(container)["State"]["Status"] == "exited")


def test_ready_late_is_starting_until_it_listens(world: World) -> None:
    container = world.run(
        world.publish("1", behaviour="ready_late").reference, Env=["READY_AFTER=1.5"]
    )
    assert world.http(container) is None
    assert world.health(container) == "starting"
    eventually(lambda: world.health(container) == "healthy")


@pytest.mark.parametrize(
    ("behaviour", "env", "least_s", "code"),
    [
        ("good", [], 0, 0),
        ("never_ready", [], 0, 0),
        ("slow_stop", ["STOP_SECONDS=1"], 1, 0),
        ("ignore_term", [], 2, 137),  # killed, when its time was over
    ],
)
def test_stopping_takes_its_time(
    world: World, behaviour: str, env: list[str], least_s: float, code: int
) -> None:
    container = world.run(world.publish("1", behaviour=behaviour).reference, Env=env)
    if behaviour == "never_ready":
        time.sleep(0.3)  # nothing tells that its script waits for signals
    else:
        world.text(container)
    begun = time.monotonic()
    world.call("POST", f"/containers/{container}/stop?t=2")
    assert time.monotonic() - begun >= least_s
    assert world.get(container)["State"]["ExitCode"] == code


def test_slow_stop_tells_that_it_stopped_cleanly(world: World) -> None:
    volume = world.volume("data")
    container = world.run(
        world.publish("1", behaviour="slow_stop", volumes=("/data",)).reference,
        Env=["STOP_SECONDS=0.2"],
        HostConfig={"Binds": [f"{volume}:/data"]},
    )
    world.text(container)
    world.call("POST", f"/containers/{container}/stop")
    assert world.call("GET", f"/containers/{container}/archive?path=/data/clean-stop")


def test_recipe_reaches_the_image_config(world: World) -> None:
    published = world.publish(
        "1", env={"A": "b"}, cmd=("serve",), user="nobody", workdir="/tmp", stop_signal="SIGUSR1",
        labels={"l": "v"}, volumes=("/data",), exposed_ports=("9/udp",),
    )  # fmt: skip
    container = world.run(published.reference)
    config: dict[str, Any] = world.get(container)["Config"]
    assert config["Env"] == ["PATH=/bin", "A=b"]
    assert (config["Cmd"], config["Entrypoint"]) == (["serve"], ["/lab/start"])
    assert (config["User"], config["WorkingDir"]) == ("nobody", "/tmp")
    assert (config["StopSignal"], config["Labels"]) == ("SIGUSR1", {"l": "v"})
    assert (config["Volumes"], config["ExposedPorts"]) == ({"/data": {}}, {"9/udp": {}})
    assert world.get(container)["Image"] == world.id_of(published)
    assert world.text(container) == "1"


def test_publishing_again_gives_the_same_digest_and_a_version_another(world: World) -> None:
    first = world.publish("1")
    assert world.publish("1").digest == first.digest
    assert world.publish("1", version="2").digest != first.digest


@pytest.mark.parametrize("attestation", [False, True])
def test_engine_pulls_its_own_platform_from_an_index(world: World, attestation: bool) -> None:
    ours = world.publish("", version="7", oci=attestation)
    arm = world.publish("", version="7 arm", oci=attestation, architecture="arm64")
    index = images.publish_index(
        world.lab.registry, world.name, "7", [(arm, "linux/arm64/v8"), ours], attestation
    )
    container = world.run(index.reference)
    assert world.runs(container, ours)
    assert world.text(container) == "7"
    listed = world.image(index.reference)["RepoDigests"]
    assert listed == [index.pinned]


def test_a_tag_moves_and_a_manifest_is_deleted(world: World) -> None:
    old, new = world.publish("1"), world.publish("2")
    assert images.tag(world.lab.registry, world.name, new.digest, "1") == new.digest
    world.pull(old.reference)
    assert world.image(old.reference)["Id"] == world.id_of(new)
    images.delete(world.lab.registry, world.name, new.digest)
    with pytest.raises(LabError, match="404"):
        images.tag(world.lab.registry, world.name, "1", "3")


def test_worlds_share_no_image_even_for_the_same_recipe(world: World, tmp_path: Path) -> None:
    other = World(world.lab, f"{world.prefix}o", tmp_path)
    assert other.publish("1").digest != world.publish("1").digest


@pytest.mark.engine_crash
def test_engine_killed_and_started_restarts_what_its_policy_says(world: World) -> None:
    reference = world.publish("1").reference
    always = world.run(reference, "always", HostConfig={"RestartPolicy": {"Name": "always"}})
    never = world.run(reference, "never")
    before = eventually(lambda: world.get(always)["State"]["Pid"])
    world.lab.crash_engine()
    try:
        with pytest.raises(ConnectionRefusedError):
            world.get(always)
        os.kill(before, 0)  # the container outlives its engine
    finally:
        world.lab.start_engine()
    assert world.text(always) == "1"
    assert world.get(always)["State"]["Pid"] != before
    assert world.get(never)["State"]["Status"] == "exited"


def test_world_removes_all_that_it_made(world: World) -> None:
    reference = world.publish("1", volumes=("/data",)).reference
    container = world.run(reference, HostConfig={"NetworkMode": world.network("net")})
    anonymous = world.get(container)["Mounts"][0]["Name"]
    world.call("POST", f"/containers/{container}/rename?name=other-{world.prefix}")
    world.volume("kept")
    assert world.ids() == {container}
    world.clean()
    assert world.ids() == set()
    everything = f"{world.call('GET', '/networks')} {world.call('GET', '/volumes')}"
    assert world.prefix not in everything + str(world.call("GET", "/images/json"))
    assert anonymous not in everything
