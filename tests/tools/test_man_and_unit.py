"""The man page and the systemd unit, judged by the tools that read them. No systemd runs here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lacking import lacking
from tests.tools.conftest import DEPLOY

PAGE = DEPLOY / "man/sau.1"
UNIT = DEPLOY / "systemd/safe-auto-updater.service"
SAU = Path(sys.executable).parent / "sau"


def tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        lacking(f"needs {name}: install Debian's {package}, as `python -m lab build` does")
    assert found is not None
    return found


def test_reader_of_man_pages_finds_nothing_wrong() -> None:
    words = [tool("mandoc", "mandoc"), "-T", "lint"]
    said = subprocess.run([*words, str(PAGE)], capture_output=True, text=True, check=False).stdout
    # A date would change with each release and tell nobody anything.
    assert ["missing date" in line for line in said.splitlines()] == [True]
    broken = PAGE.read_text().replace(".fi\n", "", 1).replace(".PP", ".QQ", 1)
    said = subprocess.run(words, input=broken, capture_output=True, text=True, check=False).stdout
    assert "unknown macro: .QQ" in said


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, of a program that exists on this machine."""
    text = UNIT.read_text()
    assert "/opt/safe-auto-updater/bin/sau" in text
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace("/opt/safe-auto-updater/bin/sau", str(SAU)))
    return copy


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [tool("systemd-analyze", "systemd"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_systemd_reads_every_line_of_the_unit(unit: Path) -> None:
    said = analyze("verify", "--man=no", unit)
    assert said.stdout + said.stderr == "" and said.returncode == 0
    unit.write_text(unit.read_text().replace("ProtectHome=yes", "ProtectHoem=yes"))
    assert "ProtectHoem" in analyze("verify", "--man=no", unit).stderr


def test_systemd_finds_little_exposed(unit: Path) -> None:
    """Of 10; a unit without any of this has 9.6."""
    limit = ("security", "--offline=true", "--threshold=20")
    said = analyze(*limit, unit)
    assert said.returncode == 0, said.stdout
    bare = [one for one in unit.read_text().splitlines() if not re.match("Protect|Restrict", one)]
    unit.write_text("\n".join(bare))
    assert analyze(*limit, unit).returncode != 0


COMPLETE = """
eval "$(_SAU_COMPLETE=bash_source sau)"
COMP_WORDS=({words}) COMP_CWORD={at}
_sau_completion sau
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("sau pl", ["plan"]),
        ("sau config v", ["validate"]),
        ("sau run --li", ["--listen"]),
        ("sau --output j", ["json"]),
    ],
)
def test_bash_completes_commands_and_options(words: str, expected: list[str]) -> None:
    script = COMPLETE.format(words=words, at=len(words.split()) - 1)
    environment = os.environ | {"PATH": f"{SAU.parent}:{os.environ['PATH']}"}
    said = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert said.stdout.split() == expected
