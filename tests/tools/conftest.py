"""Fixtures: the tools of those whose files we ship. None needs an engine or a cluster."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import dashboards
from tests.lacking import lacking

DEPLOY = Path(__file__).parents[2] / "deploy"
Promtool = Callable[..., str]


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    """Prometheus' own tool: words and standard input to what it prints, which must be a success."""
    if shutil.which("promtool") is None:
        lacking("needs promtool: install Debian's prometheus, as `python -m lab build` does")

    def run(*words: str | Path, given: bytes = b"") -> str:
        done = subprocess.run(
            ["promtool", *words], check=False, input=given, capture_output=True, timeout=120
        )
        said = (done.stdout + done.stderr).decode()
        assert done.returncode == 0, said
        return said

    return run


@pytest.fixture(scope="session")
def dashboard_faults() -> Callable[[Path], str]:
    """What Grafana's own types find wrong with a dashboard."""
    if not dashboards.is_built():
        lacking("needs the reader of dashboards: `python -m lab.dashboards` builds it with Go")
    return dashboards.faults
