"""Debian trees: the userland of other suites, for engines newer than the machine's."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from lab import cache, packages
from lab.commands import told
from lab.errors import LabError

_PACKAGES = "docker.io,docker-cli,docker-compose,docker-buildx,iptables,procps,ca-certificates"
_PLUGIN = "usr/libexec/docker/cli-plugins/docker-compose"
NEWEST = "sid"


def name(suite: str) -> str:
    """What the cache calls it: with other packages it is another tree."""
    return f"tree-{suite}-{hashlib.sha256(_PACKAGES.encode()).hexdigest()[:6]}"


def tree(suite: str) -> Path:
    """The tree of a suite, made when it is not in the cache."""
    return cache.made(name(suite), lambda where: debootstrap(suite, _PACKAGES, where))


def compose() -> str:
    """Path of the Compose plugin, a program that runs outside its tree too; empty without it."""
    found = cache.kept(name(NEWEST))
    return str(found / _PLUGIN) if found else ""


def docker() -> str:
    """Path of a `docker` command: the newest tree's, else the machine's; empty without any."""
    found = cache.kept(name(NEWEST))
    return str(found / "usr/bin/docker") if found else shutil.which("docker") or ""


def _mirror() -> str:
    """Where apt on this machine gets Debian from."""
    if shutil.which("apt-get") is None:
        raise LabError("other engines come from Debian's packages, and here is no apt-get")
    ask = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Label: Debian"]
    lines = subprocess.run(ask, check=False, capture_output=True, text=True).stdout.split()
    if not lines:  # it knows labels only once it has fetched the lists
        told(["apt-get", "update", "-q"])
        lines = told(ask).split()
    if not lines:
        raise LabError(
            "apt on this machine has no source of Debian, which the trees of other engines come "
            "from: add one, or run the tests on the machine's own engine"
        )
    return lines[0]


def debootstrap(suite: str, include: str, where: Path) -> None:
    """A tree with these packages, and no more than they need."""
    packages.install_missing({"debootstrap": "debootstrap"})
    # It mounts /proc in the tree while it works: with a mount namespace of its own, nothing of
    # that outlives it, however it ends.
    told(
        ["unshare", "--mount", "--propagation", "private", "debootstrap", "--variant=minbase",
         f"--include={include}", suite, str(where), _mirror()]
    )  # fmt: skip
    shutil.rmtree(where / "var/cache/apt/archives", ignore_errors=True)
