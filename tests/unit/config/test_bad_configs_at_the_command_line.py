"""Every bad file at the command line: exit code 2, each line with its place, no traceback."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from safe_auto_updater.cli import main
from tests.unit.config.bad_configs import Bad, bad_configs

SHARES = 12


def cases() -> tuple[Bad, ...]:
    """A third of them: the reader itself is asked all, next door."""
    return bad_configs()[::3]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str, str]:
    """`sau` with these words: exit code, standard output and error."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["sau", *words])
        main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.mark.slow
def test_there_are_two_hundred() -> None:
    assert len(cases()) >= 200


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_bad_files_each_exit_with_2_and_say_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], share: int
) -> None:
    file = tmp_path / "bad.yml"
    for case in cases()[share::SHARES]:
        file.write_bytes(case.content)

        code, out, err = run(capsys, "config", "validate", str(file))

        assert (code, out) == (2, ""), case.name
        lines = err.strip().splitlines()
        assert lines, case.name
        assert all(re.match(rf"{re.escape(str(file))}:\d+:\d+: ", line) for line in lines), err


@pytest.mark.parametrize("command", ["status", "scan", "check", "plan", "apply", "recover"])
def test_no_command_begins_with_a_bad_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file = tmp_path / "bad.yml"
    file.write_text("detection:\n  polcy: minor\n")

    code, _, err = run(capsys, "--config", str(file), "--state", str(tmp_path / "s"), command)

    assert code == 2
    assert err.startswith(f"{file}:2:3: detection.polcy: ")
    assert not (tmp_path / "s").exists()


def test_starter_file_is_good_and_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sau.yml"
    assert run(capsys, "config", "init", str(file))[0] == 0
    assert run(capsys, "config", "validate", str(file))[0] == 0
    file.write_text("mine")
    assert run(capsys, "config", "init", str(file))[0] == 2
    assert file.read_text() == "mine"


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    code, out, _ = run(capsys, "config", "schema")
    assert code == 0
    assert json.loads(out)["type"] == "object"
