"""Fixtures of the tests that need a Swarm."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.docker.swarm.kit import Services, manager
from tests.lab_kit import Lab, World


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
