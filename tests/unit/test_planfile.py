"""Plan files: regular files, read and written whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from safe_auto_updater.cli import planfile
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.model import Action, Change, Image, Plan, Step

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


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "{}", '{"schema": "x"}', "[" * 100_000, '{"schema": null}']
)
def test_what_is_no_plan_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(UsageError, match="plan"):
        planfile.read(tmp_path / "plan.json")
