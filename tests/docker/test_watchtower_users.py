"""A Watchtower that runs on the host: what doctor says, and the configuration made from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lab_kit import World
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine

THEIRS = "com.centurylinklabs.watchtower"


def watchtower(world: World, *env: str, words: tuple[str, ...] = ()) -> str:
    """A container that looks like one: its label, its environment, its command line."""
    reference = world.publish("1", name="watchtower", labels={THEIRS: "true"}).reference
    world.run(reference, "watchtower", Env=list(env), Cmd=list(words))
    return f"{world.prefix}-watchtower"


def findings(sau: Sau, what: str) -> list[dict[str, Any]]:
    """What doctor says of one thing."""
    told = sau("doctor").json["findings"]
    return [finding for finding in told if finding["what"] == what]


@pytest.mark.usefixtures("only_watchtower")
def test_doctor_says_what_a_watchtower_does_behind_our_back(world: World, sau: Sau) -> None:
    name = watchtower(world, "WATCHTOWER_POLL_INTERVAL=3600", words=("--cleanup",))
    said = sau("doctor")
    assert said.code == 1
    known, schedule = findings(sau, f"watchtower {name}")
    assert known["ok"] and "containrrr/watchtower" in known["fact"]
    assert not schedule["ok"] and "every 1 h" in schedule["fact"]


def test_doctor_names_labels_that_have_no_counterpart(world: World, sau: Sau) -> None:
    sau.config.write_text(
        f"inventory: {{watchtower_labels: true, include: ['*/{world.prefix}-*']}}"
    )
    reference = world.publish("1.0.0").reference
    world.run(reference, Labels={f"{THEIRS}.scope": "prod", f"{THEIRS}.enable": "true"})
    (told,) = findings(sau, f"labels of {world.prefix}-web")
    assert not told["ok"] and f"{THEIRS}.scope" in told["fact"]


@pytest.mark.usefixtures("only_watchtower")
def test_configuration_is_made_from_a_running_watchtower(world: World, sau: Sau) -> None:
    name = watchtower(
        world,
        "WATCHTOWER_HTTP_API_TOKEN=hidden",
        words=("--monitor-only", "--schedule", "0 0 4 * * *"),
    )
    file = world.state_dir / "made.yml"
    said = sau("config", "init", str(file), "--from-watchtower", name, json_output=False)
    assert said.code == 0, said
    text = file.read_text()
    assert (
        "hidden" not in text
        and 'schedule: "0 4 * * * UTC"' in text
        and "watchtower_labels: true" in text
    )
    assert sau("config", "validate", str(file), json_output=False).code == 0
    again = sau("config", "init", str(file), "--from-watchtower", name, json_output=False)
    assert again.code == 2, "never overwritten"


def test_somebody_who_is_not_there_is_named(world: World, sau: Sau, tmp_path: Path) -> None:
    said = sau(
        "config", "init", str(tmp_path / "x.yml"), "--from-watchtower", "nobody", json_output=False
    )
    assert said.code == 2 and "nobody: no container of this name" in said.err


def test_their_labels_decide_when_they_count(world: World, sau: Sau) -> None:
    sau.config.write_text(
        f"inventory: {{watchtower_labels: true, include: ['*/{world.prefix}-*']}}\n"
        "execution: {health: {timeout: 15s, stable_for: 1s}}"
    )
    world.publish("1.0.0")
    reference = f"{world.repository}:1.0.0"
    world.run(reference, "off", Labels={f"{THEIRS}.enable": "false"})
    world.run(reference, "watched", Labels={f"{THEIRS}.monitor-only": "true"})
    world.run(reference, "on", Labels={f"{THEIRS}.lifecycle.pre-update": "exit 75"})
    world.publish("1.1.0")

    for name in ("off", "watched"):
        step = sau("plan").step(f"{world.prefix}-{name}")
        assert (step["action"], step["hold_rules"]) == ("hold", ["disabled"])
    before = world.get("on")
    said = sau("apply", "--yes", f"{world.prefix}-on")
    assert said.code == 1 and "asks to skip this time" in said.update["error"]
    assert world.get("on")["Id"] == before["Id"]


def test_who_depends_on_an_updated_container_is_restarted_with_it(world: World, sau: Sau) -> None:
    sau.config.write_text(
        f"inventory: {{watchtower_labels: true, include: ['*/{world.prefix}-*']}}\n"
        "execution: {health: {timeout: 15s, stable_for: 1s}}"
    )
    world.publish("1.0.0")
    world.run(f"{world.repository}:1.0.0")
    other = world.publish("1", name="app").reference
    depends = {f"{THEIRS}.depends-on": f"{world.prefix}-web"}
    world.run(other, "app", Labels=depends)
    before = world.get("app")
    world.publish("1.1.0")

    said = sau("apply", "--yes", f"{world.prefix}-web")

    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    now = world.get("app")
    assert now["Id"] == before["Id"]
    assert now["State"]["StartedAt"] > before["State"]["StartedAt"], "it was restarted"
