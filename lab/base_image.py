"""Images of Debian's packages, where none can be pulled: what the project's own image is made on.

One tree stands for both that are pulled elsewhere: the one with Python, and the one with nginx.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab import cache, trees
from lab.commands import told
from lab.errors import LabError
from lab.layout import Layout

SUITE = "trixie"
PYTHON = "3.13"
"""The suite's; wheels are chosen for it."""
_PACKAGES = "python3,ca-certificates,nginx"
_NAME = f"base-{SUITE}-1"
_PIP = "25.3"
_NEEDLESS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/lib/apt/lists", "var/cache")


def build() -> Path:
    """The tree, as a tar archive in the cache."""
    return cache.made(_NAME, _make) / "base.tar"


def is_built() -> bool:
    """Whether it needs no making."""
    return cache.kept(_NAME) is not None


def _make(where: Path) -> None:
    tree = where / "tree"
    where.mkdir()
    trees.debootstrap(SUITE, _PACKAGES, tree)
    for folder in _NEEDLESS:
        shutil.rmtree(tree / folder, ignore_errors=True)
        (tree / folder).mkdir()
    pip = str(Layout.here().clone / ".lab/tools/bin/python")
    # As the images with Python have it, where Debian's packages would bring a compiler along.
    told(
        [pip, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
         "--target", str(tree / "usr/lib/python3/dist-packages"), f"pip=={_PIP}"]
    )  # fmt: skip
    told(["tar", "--numeric-owner", "-C", str(tree), "-cf", str(where / "base.tar"), "."])
    shutil.rmtree(tree)


def load(docker: str, host: str, tag: str) -> None:
    """Have it on an engine under this name."""
    command = [docker, "--host", host, "import", str(build()), tag]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)}: {done.stderr.strip()}")


def wheels(requirements: Path, where: Path) -> None:
    """Fetch what locked requirements name, for the Python of the tree: no build asks a network."""
    pip = str(Layout.here().clone / ".lab/tools/bin/python")
    platforms = [f"--platform={one}_x86_64" for one in ("manylinux2014", "manylinux_2_28")]
    told(
        [pip, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--only-binary=:all:", f"--python-version={PYTHON}", *platforms,
         "--require-hashes", "-r", str(requirements), "-d", str(where)]
    )  # fmt: skip
