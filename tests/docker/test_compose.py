"""After an update or a rollback Docker Compose sees its project as it is, and changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docker.compose_kit import Project, program
from tests.lab_kit import World
from tests.sau_kit import SOAK, Sau

__all__ = ["program"]


@pytest.fixture
def project(world: World, program: Path, tmp_path: Path) -> Project:
    return Project(world, program, tmp_path / "shop")


def one_service(project: Project, tag: str, rest: str = "") -> None:
    project.write(f"services:\n  web:\n    image: {project.world.repository}:{tag}\n{rest}")


def test_new_content_of_the_same_tag_leaves_nothing_to_do_for_compose(
    project: Project, sau: Sau
) -> None:
    project.world.publish("stable", version="old")
    one_service(project, "stable")
    project.up()
    old = project.labels("web")
    new = project.world.publish("stable", version="new")

    assert sau("apply", "--yes").update["outcome"] == "succeeded"

    labels = project.labels("web")
    assert labels["image"] == project.world.id_of(new) != old["image"]
    assert labels["config-hash"] == old["config-hash"]
    project.assert_settled()


def test_what_compose_stumbles_over_is_not_repeated(project: Project, sau: Sau) -> None:
    project.world.publish("1.0.0")
    one_service(project, "1.0.0")
    project.up()
    project.world.publish("1.1.0")
    one_service(project, "1.0.0", "    environment: {PASSWORD: 'hunter2${x'}\n")
    sau.configure(SOAK, 'detection: {rules: [{match: {asset: "*"}, compose: update-file}]}\n')

    said = sau("plan")

    reason = "; ".join(said.step(f"{project.name}-web-1")["reasons"])
    assert "hunter2" not in said.out + said.err
    assert "services.web.environment.PASSWORD" in reason
    assert f"see `docker compose config` in {project.folder}" in reason


def test_file_that_never_ends_keeps_nobody_waiting(project: Project, sau: Sau) -> None:
    project.world.publish("1.0.0")
    one_service(project, "1.0.0")
    project.up()
    project.world.publish("1.1.0")
    (project.folder / "compose.yml").unlink()
    os.mkfifo(project.folder / "compose.yml")

    step = sau("plan").step(f"{project.name}-web-1")

    assert step["action"] == "hold"
    assert "is no file that stays" in "; ".join(step["reasons"])


def test_the_labels_are_those_that_compose_would_have_written(project: Project, sau: Sau) -> None:
    project.world.publish("stable", version="old")
    one_service(project, "stable")
    project.up()
    project.world.publish("stable", version="new")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    ours = project.labels("web")
    project.up("--force-recreate")
    assert ours == project.labels("web")


def test_failed_update_leaves_nothing_to_do_for_compose(project: Project, sau: Sau) -> None:
    project.world.publish("stable", version="old")
    one_service(project, "stable")
    project.up()
    old = project.container("web")
    project.world.publish("stable", version="new", behaviour="crash")
    assert sau("apply", "--yes").update["outcome"] == "rolled_back"
    assert project.container("web")["Id"] == old["Id"]
    project.assert_settled()
    project.up("--pull", "always")  # Compose takes what we did not: it was never kept from it


def test_an_image_that_compose_built_elsewhere_brings_no_project(
    project: Project, sau: Sau
) -> None:
    name = project.name
    theirs = {
        "com.docker.compose.project": name,
        "com.docker.compose.service": "web",
        "com.docker.compose.version": "2.40.3",
    }
    project.world.publish("stable", version="old", labels=theirs)
    one_service(project, "stable")
    project.up()
    project.world.publish("stable", version="new")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert theirs.items() <= project.container("web")["Config"]["Labels"].items()
    project.assert_settled()


BEHIND = """\
services:
  web: {image: "REPO:stable"}
  side:
    image: REPO/side:1.0.0
    network_mode: service:web
    environment: {PORT: "9090"}
"""


def tunnel(project: Project) -> None:
    """A service, one behind its network, and new content for the first."""
    world = project.world
    world.publish("stable", version="old")
    world.publish("1.0.0", name="side")
    side = f"{world.lab.registry}/{world.prefix}/side"
    project.write(BEHIND.replace("REPO/side", side).replace("REPO", world.repository))
    project.up()
    world.publish("stable", version="new")


def test_who_is_behind_a_service_has_the_hash_of_the_new_container(
    project: Project, sau: Sau
) -> None:
    tunnel(project)
    before = project.labels("side")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert project.labels("side")["config-hash"] != before["config-hash"]
    assert project.labels("side")["image"] == before["image"]
    project.assert_settled()


def test_without_docker_compose_it_is_told_who_will_be_created_once_more(
    project: Project, sau: Sau, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tunnel(project)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "nothing"))
    update = sau("apply", "--yes").update
    assert update["outcome"] == "succeeded"
    (warning,) = update["warnings"]
    assert f"{project.name}-side-1: the next `docker compose up` will create it" in warning
    assert "side-1  Recreated" in project.up()
