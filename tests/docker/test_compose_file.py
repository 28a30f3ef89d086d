"""A newer tag for a Compose service: shown, written into the file, or left to the container."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.docker.compose_kit import Project, program
from tests.lab_kit import World, eventually
from tests.sau_kit import SOAK, Sau

pytestmark = pytest.mark.any_engine

__all__ = ["program"]


@pytest.fixture
def project(world: World, program: Path, tmp_path: Path) -> Project:
    return Project(world, program, tmp_path / "shop")


def rule(sau: Sau, compose: str) -> None:
    rules = f'detection:\n  rules: [{{match: {{asset: "*"}}, compose: {compose}}}]\n'
    sau.configure(SOAK, rules)


def text(project: Project, tag: str) -> str:
    return (
        "# größer 🎈\r\nservices:\r\n  web:   # the front door\r\n"
        f"    image: '{project.world.repository}:{tag}'  # pinned\r\n"
        "  other: {image: '" + project.world.repository + ":1.0.0'}\r\n"
    )


def published(project: Project, **new: str) -> None:
    project.world.publish("1.0.0")
    project.world.publish("1.1.0", **new)
    project.write(text(project, "1.0.0"))
    project.up()


def test_by_default_the_exact_edit_is_shown_and_nothing_changes(project: Project, sau: Sau) -> None:
    published(project)
    repository = project.world.repository
    edit = f"compose.yml:4: image: {repository}:1.0.0 -> {repository}:1.1.0"

    step = sau("plan").step(f"{project.name}-web-1")

    assert (step["action"], step["hold_rules"]) == ("hold", ["compose"])
    assert step["reasons"][0].startswith(edit)
    said = sau("check", "web-1", json_output=False)
    assert "EDIT" in said.out and edit in " ".join(said.out.split()).replace(": ", ": "), said.out
    assert sau("apply", "--yes").json["updates"] == []
    assert project.read() == text(project, "1.0.0")
    project.assert_settled()


def test_the_file_moves_with_the_container(project: Project, sau: Sau) -> None:
    published(project)
    rule(sau, "update-file")
    path = project.folder / "compose.yml"
    path.chmod(0o640)
    os.chown(path, 12, 34)
    sau.state.mkdir()
    os.chown(sau.state, 56, 78)  # that of a service, which acts as this user

    said = sau("apply", "--yes", "web-1")

    assert said.update["outcome"] == "succeeded", said.out
    assert project.read() == text(project, "1.1.0"), "that value, and not one byte more"
    story = sau("show", said.update["id"], json_output=False).out
    assert "file edited: compose.yml:4: image:" in " ".join(story.split())
    assert (path.stat().st_mode & 0o7777, path.stat().st_uid, path.stat().st_gid) == (0o640, 12, 34)
    assert project.ps()["web"] == ("running", f"{project.world.repository}:1.1.0")
    project.assert_settled()
    assert sorted(p.name for p in project.folder.iterdir()) == ["compose.yml"]
    assert not list((sau.state / "compose").iterdir()), "what the file said is not kept for ever"
    assert (sau.state / "compose").stat().st_uid == 56


EXTENSION = """\
x-images: {{web: &web '{repository}:{tag}'}}  # all of them
x-base: &base {{restart: "no"}}
services:
  web:
    <<: *base
    image: *web
"""


def test_image_behind_an_anchor_of_an_extension_moves(project: Project, sau: Sau) -> None:
    repository = project.world.repository
    project.world.publish("1.0.0")
    project.world.publish("1.1.0")
    project.write(EXTENSION.format(repository=repository, tag="1.0.0"))
    project.up()
    rule(sau, "update-file")
    said = sau("apply", "--yes", "web-1")
    assert said.update["outcome"] == "succeeded", said.out
    assert project.read() == EXTENSION.format(repository=repository, tag="1.1.0")
    project.assert_settled()


def test_service_that_nobody_starts_may_lack_its_files(project: Project, sau: Sau) -> None:
    project.world.publish("1.0.0")
    image = f"{project.world.repository}:1.0.0"
    text = f"services:\n  web: {{image: '{image}'}}\n"
    text += f"  debug: {{image: '{image}', profiles: [dev], env_file: .env.dev}}\n"
    project.write(text)
    project.up()
    project.world.publish("1.1.0")
    rule(sau, "update-file")
    said = sau("apply", "--yes", "web-1")
    assert said.update["outcome"] == "succeeded", said.out
    assert project.read() == text.replace(image, image.replace("1.0.0", "1.1.0"), 1)
    project.assert_settled()


def test_file_of_an_app_that_its_owner_only_made_is_asked_too(project: Project, sau: Sau) -> None:
    project.world.publish("1.0.0")
    image = f"{project.world.repository}:1.0.0"
    labels = "{casaos: casaos, safe-auto-updater.enable: 'true'}"
    project.write(f"services:\n  web: {{image: '{image}', labels: {labels}}}\n")
    project.up()
    project.world.publish("1.1.0")
    step = sau("plan").step(f"{project.name}-web-1")
    assert (step["action"], step["hold_rules"]) == ("hold", ["compose"])
    assert step["reasons"][0].startswith(f"compose.yml:2: image: {image}"), step


def test_what_only_compose_runs_holds_unless_a_hook_stands_for_it(
    project: Project, sau: Sau
) -> None:
    project.world.publish("stable", version="1")
    image = f"{project.world.repository}:stable"
    hook = "[{command: [/bin/busybox, touch, /ready]}]"
    project.write(f"services:\n  web: {{image: '{image}', post_start: {hook}}}\n")
    project.up()
    project.world.publish("stable", version="2")
    step = sau("plan").step(f"{project.name}-web-1")
    assert (step["action"], step["hold_rules"]) == ("hold", ["compose"])
    assert "Compose runs post_start when it makes this container anew" in step["reasons"][0]

    after = "after_update: [/bin/busybox, touch, /ready]"
    sau.configure(SOAK, f'detection:\n  rules: [{{match: {{asset: "*"}}, {after}}}]\n')
    said = sau("apply", "--yes")
    assert said.update["outcome"] == "succeeded", said.out
    project.sh("/bin/busybox test -e /ready")
    project.assert_settled()


def test_the_file_goes_back_with_the_container(project: Project, sau: Sau) -> None:
    published(project, behaviour="crash")
    rule(sau, "update-file")
    old = project.container("web")
    said = sau("apply", "--yes", "web-1")
    assert said.update["outcome"] == "rolled_back", said.out
    assert project.container("web")["Id"] == old["Id"]
    assert project.read() == text(project, "1.0.0")
    project.assert_settled()


def test_an_update_taken_back_takes_its_edit_back(project: Project, sau: Sau) -> None:
    published(project)
    rule(sau, "update-file")
    update = sau("apply", "--yes", "web-1").update
    assert update["outcome"] == "succeeded"
    said = sau("rollback", "--yes", update["id"])
    assert said.update["outcome"] == "succeeded", said.out
    assert project.read() == text(project, "1.0.0")
    project.assert_settled()


@pytest.mark.parametrize("why", ["others changed the file", "the edit is left to us no more"])
def test_a_file_that_cannot_follow_keeps_nobody_on_a_version_that_broke(
    project: Project, sau: Sau, why: str
) -> None:
    published(project)
    rule(sau, "update-file")
    update = sau("apply", "--yes", "web-1").update
    assert update["outcome"] == "succeeded"
    if why == "others changed the file":
        project.write(project.read().replace("  web:", "  web:\r\n    tty: true"))
    else:
        rule(sau, "hold")
    now = project.read()

    said = sau("rollback", "--yes", update["id"])

    assert said.update["outcome"] == "succeeded", said.out
    repository = project.world.repository
    assert project.container("web")["Config"]["Image"] == f"{repository}:1.0.0"
    (warning,) = said.update["warnings"]
    assert warning.startswith("its Compose file was not put back: ")
    assert f"the next `docker compose up` starts {repository}:1.1.0 again" in warning
    assert project.read() == now


@pytest.mark.every_instant
def test_the_file_goes_back_also_where_the_old_one_cannot_start(project: Project, sau: Sau) -> None:
    data = project.folder / "data"
    data.mkdir()
    project.world.publish("1.0.0")
    project.world.publish("1.1.0")
    fails = ["/bin/busybox", "sh", "-c", "/bin/busybox sleep 3; exit 1"]
    mount = {
        "type": "bind",
        "source": str(data),
        "target": "/d",
        "bind": {"create_host_path": False},
    }
    web = {
        "image": f"{project.world.repository}:1.0.0",
        "labels": {"safe-auto-updater.after-update": json.dumps(fails)},
        "volumes": [mount],
    }
    project.write(json.dumps({"services": {"web": web}}))
    before = project.read()
    project.up()
    those = project.world.ids()
    rule(sau, "update-file")

    running = sau.start("apply", "--yes", "web-1")
    eventually(lambda: project.world.hook_runs(those), 30)
    assert "1.1.0" in project.read()
    data.rename(project.folder / "elsewhere")
    out, _ = running.communicate(timeout=150)

    (update,) = json.loads(out)["updates"]
    assert update["outcome"] == "inconsistent", out
    assert "the old container cannot be started again" in update["error"]
    assert project.read() == before
    assert project.container("web")["Config"]["Image"] == web["image"]


def test_the_container_alone_moves_where_that_is_the_rule(project: Project, sau: Sau) -> None:
    published(project)
    rule(sau, "container-only")
    step = sau("plan").step(f"{project.name}-web-1")
    assert any("next `docker compose up` puts the old version back" in r for r in step["reasons"])
    assert sau("apply", "--yes", "web-1").update["outcome"] == "succeeded"
    assert project.read() == text(project, "1.0.0")
    assert "Recreated" in project.up()


def test_a_file_that_does_not_say_what_runs_is_not_edited(project: Project, sau: Sau) -> None:
    published(project)
    rule(sau, "update-file")
    changed = text(project, "1.0.0").replace("  web:", "  web:\r\n    tty: true")
    project.write(changed)
    step = sau("plan").step(f"{project.name}-web-1")
    assert step["action"] == "hold"
    assert "what its files say of service web is not what runs" in step["reasons"][0]
    assert project.read() == changed


def test_without_docker_compose_no_file_is_edited(
    project: Project, sau: Sau, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    published(project)
    rule(sau, "update-file")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "nothing"))
    step = sau("plan").step(f"{project.name}-web-1")
    assert "there is no docker compose here to ask" in step["reasons"][0]


def test_a_variable_of_env_is_edited_in_its_file(project: Project, sau: Sau) -> None:
    project.world.publish("1.0.0")
    project.world.publish("1.1.0")
    compose = f"services:\n  web:\n    image: {project.world.repository}:${{TAG:-9}}\n"
    project.write(compose)
    project.write("# mine\nexport TAG='1.0.0' # see below\nX=1\n", ".env")
    project.up()
    rule(sau, "update-file")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert project.read() == compose
    assert project.read(".env") == "# mine\nexport TAG='1.1.0' # see below\nX=1\n"
    project.assert_settled()


def test_a_link_to_the_file_stays_a_link(project: Project, sau: Sau, tmp_path: Path) -> None:
    project.world.publish("1.0.0")
    project.world.publish("1.1.0")
    real = tmp_path / "elsewhere.yml"
    real.write_text(f"services:\n  web:\n    image: {project.world.repository}:1.0.0\n")
    (project.folder / "compose.yml").symlink_to(real)
    project.up()
    rule(sau, "update-file")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert (project.folder / "compose.yml").is_symlink()
    assert real.read_text().endswith(":1.1.0\n")
    project.assert_settled()


def test_a_file_mounted_by_itself_is_written_in_place(
    project: Project, sau: Sau, tmp_path: Path
) -> None:
    """A rename onto a mount point is refused; two names for one file stand in for that here."""
    published(project, behaviour="crash")
    other = tmp_path / "other-name.yml"
    other.hardlink_to(project.folder / "compose.yml")
    rule(sau, "update-file")
    assert sau("apply", "--yes", "web-1").update["outcome"] == "rolled_back"
    assert other.read_bytes().decode() == text(project, "1.0.0")
    assert other.samefile(project.folder / "compose.yml")


def test_what_others_wrote_meanwhile_stays_when_the_edit_is_taken_back(
    project: Project, sau: Sau
) -> None:
    published(project, behaviour="ready_late", env={"READY_AFTER": "60"})
    rule(sau, "update-file")
    run = sau.start("apply", "--yes", "web-1")
    try:
        while "1.1.0" not in project.read():
            assert run.poll() is None, run.communicate()
        project.write(text(project, "1.1.0") + "# a human was here\r\n")
        out, _ = run.communicate(timeout=60)
    finally:
        run.kill()
    assert '"rolled_back"' in out
    assert "changed by others meanwhile: only this image was put back in it" in out
    assert project.read() == text(project, "1.0.0") + "# a human was here\r\n"


def test_a_line_that_stands_for_several_containers_is_not_edited(
    project: Project, sau: Sau
) -> None:
    published(project)
    project.up("--scale", "web=2")
    rule(sau, "update-file")
    step = sau("plan").step(f"{project.name}-web-1")
    assert f"has other containers too: {project.name}-web-2" in step["reasons"][0]


PAIR = """\
services:
  one: {image: "REPO/one:1.0.0"}   # first
  two: {image: 'REPO/two:1.0.0'}
"""


def pair(project: Project, sau: Sau, extra: str, soak: str = SOAK, **newer: Any) -> str:
    """Two services of one file, both with a newer tag; the text of the file."""
    world = project.world
    for name in ("one", "two"):
        world.publish("1.0.0", name=name)
    project.write(PAIR.replace("REPO", f"{world.lab.registry}/{world.prefix}"))
    project.up()
    world.publish("1.1.0", name="one")
    world.publish("1.1.0", name="two", **newer)
    rules = f'detection:\n  rules: [{{match: {{asset: "*"}}, compose: update-file, {extra}}}]\n'
    sau.configure(soak, rules)
    return project.read()


def test_a_group_in_one_file_moves_and_goes_back_whole(project: Project, sau: Sau) -> None:
    text = pair(project, sau, "group: pair", behaviour="crash")
    ids = project.world.ids()
    undone = sau("apply", "--yes").update
    assert (undone["outcome"], undone["warnings"]) == ("rolled_back", [])
    assert (project.read(), project.world.ids()) == (text, ids)
    project.world.publish("1.1.1", name="two")
    update = sau("apply", "--yes").update
    assert update["outcome"] == "succeeded", update
    assert project.read() == text.replace("one:1.0.0", "one:1.1.0").replace(
        "two:1.0.0", "two:1.1.1"
    )
    project.assert_settled()


def test_updates_at_once_in_one_file_leave_each_other_alone(project: Project, sau: Sau) -> None:
    at_once = "stable_for: 3s}\n  max_parallel: 2\n  keep: {versions: 1"  # closes the mapping
    newer = {"behaviour": "crash_later", "env": {"CRASH_AFTER": "1"}}
    text = pair(project, sau, "enable: true", at_once, **newer)
    ends = {u["asset"][-5:-2]: u["outcome"] for u in sau("apply", "--yes").json["updates"]}
    assert ends == {"one": "succeeded", "two": "rolled_back"}
    assert project.read() == text.replace("one:1.0.0", "one:1.1.0")
    project.assert_settled()


def test_a_file_that_names_the_new_tag_already_needs_no_rule(project: Project, sau: Sau) -> None:
    published(project)
    project.write(text(project, "1.1.0"))
    update = sau("apply", "--yes", "web-1").update
    assert (update["outcome"], update["warnings"]) == ("succeeded", [])
    assert project.read() == text(project, "1.1.0")
    project.assert_settled()


def test_another_env_file_is_the_one_that_is_edited(
    world: World, program: Path, tmp_path: Path, sau: Sau
) -> None:
    files = ("--env-file", "my.env", "-f", "base.yml", "-f", "more.yml", "--profile", "all")
    project = Project(world, program, tmp_path / "shop", *files)
    world.publish("1.0.0")
    world.publish("1.1.0")
    base = f"services:\n  web: {{image: '{world.repository}:$TAG', profiles: [all]}}\n"
    project.write(base, "base.yml")
    project.write("services:\n  web: {env_file: [web.env], command: ['$PWD']}\n", "more.yml")
    project.write("A=1\n", "web.env")
    project.write("TAG=9\n", ".env")
    project.write("TAG=1.0.0\n", "my.env")
    project.up()
    rule(sau, "update-file")
    said = sau("apply", "--yes")
    assert said.update["outcome"] == "succeeded", said.out
    assert (project.read("my.env"), project.read(".env")) == ("TAG=1.1.0\n", "TAG=9\n")
    project.assert_settled()
