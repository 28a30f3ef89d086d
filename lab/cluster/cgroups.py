"""A cgroup of the cluster's own: a kubelet kills what it does not know in the one that it has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lab.errors import LabError
from lab.layout import Layout
from lab.processes import wait_until

_TOP = Path("/sys/fs/cgroup")
_WANTED = ("cpu", "cpuset", "hugetlb", "memory", "pids")


def root(layout: Layout) -> str:
    """Its path in every hierarchy."""
    return f"/{layout.name}"


def _hierarchies() -> Iterator[Path]:
    """Where cgroups are mounted: once for all controllers, or one folder for each."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind in ("cgroup", "cgroup2") and Path(where).is_relative_to(_TOP):
            yield Path(where)


def create(layout: Layout) -> None:
    """Make it everywhere."""
    for hierarchy in _hierarchies():
        mine = hierarchy / layout.name
        try:
            mine.mkdir(exist_ok=True)
            if hierarchy == _TOP:  # there, a controller must be handed on to be had
                has = (_TOP / "cgroup.controllers").read_text().split()
                wanted = [f"+{name}" for name in has if name in _WANTED]
                (_TOP / "cgroup.subtree_control").write_text(" ".join(wanted))
            for file in ("cpuset.cpus", "cpuset.mems"):  # empty, it would take no process
                if (hierarchy / file).exists():
                    (mine / file).write_text((hierarchy / file).read_text())
        except OSError as error:
            raise LabError(
                f"cgroup {mine}: {error}. A cluster needs a cgroup of its own; inside a container, "
                "start that with --privileged --cgroupns=host"
            ) from error


def remove(layout: Layout) -> None:
    """Remove it, once its processes have ended; fine when there is none."""
    wait_until(lambda: all(_removed(one / layout.name) for one in _hierarchies()), 5)


def _removed(mine: Path) -> bool:
    for folder, _, _ in os.walk(mine, topdown=False):
        try:
            Path(folder).rmdir()
        except OSError:  # somebody still ends in there
            return False
    return True
