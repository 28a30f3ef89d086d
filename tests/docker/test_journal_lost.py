"""The journal's disk is full, or turns read-only, before each row: forward stops, back goes on.

Afterwards `sau recover` makes the journal and the world agree.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.kill.killable import fill
from tests.docker.kill.promise import assert_kept, assert_nothing_to_recover, assert_side
from tests.docker.kill.scene import BY_NAME, Scene
from tests.lab_kit import World

pytestmark = pytest.mark.any_engine

FORWARD = ["BEGIN", "PREPARE", "PRECHECK", "SNAPSHOT", "STAGE", "APPLY", "VERIFY", "COMMIT"]
ROWS = [
    *[("good", row) for row in [*FORWARD, "SUCCEEDED"]],
    *[("crash", row) for row in ["ROLLBACK", "CONFIRM", "ROLLED_BACK"]],
    *[("refused", row) for row in ["CLEAN", "ABORTED"]],
]


class Disk:
    """A small disk for the state folder that can be lost and had again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def run(self, *command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class MemoryDisk(Disk):
    """It gets full."""

    action = "fill disk"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.run("mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(folder))

    @property
    def told(self) -> dict[str, str]:
        return {"folder": str(self.folder)}

    def stay_lost(self) -> None:
        """SQLite gave room back when it ended; somebody else's log takes it."""
        fill(self.folder / "more-ballast")

    def mend(self) -> None:
        for file in self.folder.glob("*ballast"):
            file.unlink()

    def close(self) -> None:
        self.run("umount", str(self.folder))


class FailingDisk(Disk):
    """An ext4 that the kernel makes read-only under open files."""

    action = "break disk"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.image = folder.with_suffix(".img")
        with self.image.open("wb") as file:
            file.truncate(8 << 20)
        self.run("mkfs.ext4", "-q", str(self.image))
        self._mount()

    def _mount(self) -> None:
        self.run("mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.folder))

    @property
    def told(self) -> dict[str, str]:
        return {"device": Path(self.run("findmnt", "-no", "SOURCE", str(self.folder))).name}

    def stay_lost(self) -> None:
        """It is read-only until it is mended."""

    def mend(self) -> None:
        """What is on it, on a disk that works.

        A copy: a container that just starts may hold the broken one mounted a moment longer.
        """
        self.close()
        self.image = Path(shutil.copy(self.image, self.image.with_suffix(".mended")))
        # Not checked: exit code 1 says that it repaired something.
        subprocess.run(["fsck.ext4", "-fy", self.image], check=False, capture_output=True)
        self._mount()

    def close(self) -> None:
        self.run("umount", str(self.folder))


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    try:
        made = request.param(tmp_path / "disk")
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        why = f"needs to mount a file system: {getattr(error, 'stderr', None) or error}"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
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
