"""Fixtures that all tests share: the lab, and one world per test."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from tests.lacking import lacking

# `lab` and `tests` are folders of the clone, not installed: a bare `pytest` does not see them.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.lab_kit import Lab, World
from tests.sau_kit import Sau

# Properties are sampled in the seconds that `make test-unit` has; HYPOTHESIS_PROFILE=full for more.
settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("full", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def _engine() -> Lab | None:
    """The lab that we are in, when it is one with an engine and not with a cluster."""
    described = os.environ.get("SAU_LAB")
    if not described or "socket" not in json.loads(Path(described).read_text()):
        return None
    return Lab.read(Path(described))


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The running lab. Without one tests are skipped, on CI they fail."""
    if (engine := _engine()) is not None:
        return engine
    why = "needs a lab with an engine (SAU_LAB tells of none): start the tests with `make test`"
    return lacking(why)


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest our markers, and choose the seed of everything that is sampled."""
    os.environ.setdefault("SAU_SEED", secrets.token_hex(4))  # test processes inherit it
    config.addinivalue_line(
        "markers",
        "slow: needs no lab and takes a while; `make test-unit` leaves it to `make check`",
    )
    config.addinivalue_line(
        "markers", "every_instant: all of what `make test` samples; runs in `make test-full`"
    )
    config.addinivalue_line(
        "markers", "any_engine: engines hardly differ in it; `make test` runs it on the oldest only"
    )
    config.addinivalue_line(
        "markers", "other_helm: the helm that a test does not run with in `make test`, but in full"
    )
    config.addinivalue_line(
        "markers",
        "engine_crash: kills the engine or API server; runs in `python -m lab --instance NAME run`",
    )
    config.addinivalue_line(
        "markers", "swarm: makes a Swarm of the engine; runs in a lab of its own, as engine_crash"
    )
    config.addinivalue_line(
        "markers", "engines(question): only on engines of whose `Lab` it is true; else left out"
    )
    config.addinivalue_line(
        "markers", "small_disk: fills the engine's disk; runs in `python -m lab --disk MIB run`"
    )


def pytest_report_header() -> list[str]:
    """Which engine the tests run on."""
    lab = _engine()
    return [f"lab: engine {lab.engine}, API {lab.engine_api}"] if lab else []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the seed, so that the same sample can be taken again."""
    terminalreporter.write_line(f"SAU_SEED={os.environ['SAU_SEED']} repeats what was sampled")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that kill the engine, fill its disk or change its mode need a lab of their own."""
    described = os.environ.get("SAU_LAB")
    told = json.loads(Path(described).read_text()) if described else {}
    own, disk = told.get("instance"), told.get("disk")
    there = {"engine_crash": own, "swarm": own, "small_disk": disk}
    absent = [mark for mark, has in there.items() if not has]
    out = [item for item in items if any(map(item.get_closest_marker, absent))]
    if (lab := _engine()) is not None:
        out += [item for item in items if not all(m.args[0](lab) for m in _engines(item))]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


def _engines(item: pytest.Item) -> list[pytest.Mark]:
    return list(item.iter_markers("engines"))


@pytest.fixture
def world(lab: Lab, tmp_path: Path) -> Iterator[World]:
    """A sandbox on the lab that is empty before and after."""
    mine = World(lab, f"t{secrets.token_hex(4)}", tmp_path)
    yield mine
    mine.clean()


@pytest.fixture
def sau(world: World, tmp_path: Path) -> Sau:
    """The program, seeing this test's world alone."""
    return Sau(world, tmp_path)


@pytest.fixture
def only_watchtower(lab: Lab) -> Iterator[None]:
    """The test may have a Watchtower on the engine that all share, which `sau doctor` tells of."""
    with _watchtowers(lab, fcntl.LOCK_EX):
        yield


@pytest.fixture
def no_watchtower(lab: Lab) -> Iterator[None]:
    """Nobody has one there meanwhile."""
    with _watchtowers(lab, fcntl.LOCK_SH):
        yield


@contextmanager
def _watchtowers(lab: Lab, how: int) -> Iterator[None]:
    with (lab.layout.home / "watchtower.lock").open("w") as lock:
        fcntl.flock(lock, how)
        yield
