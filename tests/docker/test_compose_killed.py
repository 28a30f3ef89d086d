"""A Compose project is whole after recovery, its file included, wherever the update was killed."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from tests.docker.compose_kit import Project, program
from tests.docker.kill.hitting import Hit, hit
from tests.docker.kill.scene import KILL
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine

__all__ = ["program"]

FILE = """\
services:
  web:
    image: REPO:${TAG:-9}   # by .env
    stop_grace_period: 2s
    configs: [{source: note, target: /note}]
  side:
    image: REPO/side:1.0.0
    stop_grace_period: 2s
    network_mode: service:web
    environment: {PORT: "9090"}
configs:
  note: {content: "kept"}
"""
ENV = "# mine\nTAG='{}' # see below\n"
MOST = {"new": 70, "old": 86}  # there are a few instants more
SAMPLE = 5
SHARES = 8


class Shop:
    """A service whose tag is in `.env`, and one behind its network."""

    def __init__(self, world: World, compose: Path, folder: Path, in_place: bool, **newer: Any):
        self.world, self.folder = world, folder
        self.project = Project(world, compose, folder / "shop")
        world.publish("1.0.0")
        world.publish("1.0.0", name="side")
        repository = f"{world.lab.registry}/{world.prefix}"
        text = FILE.replace("REPO/side", f"{repository}/side").replace("REPO", world.repository)
        self.project.write(text)
        env = self.project.write(ENV.format("1.0.0"), ".env")
        if in_place:  # a file with two names is not replaced by another one
            (folder / "other-name").hardlink_to(env)
        self.project.up()
        world.publish("1.1.0", **newer)
        self.sau = Sau(world, folder)
        rule = '{match: {asset: "*"}, compose: update-file}'
        self.sau.configure("stable_for: 300ms", f"detection: {{rules: [{rule}]}}\n")
        self.ids = world.ids()
        eventually(lambda: all("httpd" in self._processes(one) for one in self.ids))

    def _processes(self, container: str) -> str:
        return str(self.world.call("GET", f"/containers/{container}/top")["Processes"])

    def hit(self, at: int) -> Hit:
        """The update, killed at an instant."""
        words = ["apply", "--yes", f"{self.world.prefix}-web-1"]
        return hit(self.sau, *words, at=at, kinds=[*KILL, "file"])

    def side(self) -> str:
        """`old` or `new`: containers and file say the same, and Compose has nothing to do."""
        assert len(self.world.ids()) == 2, "nothing is left over"
        side = "old" if self.world.ids() == self.ids else "new"
        tag = "1.0.0" if side == "old" else "1.1.0"
        assert self.project.read(".env") == ENV.format(tag)
        assert self.project.ps()["web"] == ("running", f"{self.world.repository}:{tag}")
        assert sorted(p.name for p in self.project.folder.iterdir()) == [".env", "compose.yml"]
        assert not list(self.sau.state.glob("compose/*")), "nothing is kept for a way back"
        assert self.project.sh("/bin/busybox cat /note") == "kept"
        self.project.assert_settled()
        return side


def killed(world: World, compose: Path, folder: Path, ends: str, at: int, in_place: bool) -> bool:
    """One update killed at an instant and recovered; whether the instant was there."""
    folder.mkdir()
    newer = {} if ends == "new" else {"behaviour": "crash"}
    shop = Shop(world, compose, folder, in_place, **newer)
    ended = shop.hit(at)
    reached = ended.reached
    if ended.killed:
        print(f"{ends} killed at {at}, {reached[-1]}")
        said = shop.sau("recover")
        assert said.code == 0, (reached[-1], said.out, said.err)
    assert shop.side() == "old" or ends == "new", reached[-1]
    assert shop.sau("recover").json["updates"] == []
    world.clean()
    return ended.killed


@pytest.mark.parametrize("ends", ["new", "old"])
@pytest.mark.parametrize("number", range(SAMPLE))
def test_project_killed_at_an_instant_is_whole_after_recovery(
    world: World, program: Path, tmp_path: Path, ends: str, number: int
) -> None:
    chance = random.Random(f"{os.environ['SAU_SEED']} {ends} {number}")
    at = int((number + chance.random()) * MOST[ends] / SAMPLE) + 1
    there = killed(world, program, tmp_path / "killed", ends, at, in_place=number % 2 == 1)
    assert there, f"instant {at} was not reached"


@pytest.mark.every_instant
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("ends", ["new", "old"])
@pytest.mark.parametrize("share", range(1, SHARES + 1))
def test_project_killed_at_every_instant_is_whole_after_recovery(
    world: World, program: Path, tmp_path: Path, ends: str, share: int
) -> None:
    at = share
    while killed(world, program, tmp_path / str(at), ends, at, in_place=at % 2 == 1):
        at += SHARES
    assert at > MOST[ends] - SHARES, "the instants were not there to be hit"
