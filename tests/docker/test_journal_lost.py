"""The journal's disk is full, or turns read-only, before each row: forward stops, back goes on.

Afterwards `sau recover` makes the journal and the world agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.kill.promise import assert_kept, assert_nothing_to_recover, assert_side
from tests.docker.kill.scene import BY_NAME, Scene
from tests.docker.state_disk import Disk, FailingDisk, MemoryDisk, mounted
from tests.lab_kit import World

pytestmark = pytest.mark.any_engine

FORWARD = ["BEGIN", "PREPARE", "PRECHECK", "SNAPSHOT", "STAGE", "APPLY", "VERIFY", "COMMIT"]
ROWS = [
    *[("good", row) for row in [*FORWARD, "SUCCEEDED"]],
    *[("crash", row) for row in ["ROLLBACK", "CONFIRM", "ROLLED_BACK"]],
    *[("refused", row) for row in ["CLEAN", "ABORTED"]],
]


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    made: Disk = mounted(lambda: request.param(tmp_path / "disk"))
    yield made
    made.close()


def lose_journal(world: World, disk: MemoryDisk | FailingDisk, name: str, row: str) -> None:
    scene = Scene(world, BY_NAME[name], state=disk.folder)
    assert scene.sau("status").code == 0  # the state file is there before the disk is lost
    more = {"kinds": ["unwritten"], **disk.told}
    said = scene.hit(*scene.apply, action=disk.action, at=f"unwritten {row}", **more)
    assert f"unwritten {row}" in said.reached, said.text
    assert said.code == 4, said.text

    side = "new" if row == "SUCCEEDED" else "old"
    assert assert_side(scene) == side, said.text
    if row in FORWARD[:6]:
        started = world.get(scene.container)["State"]["StartedAt"]
        assert started == scene.before["State"]["StartedAt"], "it was never stopped"

    disk.stay_lost()
    again = scene.sau("recover")
    assert again.code == 4, f"the journal is still lost: {again.text}"
    assert assert_side(scene) == side, again.text

    disk.mend()
    recovered = scene.sau("recover")
    assert recovered.code == 0, recovered.text
    assert assert_kept(scene, gaps=True) == side
    assert_nothing_to_recover(scene)


@pytest.mark.parametrize("disk", [MemoryDisk], indirect=True, ids=["full"])
@pytest.mark.parametrize(("name", "row"), ROWS)
def test_full_disk_never_stops_the_way_back(
    world: World, disk: MemoryDisk, name: str, row: str
) -> None:
    lose_journal(world, disk, name, row)


@pytest.mark.parametrize("disk", [FailingDisk], indirect=True, ids=["read-only"])
@pytest.mark.parametrize(("name", "row"), [("good", "COMMIT"), ("crash", "ROLLBACK")])
def test_failing_disk_never_stops_the_way_back(
    world: World, disk: FailingDisk, name: str, row: str
) -> None:
    lose_journal(world, disk, name, row)


@pytest.mark.every_instant
@pytest.mark.parametrize("disk", [FailingDisk], indirect=True, ids=["read-only"])
@pytest.mark.parametrize(("name", "row"), ROWS)
def test_failing_disk_before_every_row(
    world: World, disk: FailingDisk, name: str, row: str
) -> None:
    lose_journal(world, disk, name, row)
