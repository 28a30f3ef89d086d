"""A small disk of its own for a lab's data: what it does when that is full can be seen."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lab.errors import LabError
from lab.layout import Layout


def _image(layout: Layout) -> Path:
    return layout.home / "disk.img"


def mount(layout: Layout, mebibytes: int) -> None:
    """A file system of this size at the lab's data folder."""
    image = _image(layout)
    with image.open("wb") as file:
        file.truncate(mebibytes * 1024 * 1024)
    for command in (
        ["mkfs.ext4", "-q", "-F", "-m", "0", str(image)],
        ["mount", "-o", "loop", str(image), str(layout.data)],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise LabError(
                f"{layout.data}: no disk of its own: `{' '.join(command)}` says "
                f"{done.stderr.strip()!r}. The lab needs loop devices (/dev/loop-control)"
            )


def forget(layout: Layout) -> None:
    """Remove what was mounted, once nothing is mounted any more; fine when there is none."""
    _image(layout).unlink(missing_ok=True)
