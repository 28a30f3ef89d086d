"""The programs that the lab is made of, installed when they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabError
from lab.processes import PATH

BUSYBOX = Path("/bin/busybox")
_POLICY = Path("/usr/sbin/policy-rc.d")
NEEDED = {
    "dockerd": "docker.io",
    "containerd": "docker.io",
    "docker-registry": "docker-registry",
    "iptables": "iptables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "openssl": "openssl",
    "rootlesskit": "rootlesskit",
    "newuidmap": "uidmap",
    str(BUSYBOX): "busybox-static",
}
TESTED = {"prometheus": "prometheus", "mandoc": "mandoc", "systemd-analyze": "systemd"}
"""What single tests drive; only `build` installs it."""
CLUSTER = {
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "docker-registry": "docker-registry",
    "iptables": "iptables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "openssl": "openssl",
    str(BUSYBOX): "busybox-static",
}
"""What a cluster needs; its other programs are built or unpacked into the cache."""


def busybox_is_static() -> bool:
    """Whether /bin/busybox runs in an image that holds nothing else."""
    return BUSYBOX.exists() and b"/ld-linux" not in BUSYBOX.read_bytes()[:8192]


def missing(needed: Mapping[str, str] = NEEDED) -> dict[str, str]:
    """Program -> Debian package, for each that is not there."""
    return {program: package for program, package in needed.items() if not _is_there(program)}


def _is_there(program: str) -> bool:
    if program == str(BUSYBOX):
        return busybox_is_static()
    return shutil.which(program, path=PATH) is not None


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """Installing an engine must not start one for the whole machine."""
    try:
        handle = os.open(_POLICY, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o755)
    except FileExistsError:  # the machine has a policy of its own
        yield
        return
    with os.fdopen(handle, "w") as file:
        file.write("#!/bin/sh\nexit 101\n")
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


def install_missing(needed: Mapping[str, str] = NEEDED) -> None:
    """Install what is missing with apt; an error names the programs and the remedy."""
    lacking = missing(needed)
    if not lacking:
        return
    wanted = sorted(set(lacking.values()))
    names = ", ".join(lacking)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise LabError(f"missing: {names}. Remedy: as root, install {' '.join(wanted)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    wait = ["-o", "DPkg::Lock::Timeout=120"]
    with _no_service_starts():
        for command in (
            ["apt-get", *wait, "update", "-q"],
            ["apt-get", *wait, "install", "-q", "-y", "--no-install-recommends", *wanted],
        ):
            done = subprocess.run(
                command, check=False, capture_output=True, text=True, env=environment
            )
            if done.returncode != 0:
                raise LabError(
                    f"missing: {names}; `{' '.join(command)}` failed: {done.stderr.strip()}"
                )
    if still := missing(needed):
        raise LabError(f"{', '.join(still)} is missing even after apt-get installed {wanted}")
