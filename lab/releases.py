"""The engines that the lab can run: the machine's own, and newer ones from the cache."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab import cache, trees
from lab.commands import told
from lab.errors import LabError
from lab.golang import Module
from lab.layout import OWN_ENGINE, Layout
from lab.processes import PATH


@dataclass(frozen=True)
class Release:
    """One engine. Without a suite its programs are the machine's."""

    name: str
    suite: str = ""
    """The Debian suite whose userland it runs in."""
    daemon: Module | None = None
    """What its dockerd is built from; else it is the suite's."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Its daemon.json."""


_MOBY = "github.com/moby/moby/v2"
_DAEMON_29 = Module(
    "dockerd29",
    _MOBY,
    (f"{_MOBY}/cmd/dockerd", f"{_MOBY}/cmd/docker-proxy"),
    ("exclude_graphdriver_btrfs",),  # it needs a C library's headers
)
RELEASES = {
    one.name: one
    for one in (
        Release(OWN_ENGINE),
        Release("26", "trixie"),
        Release("28", "sid"),
        # As its releases do, it refuses older clients than API 1.44.
        Release("29", "sid", _DAEMON_29, {"min-api-version": "1.44"}),
    )
}


def build(release: Release) -> None:
    """Have in the cache all that this engine is made of; minutes where it is not there yet."""
    if release.suite:
        tree = trees.tree(release.suite)
        if release.daemon is None:
            _same_line(release, tree)
    if release.daemon is not None:
        version = f"{release.name}.0.0-{release.daemon.version.partition('-')[2]}"
        release.daemon.built([f"-X {_MOBY}/dockerversion.Version={version}"])


def _same_line(release: Release, tree: Path) -> None:
    """Suites move on: what was version 28 yesterday may be another tomorrow."""
    said = told(["chroot", str(tree), "dockerd", "--version"])
    found = re.search(r"version (\d+)", said)
    if found is None or found[1] != release.name:
        raise LabError(
            f"Debian {release.suite} has {said.strip()!r} by now, not engine {release.name}: "
            "name another suite in lab/releases.py"
        )


_MOUNTS = """
mount --make-rslave /
mount --make-rshared /  # as on a host of systemd's: containers may ask for it
mkdir -p "$1" "$1-cgroup"
mount --bind / "$1" && mount --make-private "$1"  # keeps its /usr
mount --rbind /sys/fs/cgroup "$1-cgroup"
mount -t sysfs sysfs /sys  # that of the network namespace: its bridges are looked up there
mount --rbind "$1-cgroup" /sys/fs/cgroup
mount --bind "$0" /usr && mount -o remount,bind,ro /usr
shift
exec "$@"
"""


def userland(layout: Layout) -> list[str]:
    """Prefix of a command that shall see the release's programs instead of the machine's.

    It gets mounts of its own, in which the tree's /usr lies over the machine's: everything
    else (the clone, /run, /tmp) is where it is for everybody, so that what tests bind into
    containers is found; the machine's own /usr is below `machine`. All ends with the last
    process that lives in it.
    """
    suite = RELEASES[layout.engine].suite
    if not suite:
        return []
    usr = _kept(layout, trees.name(suite)) / "usr"
    inside = [str(usr), machine(layout), *search_path(layout)]
    return ["unshare", "--mount", "sh", "-euc", _MOUNTS, *inside]


def machine(layout: Layout) -> str:
    """Where the engine sees the machine's own files; empty where it sees them as they are."""
    return str(layout.run / "machine") if RELEASES[layout.engine].suite else ""


def search_path(layout: Layout) -> list[str]:
    """Prefix of a command that shall find a dockerd of our own before the userland's."""
    daemon = RELEASES[layout.engine].daemon
    return ["env", f"PATH={_kept(layout, daemon.name)}:{PATH}"] if daemon else []


def _kept(layout: Layout, name: str) -> Path:
    found = cache.kept(name)
    if found is None:
        raise LabError(
            f"engine {layout.engine} is not in the cache: `python -m lab --engine "
            f"{layout.engine} build` makes it"
        )
    return found
