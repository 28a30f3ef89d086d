"""After an update or a rollback Docker Compose sees its project as it is, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker.compose_kit import Project, program
from tests.lab_kit import World
from tests.sau_kit import Sau

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
