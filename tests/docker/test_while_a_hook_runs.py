"""While a hook of minutes runs, people act: nothing they did is undone, and nothing is hidden."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.docker.compose_kit import Project, program
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine

__all__ = ["program"]
WAITS = {"safe-auto-updater.before-update": '["/bin/busybox", "sleep", "3"]'}


def act_meanwhile(sau: Sau, world: World, name: str, deed: Callable[[], Any]) -> dict[str, Any]:
    """An update in whose hook somebody acts; the update, as JSON tells it, with the exit code."""
    running = sau.start("apply", "--yes")
    eventually(lambda: staged(world, name), 30)
    eventually(lambda: world.get(name)["ExecIDs"], 30)
    deed()
    out, err = running.communicate(timeout=60)
    (update,) = json.loads(out)["updates"]
    return {**update, "code": running.returncode, "told": err}


def staged(world: World, name: str) -> bool:
    listed = world.call("GET", "/containers/json?all=true")
    return any(f"/{world.prefix}-{name}.sau-next" in one["Names"] for one in listed)


@pytest.fixture
def old(world: World) -> str:
    reference = world.publish("1.0.0").reference
    container = world.run(reference, Labels=WAITS)
    world.publish("1.1.0")
    return container


def test_who_was_stopped_meanwhile_stays_stopped(world: World, sau: Sau, old: str) -> None:
    update = act_meanwhile(
        sau, world, "web", lambda: world.call("POST", f"/containers/{old}/stop?t=0")
    )
    assert (update["code"], update["outcome"]) == (1, "aborted")
    assert world.ids() == {old}
    assert not world.get(old)["State"]["Running"]


def test_what_was_staged_and_removed_is_named(world: World, sau: Sau, old: str) -> None:
    started = world.get(old)["State"]["StartedAt"]
    helper = f"{world.prefix}-web.sau-next"
    update = act_meanwhile(sau, world, "web", lambda: world.call("DELETE", f"/containers/{helper}"))
    assert (update["code"], update["outcome"], update["cause"]) == (1, "aborted", "conflict")
    assert f"container {helper}, made for this update, was removed" in update["error"]
    assert world.get(old)["State"]["StartedAt"] == started


def test_an_old_one_that_somebody_removed_is_no_abort(world: World, sau: Sau, old: str) -> None:
    update = act_meanwhile(
        sau, world, "web", lambda: world.call("DELETE", f"/containers/{old}?force=1")
    )
    assert (update["code"], update["outcome"]) == (4, "inconsistent"), json.dumps(update)
    helper = f"{world.prefix}-web.sau-next"
    told = json.dumps(update)
    assert "was removed by somebody while it was to be updated" in told
    assert f"the new one was left as {helper}" in told
    assert [one["Name"] for one in map(world.get, world.ids())] == [f"/{helper}"]


def test_compose_up_for_another_service_takes_no_old_one_away(
    world: World, sau: Sau, program: Path, tmp_path: Path
) -> None:
    project = Project(world, program, tmp_path / "shop")
    world.publish("1", version="old")
    hook = WAITS["safe-auto-updater.before-update"]
    project.write(
        f"services:\n  web:\n    image: {world.repository}:1\n"
        f"    labels: {{safe-auto-updater.before-update: '{hook}'}}\n"
        f"  side:\n    image: {world.repository}:1\n"
        "    labels: {safe-auto-updater.enable: 'false'}\n"
    )
    project.up()
    before = project.container("web")
    world.publish("1", version="new")

    update = act_meanwhile(sau, world, "web-1", lambda: project("up", "-d"))

    assert update["outcome"] in ("aborted", "succeeded"), update
    now = project.container("web")
    assert now["State"]["Running"]
    assert (now["Id"] == before["Id"]) == (update["outcome"] == "aborted")
    assert project.ps()["web"][0] == "running"
