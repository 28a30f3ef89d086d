"""Both lines of helm, and a shelf of charts that is served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import programs
from tests.kubernetes.sources.kit import Helm, Watched
from tests.kubernetes.sources.server import Served, serving


@pytest.fixture(params=["helm 4", "helm 3"])
def helm(request: pytest.FixtureRequest, tmp_path: Path) -> Helm:
    """A publisher's helm of each line."""
    program = programs.helm() if request.param == "helm 4" else programs.helm_3()
    return Helm(program, tmp_path / "helm")


@pytest.fixture
def helm_4(tmp_path: Path) -> Helm:
    """The newest, where the line does not matter."""
    return Helm(programs.helm(), tmp_path / "helm")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Served]:
    """A folder that is served over HTTP."""
    with serving(tmp_path / "shelf") as served:
        yield served


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A release of `web` 1.0.0 with a state folder of its own."""
    return Watched(tmp_path / "state")
