"""`sau run --once`, for timers: its exit code says whether there was a cycle."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safe_auto_updater.cli.root import sau


def once(folder: Path, engine: str) -> Result:
    config = folder / "config.yml"
    config.write_text(f"inventory: {{docker: [{{name: attic, {engine}}}]}}\n")
    words = ["--config", str(config), "--state", str(folder / "state"), "run", "--once"]
    return CliRunner().invoke(sau, words)


def test_cycle_that_could_not_be_made_is_exit_code_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    said = once(tmp_path, "context: nosuch")
    assert said.exit_code == 4, said.output
    assert "this cycle could not be made" in said.stderr


def test_engine_that_does_not_answer_is_told_by_a_cycle_that_was_made(tmp_path: Path) -> None:
    said = once(tmp_path, f"host: 'unix://{tmp_path}/none.sock'")
    assert said.exit_code == 0, said.output
    assert "does not answer" in said.stderr
