"""A unit of dependents is whole after recovery, wherever it was killed."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from tests.docker.kill.hitting import hit
from tests.docker.test_dependents import Vpn, shares
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine

NAMES = ("vpn", "middle", "end", "side")
MOST = 140  # more instants than there are
SAMPLE = 4
SHARES = 16


class Unit:
    """`vpn`, who uses its network, who uses that one's processes, and who uses its volumes."""

    def __init__(self, world: World, folder: Path, **newer: Any) -> None:
        self.world, self.folder = world, folder
        self.vpn = Vpn(world, **newer)
        always = {"HostConfig": {"RestartPolicy": {"Name": "always"}}}
        self.vpn.hang("middle", **always)
        self.vpn.hang("end", on="middle", bond="pid", **always)
        self.vpn.hang("side", bond="volumes")
        self.sau = Sau(world, folder, health="stable_for: 300ms")

    def side(self) -> str:
        """`old` or `new`: all of the unit, working together, and nothing beside it."""
        assert len(self.world.ids()) == len(NAMES), "nothing is left over"
        sides = {"old" if self.vpn.same(name) else "new" for name in NAMES}
        for name in NAMES:
            now, before = self.world.get(name), self.vpn.before[name]
            assert now["State"]["Running"], name
            policy = before["HostConfig"]["RestartPolicy"]
            assert now["HostConfig"]["RestartPolicy"] == policy, name
        (side,) = sides
        eventually(lambda: self.world.http("vpn") == side)
        assert shares(self.world, "middle", "vpn", "network")
        assert shares(self.world, "end", "middle", "pid")
        assert shares(self.world, "side", "vpn", "volumes")
        return side


def killed(world: World, folder: Path, ends: str, at: int) -> bool:
    """One update killed at an instant and recovered; whether the instant was there."""
    folder.mkdir()
    unit = Unit(world, folder, **({} if ends == "new" else {"behaviour": "crash"}))
    ended = hit(unit.sau, "apply", "--yes", f"{world.prefix}-vpn", at=at)
    if ended.killed:
        said = unit.sau("recover")
        assert said.code == 0, (ended.reached[-1], said.out, said.err)
    assert unit.side() == "old" or ends == "new", ended.reached[-1]
    assert unit.sau("recover").json["updates"] == []
    world.clean()
    return ended.killed


@pytest.mark.parametrize("ends", ["new", "old"])
@pytest.mark.parametrize("number", range(SAMPLE))
def test_unit_killed_at_an_instant_is_whole_after_recovery(
    world: World, tmp_path: Path, ends: str, number: int
) -> None:
    chance = random.Random(f"{os.environ['SAU_SEED']} {ends} {number}")
    at = int((number + chance.random()) * (MOST // 2) / SAMPLE) + 1
    assert killed(world, tmp_path / "unit", ends, at), f"instant {at} was not reached"


@pytest.mark.every_instant
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("ends", ["new", "old"])
@pytest.mark.parametrize("share", range(1, SHARES + 1))
def test_unit_killed_at_every_instant_is_whole_after_recovery(
    world: World, tmp_path: Path, ends: str, share: int
) -> None:
    at = share
    while killed(world, tmp_path / str(at), ends, at):
        at += SHARES
    assert MOST // 2 < at < 3 * MOST, "the instants were not there to be hit"
