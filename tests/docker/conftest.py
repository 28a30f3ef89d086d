"""Fixtures of the tests that need a Swarm, the service, or the image of the project itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import built_image
from tests.docker.service_kit import Service
from tests.docker.swarm.kit import Services, manager
from tests.lab_kit import Lab, World
from tests.lacking import lacking
from tests.sau_kit import Sau


@pytest.fixture(scope="module")
def swarm_mode(lab: Lab) -> Iterator[None]:
    """The lab's engine as the one manager of a Swarm; left again where nobody shares it."""
    manager(lab)
    yield
    if "PYTEST_XDIST_WORKER" not in os.environ:
        manager(lab, leave=True)


@pytest.fixture
def services(world: World, swarm_mode: None) -> Iterator[Services]:
    """This test's services, gone afterwards."""
    mine = Services(world)
    yield mine
    mine.clean()


@pytest.fixture(scope="session")
def our_image(lab: Lab) -> str:
    """The project's image on the lab's engine."""
    if not lab.docker:
        lacking("needs a docker command, which comes with the lab's newer engines")
    if not built_image.is_prepared(lab.layout.clone):
        lacking("needs what our image is built from, as it is now: `python -m lab build` makes it")
    return built_image.built(lab.docker, lab.layout)


@pytest.fixture
def service(sau: Sau, tmp_path: Path) -> Iterator[Service]:
    """`sau run`, not started yet; it is ended after the test."""
    one = Service(sau, tmp_path)
    yield one
    one.end()
