"""What the image's recipe fetches is what its list says, or nothing."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

RECIPE = Path(__file__).parents[2] / "deploy/image"
PLATFORM = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The script beside a list with one tool, whose archive is there."""
    shutil.copy(RECIPE / "fetch.py", tmp_path)
    (tmp_path / "tool").write_text("#!/bin/sh\necho I am it\n")
    (tmp_path / "archives").mkdir()
    with tarfile.open(tmp_path / "archives/tool.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "tool", "bin/tool")
    content = (tmp_path / "archives/tool.tar.gz").read_bytes()
    listed(tmp_path, hashlib.sha256(content).hexdigest())
    return tmp_path


def listed(folder: Path, checksum: str) -> None:
    platform = PLATFORM.get(os.uname().machine, os.uname().machine)
    row = f"tool {platform} {checksum} bin/tool https://nowhere.invalid/tool.tar.gz\n"
    (folder / "tools.txt").write_text(f"# a comment\n{row}")


def fetch(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(folder / "fetch.py"), str(folder / "bin"), *names]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_tool_with_the_right_checksum_is_unpacked(folder: Path) -> None:
    assert fetch(folder, "tool").returncode == 0
    said = subprocess.run([folder / "bin/tool"], capture_output=True, text=True, check=True)
    assert said.stdout == "I am it\n"


def test_nothing_is_asked_for_where_no_tool_is_wanted(folder: Path) -> None:
    assert fetch(folder).returncode == 0
    assert list((folder / "bin").iterdir()) == []


def test_other_content_is_refused(folder: Path) -> None:
    listed(folder, "0" * 64)
    done = fetch(folder, "tool")
    assert done.returncode == 1
    assert "nothing is used" in done.stderr and "0" * 64 in done.stderr
    assert not (folder / "bin/tool").exists()


def test_unknown_tool_is_told_with_the_remedy(folder: Path) -> None:
    done = fetch(folder, "other")
    assert done.returncode == 1
    assert "has no other for" in done.stderr and "leave it out of TOOLS" in done.stderr


def test_list_has_each_tool_for_both_platforms() -> None:
    lines = (RECIPE / "tools.txt").read_text().splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    assert all(re.fullmatch("[0-9a-f]{64}", checksum) for _, _, checksum, _, _ in rows)
    for name in {row[0] for row in rows}:
        assert {row[1] for row in rows if row[0] == name} == {"linux/amd64", "linux/arm64"}
