"""What an update would do to a real container, judged before anything is touched or pulled."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.docker.test_first_update import everything
from tests.lab_kit import World
from tests.sau_kit import Said, Sau

MAJORS = "detection: {policy: major}\n"
PUBLISHED = {"HostConfig": {"PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1"}]}}}


def found(said: Said) -> dict[str, Any]:
    """Each finding by its rule."""
    return {finding["rule"]: finding for finding in said.json["risk"]["findings"]}


def judged(said: Said) -> tuple[str, str]:
    return said.json["risk"]["level"], said.json["reversibility"]


def data(world: World, path: str) -> dict[str, Any]:
    return {"HostConfig": {"Binds": [f"{world.volume('data')}:{path}"]}}


OLD = {"volumes": ("/data",), "env": {"MODE": "a-public-default", "KEEP": "kept"}}
# What the new image has instead, what the user set, and what must be found.
CASES: dict[str, tuple[Mapping[str, Any], Mapping[str, Any], str, str, str, str]] = {
    "a volume's path moves from under its data": (
        {"volumes": ("/srv",)}, {}, "volume-moved", "image/volumes/~1data", "never", "R2"),
    "a volume's path is declared no more": (
        {"volumes": ()}, {}, "volume-gone", "image/volumes/~1data", "approval", "R2"),
    "another user over data": (
        {"user": "1000"}, {}, "user-over-data", "container/inherited/user", "approval", "R2"),
    "a published port goes": (
        {"exposed_ports": ("9090/tcp",)}, PUBLISHED, "published-port-gone",
        "container/ports/published/8080~1tcp", "approval", "R1"),
    "a default that is relied upon goes": (
        {"env": {"KEEP": "kept"}}, {}, "env-removed", "container/inherited/env/MODE",
        "automatic", "R1"),
    "an entrypoint changes under the user's command": (
        {"entrypoint": ("/lab/start", "--once")}, {"Cmd": ["--mine"]}, "entrypoint-under-cmd",
        "container/inherited/entrypoint", "approval", "R1"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_would_hurt_is_found(world: World, sau: Sau, name: str) -> None:
    new, body, rule, path, level, reversibility = CASES[name]
    world.publish("1.0.0", **OLD)
    world.publish("1.0.1", **{**OLD, **new})
    world.run(f"{world.repository}:1.0.0", **body)  # with an anonymous volume

    said = sau("diff", "web")

    assert said.code == 0
    assert said.json["schema"] == "safe-auto-updater/diff/v1"
    assert found(said)[rule]["path"] == path
    assert judged(said) == (level, reversibility)
    assert "a-public-default" not in said.out
    step = sau("plan").step(f"{world.prefix}-web")
    assert step["risk"] == said.json["risk"]
    assert (step["action"] == "update") == (level == "automatic")


def test_what_the_user_set_himself_is_no_finding(world: World, sau: Sau) -> None:
    world.publish("1.0.0", **OLD)
    world.publish("1.0.1", **{**OLD, "env": {"MODE": "other"}, "user": "1000"})
    world.run(f"{world.repository}:1.0.0", User="0:0", Env=["MODE=mine", "KEEP=mine", "T=hunter2"])

    said = sau("diff", "web")

    assert set(found(said)) == {"patch-over-data"}
    assert "hunter2" not in said.out and "mine" not in said.out


@pytest.mark.parametrize(
    ("policy", "to", "level", "reversibility"),
    [("patch", "16.3.1", "automatic", "R1"), ("major", "17.0.0", "approval", "R3")],
)
def test_a_database_may_be_patched_and_its_major_waits_for_a_human(
    world: World, sau: Sau, policy: str, to: str, level: str, reversibility: str
) -> None:
    sau.configure(extra=f"detection: {{policy: {policy}}}\n")
    for version in ("16.3.0", "16.3.1", "17.0.0"):
        world.publish(version, "postgres", env={"PG_MAJOR": version[:2], "PG_VERSION": version})
    reference = f"{world.lab.registry}/{world.prefix}/postgres:16.3.0"
    world.run(reference, "db", **data(world, "/var/lib/postgresql/data"))

    said = sau("diff", "db")

    assert said.json["changes"][0]["candidate"]["version"] == to
    assert judged(said) == (level, reversibility)
    assert ("one-way-data" in found(said)) == (level == "approval")


def test_a_database_that_jumps_behind_its_tag_is_held(world: World, sau: Sau) -> None:
    world.publish("latest", "postgres", env={"PG_MAJOR": "16", "PG_VERSION": "16.3-1.pgdg"})
    reference = f"{world.lab.registry}/{world.prefix}/postgres:latest"
    world.run(reference, "db", **data(world, "/var/lib/postgresql/data"))
    world.publish("latest", "postgres", env={"PG_MAJOR": "17", "PG_VERSION": "17.0-1.pgdg"})

    said = sau("diff", "db")

    assert said.json["action"] == "hold"
    assert judged(said) == ("approval", "R3")
    told = sau("diff", "db", json_output=False).out
    assert "does not take the data back" in " ".join(told.split())


def test_a_minor_over_a_volume_is_automatic_and_says_what_is_not_taken_back(
    world: World, sau: Sau
) -> None:
    world.publish("1.0.0")
    world.publish("1.1.0")
    world.run(f"{world.repository}:1.0.0", **data(world, "/data"))

    said = sau("diff", "web")

    assert judged(said) == ("automatic", "R2")
    assert "does not take the data back" in found(said)["step-over-data"]["why"]
    assert found(said)["step-over-data"]["after"] == ["/data"]


def test_looking_pulls_and_changes_nothing(world: World, sau: Sau) -> None:
    world.publish("1.0.0")
    world.publish("2.0.0", user="1000")
    old = world.run(f"{world.repository}:1.0.0")
    sau.configure(extra=MAJORS)
    time.sleep(1)  # events count whole seconds
    since = time.time()
    before, _ = everything(world, since)

    said = sau("diff", "web")

    assert judged(said) == ("automatic", "R0")
    assert (*everything(world, since), world.ids()) == (before, [], {old})


def test_where_nothing_is_newer_there_is_nothing_to_compare(world: World, sau: Sau) -> None:
    world.publish("1.0.0")
    world.run(f"{world.repository}:1.0.0")

    said = sau("diff", "web")

    assert (said.code, said.json["risk"], said.json["reversibility"]) == (0, None, None)
    assert "nothing to compare" in sau("diff", "web", json_output=False).out
    assert sau("diff", "nobody").code == 2
