"""Files of somebody else's are replaced whole, and stay theirs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from safe_auto_updater.platforms.docker.compose import writing
from tests.lacking import lacking

OLD, NEW = b"image: web:1.2  # mine\n", b"image: web:1.14\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "compose.yml"
    path.write_bytes(OLD)
    path.chmod(0o604)
    return path


def test_content_is_new_and_all_else_stays(file: Path) -> None:
    before = file.stat()
    writing.replace_content(file, NEW)
    after = file.stat()
    assert file.read_bytes() == NEW
    kept = ("st_mode", "st_uid", "st_gid", "st_nlink")
    assert [getattr(after, key) for key in kept] == [getattr(before, key) for key in kept]
    assert [one.name for one in file.parent.iterdir()] == ["compose.yml"]


def test_extended_attributes_stay(file: Path) -> None:
    try:
        os.setxattr(file, "user.note", b"mine")
    except OSError:
        pytest.skip("this file system has none")
    writing.replace_content(file, NEW)
    assert os.getxattr(file, "user.note") == b"mine"


def test_a_link_leads_to_the_file_that_is_written(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yml"
    link.symlink_to(file)
    writing.replace_content(link, NEW)
    assert link.is_symlink()
    assert file.read_bytes() == NEW


def test_new_file_that_root_makes_is_its_folders_owners(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        lacking("is about root: run it as root")
    os.chown(tmp_path, 12345, 12345)
    writing.create(tmp_path / "kept.json", NEW)
    assert (tmp_path / "kept.json").read_bytes() == NEW
    assert (tmp_path / "kept.json").stat().st_uid == 12345


@pytest.mark.parametrize(("before", "after"), [(OLD, NEW), (NEW, OLD), (OLD, b"")])
def test_a_file_with_two_names_keeps_both(file: Path, before: bytes, after: bytes) -> None:
    file.write_bytes(before)
    other = file.with_name("other")
    other.hardlink_to(file)
    writing.replace_content(file, after)
    assert other.read_bytes() == after
    assert other.samefile(file)


def test_a_file_that_is_gone_is_not_made(file: Path) -> None:
    file.unlink()
    with pytest.raises(FileNotFoundError):
        writing.replace_content(file, NEW)
    assert not file.exists()


def test_what_a_kill_left_beside_is_taken_away(file: Path) -> None:
    beside = file.with_name(".compose.yml.sau-next")
    beside.write_bytes(b"half")
    writing.leftover_removed(file)
    assert not beside.exists()
    beside.write_bytes(b"half")
    writing.replace_content(file, NEW)
    assert (beside.exists(), file.read_bytes()) == (False, NEW)


@pytest.mark.parametrize(("before", "after"), [(OLD, NEW), (NEW, OLD)])
def test_a_write_in_place_that_was_cut_off_is_known(before: bytes, after: bytes) -> None:
    torn = writing.torn(before, after)
    assert torn.startswith(after)
    assert len(torn) == max(len(before), len(after))


def test_ours_are_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    writing.create(path, b"x")
    writing.create(path, b"y")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"y", 0o600)
