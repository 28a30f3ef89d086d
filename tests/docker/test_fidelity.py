"""Every settable field of a container survives an update and a rollback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.platforms.docker.recreate import create_body
from tests.docker.fidelity import kit
from tests.docker.fidelity.fields import ELSEWHERE, EXCLUDED, RUNS, STAGED, Field
from tests.lab_kit import World

NAMES = [
    line
    for line in (Path(__file__).parent / "fidelity/schema_names.txt").read_text().split("\n")
    if line and not line.startswith("#")
]


def of(group: str, api: tuple[int, int]) -> list[Field]:
    """The fields of a group that an engine of this API keeps."""
    return [field for field in RUNS if field.group == group and field.kept_by(api)]


GROUPS = [
    pytest.param(group, marks=pytest.mark.engines(lambda lab, g=group: of(g, lab.engine_api)))
    for group in dict.fromkeys(field.group for field in RUNS)
]


def surroundings(world: World, fields: list[Field]) -> dict[str, str]:
    """What the `<words>` of a group mean; made on the engine where a field speaks of it."""
    text = str([field.value for field in fields])
    if "<network>" in text:
        kit.network(world)
    if "<volume>" in text:
        world.volume("data")
    words = kit.words(world) | {"folder": str(world.state_dir)}
    if "<image>" in text:
        other = world.publish("1", name="other")
        world.pull(other.reference)
        words["image"] = other.reference
    if "Subpath" in text and "<volume>" in text:
        kit.inside(world, kit.peer(world, Binds=[f"{words['volume']}:/all"]), "mkdir /all/below")
    if "<peer>" in text:
        kit.peer(world, NetworkMode=words["network"] if "<network>" in text else "bridge")
    return words


@pytest.mark.parametrize("group", GROUPS)
def test_fields_survive_a_rollback_and_an_update(world: World, group: str) -> None:
    fields = of(group, world.lab.engine_api)
    words = surroundings(world, fields)
    body: dict[str, Any] = kit.fill(kit.body_of(fields, "<network>"), words)
    container = world.run(world.publish("1.0.0").reference, **body)
    before = world.get(container)
    for field in fields:
        shown = kit.fill(field.shown or field.value, words)
        assert kit.told(before, field.path, words["network"]) in (shown, _by_id(world, shown))

    back = kit.rolled_back(world, "1.1.0")
    assert kit.identity(back) == kit.identity(before)

    after = kit.updated(world, "1.2.0")
    assert after["Id"] != container
    lost = {
        field.path: (kit.told(before, field.path, words["network"]), now)
        for field in fields
        if (now := kit.told(after, field.path, words["network"]))
        != kit.told(before, field.path, words["network"])
    }
    assert lost == {}
    hand = kit.by_hand(world, "1.2.0", body)
    assert _without_binds(kit.settings(after)) == _without_binds(kit.settings(hand))


def _by_id(world: World, value: Any) -> Any:
    """`container:<name>` is told with the container's ID."""
    if not str(value).startswith("container:" + world.prefix):
        return value
    return f"container:{world.get(value.partition(':')[2])['Id']}"


def _without_binds(settings: dict[str, Any]) -> dict[str, Any]:
    """Anonymous volumes are bound by their name after an update: another spelling."""
    binds = settings["HostConfig"].pop("Binds") or []
    named = [bind for bind in binds if len(bind.split(":")[0]) != 64]
    return settings | {"Binds": named}


def test_fields_that_cannot_start_here_reach_the_new_container(world: World) -> None:
    body = kit.body_of(STAGED, "")
    world.publish("1.0.0")
    world.publish("1.1.0")
    before = kit.created(world, "1.0.0", body)

    after = kit.recreated(world, before, "1.1.0")

    for field in STAGED:
        assert kit.told(before, field.path) == kit.told(after, field.path) == field.value


@pytest.mark.parametrize("field", ELSEWHERE, ids=str)
def test_fields_that_this_engine_does_not_keep_are_asked_for(field: Field) -> None:
    part, name = field.path.split(".")
    old: dict[str, Any] = {
        "Id": "c" * 64,
        "Config": {"Image": "app:1"},
        "HostConfig": {"NetworkMode": "net"},
        "NetworkSettings": {"Networks": {"net": {"NetworkID": "n"}}},
    }
    where = {
        "Config": old["Config"],
        "HostConfig": old["HostConfig"],
        "Endpoint": old["NetworkSettings"]["Networks"]["net"],
    }[part]
    where[name] = field.value

    body = create_body(old, {"Config": {}}, "app:2", "test")

    asked = {
        "Config": body,
        "HostConfig": body["HostConfig"],
        "Endpoint": body["NetworkingConfig"]["EndpointsConfig"]["net"],
    }[part]
    assert asked[name] == field.value


def covered(field: Field) -> set[str]:
    """The schema's names that a row sets, by what its value contains."""

    def inside(path: str, value: Any) -> set[str]:
        found = {path} & set(NAMES)
        if isinstance(value, dict):
            for key, item in value.items():
                found |= inside(f"{path}.{key}", item) | inside(path, item)
        if isinstance(value, list):
            for item in value:
                found |= inside(path, item)
        return found

    return inside(field.path, field.value)


def test_every_field_of_the_schema_is_in_the_table_or_excluded_with_a_reason() -> None:
    rows = [*RUNS, *STAGED, *ELSEWHERE]
    kept = {name for field in rows for name in covered(field)}
    assert set(NAMES) - kept == EXCLUDED.keys()
    assert all(EXCLUDED.values())


def test_no_field_is_in_the_table_twice() -> None:
    rows = [(field.path, str(field.value)) for field in (*RUNS, *STAGED, *ELSEWHERE)]
    on_an_engine = [(field.path, field.group) for field in (*RUNS, *STAGED)]
    assert len(set(rows)) == len(rows)
    assert len(set(on_an_engine)) == len(on_an_engine)
    assert {field.path for field in RUNS} <= set(NAMES)
