"""The lab's network namespace: its own loopback, ports and firewall rules."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab.errors import LabError
from lab.layout import Layout


def enter(layout: Layout) -> list[str]:
    """Prefix of a command that shall run inside.

    Not ``ip netns exec``: that hides /sys/fs/cgroup, which the engine needs.
    """
    return ["nsenter", f"--net={layout.netns}"]


def exists(layout: Layout) -> bool:
    """Whether it can be entered. A file left by a restart of the machine cannot."""
    if not layout.netns.exists() or shutil.which("nsenter") is None:
        return False
    return (
        subprocess.run([*enter(layout), "true"], check=False, capture_output=True).returncode == 0
    )


def create(layout: Layout) -> None:
    """Make it, with its loopback up."""
    delete(layout)
    for command in (
        ["ip", "netns", "add", layout.name],
        ["ip", "-n", layout.name, "link", "set", "lo", "up"],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise LabError(
                f"network namespace {layout.name}: `{' '.join(command)}` says "
                f"{done.stderr.strip()!r}. The lab needs a kernel with network namespaces and "
                "the capabilities SYS_ADMIN and NET_ADMIN; inside a container, start that with "
                "--privileged"
            )


def delete(layout: Layout) -> None:
    """Remove it; fine when there is none."""
    if layout.netns.exists():
        subprocess.run(["ip", "netns", "delete", layout.name], check=False, capture_output=True)
        layout.netns.unlink(missing_ok=True)


def listens(layout: Layout, pid: int, port: int) -> bool:
    """Whether something listens on a port inside, as this process sees it once it is inside."""
    proc = Path(f"/proc/{pid}")
    try:
        if not (proc / "ns/net").samefile(layout.netns):  # it may be just about to enter
            return False
        tables = [table.read_text() for table in (proc / "net").glob("tcp*")]
    except OSError:
        return False
    sockets = [line.split()[1:4:2] for table in tables for line in table.splitlines()[1:]]
    return any(at.endswith(f":{port:04X}") and state == "0A" for at, state in sockets)
