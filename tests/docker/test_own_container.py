"""The program's own container: it hands over to the new one, or stays, and never ends half way."""

from __future__ import annotations

import os
import random
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.core.outcome import Outcome
from tests.docker.own_kit import OwnContainer
from tests.lab_kit import World, eventually


def test_it_hands_over_to_its_new_version(world: World, tmp_path: Path) -> None:
    own = OwnContainer(world, tmp_path / "own")
    with own.registry():
        ran = own.sau(own.before["Id"], "apply", "--yes", "--output", "json")
    print(ran)
    eventually(lambda: own.before["Id"] not in own.running().values())
    (now,) = own.running().items()
    assert now[0] == "sau"
    assert own.journal()[0].outcome is None, "the rest is for the new one to do"

    said = own.sau(now[1], "recover")

    assert said is not None and said.code == 0, said
    assert own.journal()[0].outcome is Outcome.SUCCEEDED
    assert world.ids() == {now[1]}, "nothing is left over"
    assert world.get("sau")["HostConfig"]["RestartPolicy"]["Name"] == "always"
    assert world.text("sau") == "new"


@pytest.mark.parametrize("behaviour", ["crash", "unhealthy"])
def test_new_version_that_is_not_well_never_takes_over(
    world: World, tmp_path: Path, behaviour: str
) -> None:
    own = OwnContainer(world, tmp_path / "own", behaviour=behaviour)
    with own.registry():
        ran = own.sau(own.before["Id"], "apply", "--yes")
    assert ran is not None and ran.code == 3, ran
    assert own.running() == {"sau": own.before["Id"]}
    assert world.ids() == {own.before["Id"]}
    assert own.journal()[0].outcome is Outcome.ROLLED_BACK
    now = world.get("sau")
    assert now["State"]["StartedAt"] == own.before["State"]["StartedAt"]


INSTANTS, SAMPLE, SHARES = 60, 4, 6  # instants: more than there are


def killed(world: World, folder: Path, ends: str, at: int) -> bool:
    """The hand-over killed at an instant, then recovered by one of those who run."""
    chance = random.Random(f"{os.environ['SAU_SEED']} {at}")
    own = OwnContainer(world, folder, **({} if ends == "new" else {"behaviour": "crash"}))
    with own.registry():
        ran = own.sau(own.before["Id"], "apply", "--yes", at=at)
    assert ran is not None
    reached = own.reached() >= at
    for _ in range(8):
        running = own.running()
        assert running, "somebody always runs"
        with suppress(PlatformError):  # one that crashes may be gone before it is asked
            own.sau(running[chance.choice(sorted(running))], "recover")
        if own.journal() and own.journal()[0].outcome is not None:
            break
    eventually(lambda: len(own.running()) == 1)
    (name,) = own.running()
    (id_,) = own.running().values()
    assert name == "sau"
    assert world.ids() == {id_}, "nothing is left over"
    assert world.get("sau")["HostConfig"]["RestartPolicy"]["Name"] == "always"
    side = "old" if id_ == own.before["Id"] else "new"
    assert side == "old" or ends == "new"
    outcomes = [record.outcome for record in own.journal()]
    assert outcomes in ([], [Outcome.SUCCEEDED], [Outcome.ROLLED_BACK], [Outcome.ABORTED])
    assert (side == "new") is (outcomes == [Outcome.SUCCEEDED])
    world.clean()
    return reached


@pytest.mark.parametrize("ends", ["new", "old"])
@pytest.mark.parametrize("number", range(SAMPLE))
def test_hand_over_killed_at_an_instant_ends_whole(
    world: World, tmp_path: Path, ends: str, number: int
) -> None:
    chance = random.Random(f"{os.environ['SAU_SEED']} own {ends} {number}").random()
    killed(world, tmp_path / "own", ends, 3 + int((number + chance) * 40 / SAMPLE))


@pytest.mark.every_instant
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("ends", ["new", "old"])
@pytest.mark.parametrize("share", range(1, SHARES + 1))
def test_hand_over_killed_at_every_instant_ends_whole(
    world: World, tmp_path: Path, ends: str, share: int
) -> None:
    at = share
    while killed(world, tmp_path / str(at), ends, at):
        at += SHARES
    assert at > 40, "the instants were not there to be hit"


WHY_NOT = {
    "port": ({"PortBindings": {"8080/tcp": [{"HostPort": "0"}]}}, "it publishes port 8080/tcp"),
    "no volume": ({"Binds": None}, "is on no volume"),
}


@pytest.mark.parametrize("what", WHY_NOT)
def test_what_keeps_it_from_handing_over_is_told(world: World, tmp_path: Path, what: str) -> None:
    more, told = WHY_NOT[what]
    own = OwnContainer(world, tmp_path / "own", more=more)
    sau = Path(sys.executable).parent / "sau"
    asked = f"{sau} --state {own.state} --config {own.folder}/sau.yml plan --output json"
    with own.registry():
        ran = own.exec(own.before["Id"], ["/bin/sh", "-c", f"{asked} | grep 'hand over'"])
    assert ran is not None
    assert told in ran.output
