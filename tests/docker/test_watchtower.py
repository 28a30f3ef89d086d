"""Watchtower replaces the container; what it does wrong or behind our back is found and undone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docker.compose_kit import Project, program
from tests.docker.watchtower.scene import PARAMS, Scene, assert_equivalent, only_standin, scene_on
from tests.docker.watchtower.standin import Ways
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

__all__ = ["program"]
Staged = Callable[..., Scene]


@pytest.fixture(params=PARAMS)
def staged(world: World, sau: Sau, request: pytest.FixtureRequest) -> Iterator[Staged]:
    """Makes a scene of one line, with the ways that a test wants."""
    with ExitStack() as closing:
        yield lambda **ways: closing.enter_context(
            scene_on(world, sau, request.param, Ways(**ways))
        )


def test_new_content_behind_the_tag_is_taken_by_watchtower(staged: Staged, world: World) -> None:
    scene = staged()
    scene.publish("old")
    network = world.network("front")
    volume = world.volume("data")
    old = scene.run(
        Env=["COLOUR=blue"],
        HostConfig={"NetworkMode": network, "Binds": [f"{volume}:/data"]},
        NetworkingConfig={"EndpointsConfig": {network: {"Aliases": ["shop"]}}},
    )
    new = scene.publish("new")

    said = scene.apply()

    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    now = world.get("web")
    assert (now["Id"] != old["Id"], now["Image"]) == (True, world.id_of(new))
    assert scene.serves("new")
    assert world.ids() == {now["Id"]}, "nothing is left over"
    assert scene.plan()["action"] == "none"


def test_broken_image_ends_on_an_equivalent_container(staged: Staged, world: World) -> None:
    scene = staged()
    scene.configure("stable_for: 3s")
    scene.publish("old", labels={"made-by": "the image"})
    network, volume = world.network("front"), world.volume("data")
    before = scene.run(
        Env=["COLOUR=blue"],
        Labels={"mine": "yes"},
        HostConfig={
            "NetworkMode": network,
            "Binds": [f"{volume}:/data"],
            "RestartPolicy": {"Name": "unless-stopped"},
        },
        NetworkingConfig={"EndpointsConfig": {network: {"Aliases": ["shop"]}}},
    )
    scene.publish("new", behaviour="crash")

    said = scene.apply()

    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said
    assert said.update["cause"] == "image"
    now = world.get("web")
    assert_equivalent(before, now)
    assert scene.serves("old")
    assert world.ids() == {now["Id"]}
    assert world.image(scene.reference)["Id"] == before["Image"], "the tag is back"
    held = scene.plan()
    assert held["action"] == "hold", "the content that failed is not tried again"


def test_file_that_compose_copied_in_is_not_left_to_watchtower(
    staged: Staged, world: World, program: Path, tmp_path: Path
) -> None:
    scene = staged()
    scene.publish("old")
    project = Project(world, program, tmp_path / "shop")
    project.write(
        f"services: {{web: {{image: '{scene.reference}', configs: [note]}}}}\n"
        "configs: {note: {content: kept}}\n"
    )
    project.up()
    before = project.container("web")
    scene.publish("new")

    said = scene.apply("web-1")

    assert said.update["outcome"] == "aborted", said
    assert "would lose what Compose copied into it: /note" in said.update["error"]
    assert project.container("web")["State"] == before["State"], "it never stopped"
    assert project.sh("/bin/busybox cat /note") == "kept"


def test_cleanup_takes_the_old_image_and_the_way_back_is_still_there(
    staged: Staged, world: World
) -> None:
    scene = staged(cleanup=True)
    scene.configure("stable_for: 3s")
    scene.publish("old")
    before = scene.run()
    scene.publish("new", behaviour="crash")

    said = scene.apply()

    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said
    assert_equivalent(before, world.get("web"))
    assert scene.serves("old")
    assert world.image(scene.reference)["Id"] == before["Image"], "pulled again for its tag"


def test_cleanup_after_a_success_is_told(staged: Staged, world: World) -> None:
    scene = staged(cleanup=True)
    scene.publish("old")
    old = scene.run()
    scene.publish("new")
    said = scene.apply()
    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    listed = {one["Id"] for one in world.call("GET", "/images/json?all=1")}
    told = "cleanup removed the old image" in scene.shown(said)
    assert told == (old["Image"] not in listed) == (scene.line == "original")


def test_program_that_cannot_start_is_taken_back(staged: Staged, world: World) -> None:
    scene = staged()
    scene.publish("old")
    before = scene.run()
    scene.publish("new", entrypoint=("/no/such/program",))
    said = scene.apply()
    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said
    assert said.update["cause"] == "image"
    assert_equivalent(before, world.get("web"))
    assert scene.serves("old")


def test_watchtower_that_is_gone_changes_nothing(staged: Staged, world: World) -> None:
    scene = staged()
    scene.publish("old")
    before = scene.run()
    scene.publish("new")
    scene.watchtower.close()
    said = scene.apply()
    assert (said.code, said.update["outcome"]) == (1, "aborted"), said
    assert "is it running?" in said.update["error"]
    assert world.get("web")["Id"] == before["Id"]


def test_wrong_token_changes_nothing_and_is_not_shown(staged: Staged, world: World) -> None:
    scene = staged()
    scene.publish("old")
    before = scene.run()
    scene.publish("new")
    scene.token_file.write_text("another-token")
    said = scene.apply()
    assert (said.code, said.update["outcome"]) == (1, "aborted"), said
    assert "does not accept the token" in said.update["error"]
    assert "another-token" not in said.out + said.err
    assert world.get("web")["Id"] == before["Id"]


def test_container_that_watchtower_does_not_look_after_stays_as_it_is(
    staged: Staged, world: World
) -> None:
    scene = staged(watches="somebody-else")
    scene.publish("old")
    before = scene.run()
    scene.publish("new")
    said = scene.apply()
    assert said.code == 3, said
    assert "left" in said.update["error"] and "as it is" in said.update["error"]
    now = world.get("web")
    assert now["Id"] == before["Id"]
    assert now["State"]["StartedAt"] == before["State"]["StartedAt"], "it was never stopped"
    assert world.ids() == {before["Id"]}


def test_who_waits_is_kept_where_somebody_removes_the_old_one_meanwhile(
    staged: Staged, world: World
) -> None:
    scene = staged()
    scene.publish("old")
    before = scene.run(Labels={"safe-auto-updater.before-update": '["/bin/busybox", "sleep", "3"]'})
    scene.publish("new")
    running = scene.sau.start("apply", "--yes", f"{world.prefix}-web")
    assert eventually(lambda: world.get("web")["ExecIDs"], 30)
    world.call("DELETE", f"/containers/{before['Id']}?force=1")
    out, _ = running.communicate(timeout=60)
    (update,) = json.loads(out)["updates"]
    helper = f"{world.prefix}-web.sau-next"
    assert (running.returncode, update["outcome"]) == (4, "inconsistent"), update
    assert f"one like it waits as {helper}" in out
    assert [one["Name"] for one in map(world.get, world.ids())] == [f"/{helper}"]


def test_busy_watchtower_is_waited_for(staged: Staged) -> None:
    only_standin()
    scene = staged(busy=3)
    scene.publish("old")
    scene.run()
    scene.publish("new")
    said = scene.apply()
    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    assert scene.serves("new")


def test_watchtower_that_stays_busy_changes_nothing(staged: Staged, world: World) -> None:
    only_standin()
    scene = staged(busy=99)
    scene.configure(timeout="3s")
    scene.publish("old")
    before = scene.run()
    scene.publish("new")
    said = scene.apply()
    assert (said.code, said.update["outcome"]) == (1, "aborted"), said
    assert "busy" in said.update["error"]
    assert world.get("web")["Id"] == before["Id"]


@pytest.mark.parametrize("where", ["remove", "create"])
def test_watchtower_killed_half_way_is_taken_back(staged: Staged, world: World, where: str) -> None:
    only_standin()
    scene = staged(stops_after=where)
    scene.publish("old")
    before = scene.run()
    scene.publish("new")
    said = scene.apply()
    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said
    now = world.get("web")
    assert_equivalent(before, now)
    assert scene.serves("old")
    assert world.ids() == {now["Id"]}


def test_more_than_asked_is_told(staged: Staged, world: World) -> None:
    only_standin()
    scene = staged(takes_too=(f"{world.prefix}-other",))
    scene.publish("old")
    scene.run()
    reference = scene.reference
    world.publish("1.0.0", name="other")
    scene.reference = f"{scene.registry}/{world.prefix}/other:1.0.0"
    other = scene.run("other")
    scene.reference = reference
    world.publish("1.0.0", name="other", labels={"moved": "on"})
    scene.publish("new")
    said = scene.apply()
    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    assert world.get("other")["Id"] != other["Id"]
    assert f"container {world.prefix}-other was replaced too" in scene.shown(said)


def test_tag_that_moved_on_since_the_plan_is_not_taken(staged: Staged, world: World) -> None:
    scene = staged()
    scene.publish("old")
    before = scene.run()
    scene.publish("new")
    plan = world.state_dir / "plan.json"
    scene.sau("plan", "--save", str(plan), json_output=False)
    scene.publish("newer")
    said = scene.sau("apply", "--yes", "--plan", str(plan))
    assert said.code in (1, 2), said
    assert world.get("web")["Id"] == before["Id"]


def test_tag_that_moves_while_another_container_is_updated_is_not_taken(
    staged: Staged, world: World
) -> None:
    scene = staged()
    scene.publish("old")
    before, reference = scene.run(), scene.reference
    world.publish("1.0.0", name="first")
    scene.reference = f"{scene.registry}/{world.prefix}/first:1.0.0"
    hook = {"safe-auto-updater.before-update": '["/bin/busybox", "sleep", "3"]'}
    scene.run("first", Labels=hook)
    scene.reference = reference
    world.publish("1.0.0", name="first", labels={"moved": "on"})
    scene.publish("new")
    running = scene.sau.start("apply", "--yes")
    assert eventually(lambda: world.get("first")["ExecIDs"], 30)
    scene.publish("newer")
    out, _ = running.communicate(timeout=120)
    updates = {one["asset"].rpartition("-")[2]: one for one in json.loads(out)["updates"]}
    assert updates["web"]["outcome"] == "aborted", updates
    assert "has moved on since it was planned" in updates["web"]["error"]
    assert world.get("web")["Id"] == before["Id"]


def test_others_of_the_same_image_are_not_updated_along_with_it(
    staged: Staged, world: World
) -> None:
    scene = staged()
    scene.publish("old")
    before, twin = scene.run(), scene.run("twin")
    scene.publish("new")
    said = scene.apply()
    if scene.line == "fork":
        assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    else:
        assert (said.code, said.update["outcome"]) == (1, "aborted"), said
        assert f"would update {world.prefix}-twin too" in said.update["error"]
        assert world.get("web")["Id"] == before["Id"]
    assert world.get("twin")["Id"] == twin["Id"]


def test_newer_tag_is_held(staged: Staged) -> None:
    scene = staged()
    scene.configure(more="  rules: [{match: {asset: '*'}, policy: minor}]\n")
    scene.publish("old")
    scene.run()
    scene.publish("newer", tag="1.1.0")
    step = scene.plan()
    assert (step["action"], step["hold_rules"]) == ("hold", ["watchtower"])
    assert "Watchtower changes no tags" in step["reasons"][0]


def test_anonymous_volume_is_held(staged: Staged) -> None:
    scene = staged()
    scene.publish("old", volumes=("/data",))
    scene.run()
    scene.publish("new", volumes=("/data",))
    step = scene.plan()
    assert (step["action"], step["hold_rules"]) == ("hold", ["watchtower"])
    assert "/data" in step["reasons"][0]


def test_update_by_watchtower_is_taken_back_by_ourselves(staged: Staged, world: World) -> None:
    scene = staged()
    scene.publish("old")
    before = scene.run()
    scene.publish("new")
    assert scene.apply().code == 0
    said = scene.sau("rollback", f"{world.prefix}-web", "--yes")
    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    assert world.get("web")["Image"] == before["Image"]
    assert scene.serves("old")
