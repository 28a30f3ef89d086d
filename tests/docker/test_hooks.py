"""Commands around an update: what they say decides, and a hold or failure names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.inside import run_inside
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

BEFORE, AFTER = "safe-auto-updater.before-update", "safe-auto-updater.after-update"
TIMEOUT = "safe-auto-updater.hook-timeout"
NOTE = "/lab/kept/note"


class Hooked:
    """A container whose hooks write to a volume, with a newer version at the registry."""

    def __init__(self, world: World, **labels: str) -> None:
        self.world = world
        old = world.publish("1.0.0", version="old")
        world.publish("1.1.0", version="new")
        self.volume = world.volume("kept")
        host = {"Binds": [f"{self.volume}:/lab/kept"]}
        world.run(old.reference, Labels=labels, HostConfig=host)
        assert world.text("web") == "old"
        self.before = world.get("web")

    def notes(self) -> str:
        """What hooks wrote."""
        mounted = self.world.call("GET", f"/volumes/{self.volume}")["Mountpoint"]
        note = Path(mounted) / "note"
        return note.read_text() if note.exists() else ""

    def remove_shell(self) -> None:
        """As in an image that never had one."""
        ran = run_inside(
            DockerEngine(self.world.lab.docker_host),
            self.before["Id"],
            ["/bin/busybox", "rm", "/bin/sh"],
            10,
        )
        assert ran is not None and ran.code == 0

    def untouched(self) -> bool:
        """Whether the old container never stopped."""
        now = self.world.get("web")
        return bool(
            now["Id"] == self.before["Id"]
            and now["State"]["StartedAt"] == self.before["State"]["StartedAt"]
        )


def wrote(word: str) -> str:
    return f'["/bin/busybox", "sh", "-c", "echo {word} $(/bin/busybox hostname) >> {NOTE}"]'


def test_hooks_run_in_the_old_container_and_then_in_the_new_one(world: World, sau: Sau) -> None:
    hooked = Hooked(world, **{BEFORE: wrote("before"), AFTER: wrote("after")})

    said = sau("apply", "--yes")

    assert said.code == 0, said.out
    old, new = said.update["old_id"][:12], said.update["new_id"][:12]
    assert hooked.notes().split() == ["before", old, "after", new]


SAYS: dict[str, tuple[str, str]] = {
    "fails": (
        '["/bin/busybox", "sh", "-c", "echo disk full; exit 3"]',
        "exit code 3 and said: disk full",
    ),
    "skips": ('["/bin/busybox", "sh", "-c", "exit 75"]', "asks to skip this time (exit code 75)"),
    "is heard no more": (
        '["/bin/busybox", "sh", "-c", "exec >/dev/null 2>&1; /bin/busybox sleep 1; exit 7"]',
        "exit code 7",
    ),
    "has no shell": ("echo hello", "the image has no shell; write the command as a list of words"),
    "has no program": ('["/bin/nothing"]', "the image has no such program"),
    "is late": ('["/bin/busybox", "sleep", "30"]', "did not end within 0.5 s (hook_timeout)"),
}


@pytest.mark.parametrize("what", SAYS)
def test_hook_before_that_says_no_leaves_everything_as_it_was(
    world: World, sau: Sau, what: str
) -> None:
    command, told = SAYS[what]
    hooked = Hooked(world, **{BEFORE: command, TIMEOUT: "500ms" if what == "is late" else "60s"})
    if what == "has no shell":
        hooked.remove_shell()

    said = sau("apply", "--yes")

    assert (said.code, said.update["outcome"], said.update["cause"]) == (1, "aborted", "hook")
    assert told in said.update["error"]
    assert hooked.untouched()
    assert world.ids() == {hooked.before["Id"]}
    again = sau("plan").step(f"{world.prefix}-web")
    assert again["action"] == "update", "a hook blames no version"


def test_hook_after_that_fails_takes_the_update_back(world: World, sau: Sau) -> None:
    hooked = Hooked(world, **{AFTER: '["/bin/busybox", "sh", "-c", "echo no schema; exit 1"]'})

    said = sau("apply", "--yes")

    assert (said.update["outcome"], said.update["cause"]) == ("rolled_back", "hook")
    assert "after_update failed with exit code 1 and said: no schema" in said.update["error"]
    assert world.get("web")["Id"] == hooked.before["Id"]
    assert world.get("web")["State"]["Running"]


def test_hooks_are_set_by_rule_too(world: World, sau: Sau) -> None:
    hooked = Hooked(world)
    rule: dict[str, Any] = {"before": '["/bin/busybox", "touch", "/lab/kept/note"]'}
    sau.configure(
        extra=f"detection:\n  rules: [{{match: {{asset: '*/web'}}, policy: none}}, "
        f"{{match: {{asset: '*'}}, before_update: {rule['before']}}}]\n"
    )
    assert sau("apply", "--yes").code == 0
    mounted = hooked.world.call("GET", f"/volumes/{hooked.volume}")["Mountpoint"]
    assert (Path(mounted) / "note").exists()


def test_hook_does_not_stand_in_the_way_back_of_what_no_longer_runs(world: World, sau: Sau) -> None:
    Hooked(world, **{BEFORE: wrote("before")})
    assert sau("apply", "--yes").code == 0
    world.call("POST", f"/containers/{world.prefix}-web/kill")
    eventually(lambda: not world.get("web")["State"]["Running"])

    said = sau("rollback", f"{world.prefix}-web", "--yes")

    assert said.code == 0, said.out + said.err
    assert world.text("web") == "old"


@pytest.mark.parametrize("when", ["before_update", "after_update"])
def test_hook_that_fails_does_not_keep_anybody_on_a_version_that_broke(
    world: World, sau: Sau, when: str
) -> None:
    Hooked(world)
    assert sau("apply", "--yes").code == 0
    command = '["/bin/busybox", "sh", "-c", "echo no database; exit 3"]'
    rule = f"{{match: {{asset: '*'}}, {when}: {command}}}"
    sau.configure(extra=f"detection:\n  rules: [{rule}]\n")

    said = sau("rollback", f"{world.prefix}-web", "--yes")

    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said.out + said.err
    told = f"{when} failed with exit code 3 and said: no database; gone back all the same"
    assert told in said.update["warnings"]
    assert world.text("web") == "old"


def test_hook_may_ask_to_go_back_another_time(world: World, sau: Sau) -> None:
    Hooked(world, **{BEFORE: f'["/bin/busybox", "sh", "-c", "test ! -e {NOTE} || exit 75"]'})
    assert sau("apply", "--yes").code == 0
    now = world.get("web")
    run_inside(DockerEngine(world.lab.docker_host), now["Id"], ["/bin/busybox", "touch", NOTE], 10)

    said = sau("rollback", f"{world.prefix}-web", "--yes")

    assert (said.code, said.update["outcome"]) == (1, "aborted"), said.out + said.err
    assert "asks to skip this time (exit code 75)" in said.update["error"]
    assert world.get("web")["Id"] == now["Id"]


@pytest.mark.every_instant
def test_hook_may_be_silent_for_as_long_as_it_may_take(world: World, sau: Sau) -> None:
    Hooked(world, **{BEFORE: '["/bin/busybox", "sleep", "65"]', TIMEOUT: "3m"})
    assert sau("apply", "--yes", timeout_s=200).code == 0
