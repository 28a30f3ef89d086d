"""What an engine leaves behind when it dies: shims with their containers, and mounts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from lab.errors import LabError
from lab.layout import Layout
from lab.processes import all_pids, command_line, parent_of, wait_until


def shims(layout: Layout) -> list[int]:
    """The shims of this lab's containerd, told by its socket on their command line."""
    ours = []
    for pid in all_pids():
        words = command_line(pid)
        if words and "containerd-shim" in words[0] and str(layout.containerd_socket) in words:
            ours.append(pid)
    return ours


def kill_shims(layout: Layout) -> None:
    """Kill containers before their shims: a shim's death does not end its container."""
    left = shims(layout)
    family = set(left)
    parents = {pid: parent_of(pid) for pid in all_pids()}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    for pid in [*(family - set(left)), *left]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    wait_until(lambda: not shims(layout), 5)


def _mounts(*folders: Path) -> list[str]:
    """Mount points at or under the folders, deepest first."""
    points = [
        line.split()[4].encode().decode("unicode_escape")
        for line in Path("/proc/self/mountinfo").read_text().splitlines()
    ]
    mine = [p for p in points if any(Path(p).is_relative_to(folder) for folder in folders)]
    return sorted(mine, key=len, reverse=True)


def remove_files(layout: Layout) -> None:
    """Unmount and delete the run folder and the data; refuses to delete through a mount."""
    for point in _mounts(layout.run, layout.data):
        subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)
    if left := _mounts(layout.run, layout.data):
        raise LabError(f"{left[0]} stays mounted, so nothing was deleted: umount it by hand")
    for folder in (layout.run, layout.data):
        shutil.rmtree(folder, ignore_errors=True)
