"""Small disks for the state folder, which get full or fail."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.docker.kill.killable import fill
from tests.lacking import lacking

Made = TypeVar("Made")


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

    def __init__(self, folder: Path, mib: int = 2) -> None:
        super().__init__(folder)
        self.run("mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "tmpfs", str(folder))

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


def mounted(make: Callable[[], Made]) -> Made:
    """A disk, where this machine lets one be mounted."""
    try:
        return make()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        return lacking(f"needs to mount a file system: {getattr(error, 'stderr', None) or error}")
