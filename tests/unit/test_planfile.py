"""Plan files: regular files, read and written whole."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from safe_auto_updater.cli import planfile
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.model import Action, Bond, Change, Follower, Image, Plan, Step

WEB = "docker:local/web"
CHANGE = Change(WEB, "web", Image("web:1", "1"), Image("web:2", "2", "sha256:d"), "major")
PLAN = Plan((Step(WEB, Action.UPDATE, ("why",), (CHANGE,)),))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    planfile.write(tmp_path / "plan.json", PLAN)
    assert planfile.read(tmp_path / "plan.json") == PLAN
    assert os.listdir(tmp_path) == ["plan.json"]


def test_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "plan.json")
    planfile.write(tmp_path / "link", PLAN)
    assert (tmp_path / "link").is_symlink()
    assert planfile.read(tmp_path / "plan.json") == PLAN


def test_what_is_no_regular_file_is_neither_replaced_nor_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "pipe", tmp_path, Path("/dev/null"), Path("/dev/zero")):
        before = file.stat().st_mode
        with pytest.raises(UsageError, match="regular file"):
            planfile.write(file, PLAN)
        with pytest.raises(UsageError, match="regular file"):
            planfile.read(file)
        assert file.stat().st_mode == before


def test_file_that_cannot_be_looked_at_is_refused(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for file in (tmp_path / ("x" * 300), tmp_path / "plan.json" / "no", tmp_path / "circle" / "x"):
        (tmp_path / "plan.json").touch()
        with pytest.raises(UsageError, match="cannot be saved"):
            planfile.write(file, PLAN)


def test_plan_with_which_others_would_move_by_now_no_longer_holds(tmp_path: Path) -> None:
    file, name = tmp_path / "plan.json", "docker:local/proxy"
    proxy = Follower(name, "proxy", Image("proxy:1"), Bond.RECREATE, "uses its network")
    (alone,) = PLAN.steps
    unit = replace(alone, members=(WEB, name), followers=(proxy,), needs=((name, WEB),))
    for saved, now in ((PLAN, Plan((unit,))), (Plan((unit,)), PLAN)):
        planfile.write(file, saved)
        assert planfile.still_holds(file, planfile.read(file), saved) == saved
        with pytest.raises(UsageError, match=r"has changed .*\n.*with it: proxy recreate"):
            planfile.still_holds(file, planfile.read(file), now)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "{}", '{"schema": "x"}', "[" * 100_000, '{"schema": null}']
)
def test_what_is_no_plan_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(UsageError, match="plan"):
        planfile.read(tmp_path / "plan.json")
