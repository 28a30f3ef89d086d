"""What Compose copied into a container is in the one that takes its place, before it starts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.docker.compose_kit import Project, program
from tests.lab_kit import World
from tests.sau_kit import Sau

__all__ = ["program"]

REST = """\
    environment: {X: "1"}
    configs:
      - {source: inline, target: /etc/app.conf, mode: 0440, uid: "12", gid: "34"}
      - source: variable
      - {source: variable, target: /var/run/app/linked.conf}
    secrets:
      - token
      - {source: token, target: other, mode: 0400}
configs:
  inline: {content: "größer = $$5\\n"}
  variable: {environment: GREETING}
secrets:
  token: {environment: TOKEN}
"""
LINKED = "/var/run/app/linked.conf"  # where /var/run is a link, as in most images
PATHS = ["/etc/app.conf", "/run/secrets/other", "/run/secrets/token", "/variable", LINKED]


@pytest.fixture
def project(world: World, program: Path, tmp_path: Path) -> Project:
    made = Project(world, program, tmp_path / "shop")
    world.publish("stable", version="old")
    made.write("GREETING=hello\nTOKEN=secret\n", ".env")
    made.write(f"services:\n  web:\n    image: {world.repository}:stable\n{REST}")
    made.up()
    return made


def seen(project: Project) -> dict[str, str]:
    """Mode, owner and content of each file."""
    look = "/bin/busybox stat -c '%a %u %g' $0; /bin/busybox cat $0"
    return {path: project.sh(look, path) for path in PATHS}


def test_configs_and_secrets_of_compose_go_along(project: Project, sau: Sau) -> None:
    before = seen(project)
    assert "größer = $5" in before["/etc/app.conf"]
    project.world.publish("stable", version="new")
    said = sau("apply", "--yes")
    assert said.update["outcome"] == "succeeded", said.out
    assert seen(project) == before
    project.assert_settled()
    assert seen(project) == before


def test_they_are_known_without_the_files_of_the_project(
    project: Project, sau: Sau, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = seen(project)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "nothing"))
    for version in ("new", "newer"):
        project.world.publish("stable", version=version)
        assert sau("apply", "--yes").update["outcome"] == "succeeded"
        assert seen(project) == before
    assert sau("rollback", f"{project.name}-web-1", "--yes").update["outcome"] == "succeeded"
    assert seen(project) == before


def test_what_the_process_unpacked_stays_behind_where_the_files_can_be_asked(
    project: Project, sau: Sau
) -> None:
    """By its time it could be Compose's: an archive's whole second, between making and start."""
    made = project.container("web")
    project.sh("/bin/busybox mkdir -p /opt; /bin/busybox date +%s > /opt/server.js")
    project.sh("/bin/busybox touch -d @$(/bin/busybox cat /opt/server.js) /opt/server.js")
    time.sleep(1.1)
    project.world.call("POST", f"/containers/{made['Id']}/restart?t=1")
    project.world.publish("stable", version="new")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    changed = project.world.call("GET", f"/containers/{project.container('web')['Id']}/changes")
    assert "/opt/server.js" not in {one["Path"] for one in changed}


def test_what_the_process_wrote_stays_behind(project: Project, sau: Sau) -> None:
    project.sh("/bin/busybox mkdir -p /tmp; echo 1 > /tmp/mine")
    project.world.publish("stable", version="new")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    changed = project.world.call("GET", f"/containers/{project.container('web')['Id']}/changes")
    paths = {one["Path"] for one in changed}
    assert "/tmp/mine" not in paths
    assert {path.replace("/var/run", "/run") for path in PATHS} <= paths
