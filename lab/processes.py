"""Daemons that outlive the command that started them, and proof of which process is ours.

A pid alone proves nothing: pids are used again, and pid files survive a restart of the
machine. A process is ours when pid, start time and boot all agree with its file.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on (the name before it may hold spaces)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _started(pid: int) -> str | None:
    """Start time of a process in ticks since boot; None when it is gone or a zombie."""
    stat = _stat(pid)
    return None if stat is None or (stat[0] in "ZX" and not _has_threads(pid)) else stat[19]


def _has_threads(pid: int) -> bool:
    """A killed program's first thread may be a zombie while others still hold its sockets."""
    try:
        return len(os.listdir(f"/proc/{pid}/task")) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def parent_of(pid: int) -> int | None:
    """The parent's pid, or None when the process is gone."""
    stat = _stat(pid)
    return None if stat is None else int(stat[1])


def all_pids() -> list[int]:
    """Every process that can be seen."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def command_line(pid: int) -> list[str]:
    """Arguments of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def wait_until(true: Callable[[], bool], timeout_s: float) -> bool:
    """Ask until the answer is yes (True) or the time is over (False)."""
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@dataclass(frozen=True)
class Daemon:
    """One long-running program of the lab."""

    name: str
    pid_file: Path
    log: Path

    def pid(self) -> int | None:
        """The pid, if the process that was started by us still runs."""
        try:
            noted = json.loads(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        same = noted["boot"] == _boot() and noted["started"] == _started(noted["pid"])
        return int(noted["pid"]) if same else None

    def start(self, command: Sequence[str], ready: Callable[[int], bool], timeout_s: float) -> None:
        """Start in a session of its own and wait until ready; a failure shows the log's end."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={"PATH": PATH, "HOME": "/root"},
            )
        noted = {"pid": process.pid, "started": _started(process.pid), "boot": _boot()}
        self.pid_file.write_text(json.dumps(noted))
        wait_until(lambda: process.poll() is not None or ready(process.pid), timeout_s)
        if process.poll() is None and ready(process.pid):
            process.returncode = 0  # it stays; without this, Python warns that we let it run
            return
        ended = process.poll()
        fact = f"ended with {ended}" if ended is not None else f"is not ready after {timeout_s} s"
        self.stop(signal.SIGKILL, 5)
        tail = "\n  ".join(self.log.read_text(errors="replace").splitlines()[-8:])
        raise LabError(f"{self.name} {fact}; the whole log is in {self.log}:\n  {tail}")

    def stop(self, by: signal.Signals, timeout_s: float) -> None:
        """End it and wait; after the time it is killed. Nothing to do when it does not run."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, by)
            if not wait_until(lambda: self._gone(pid), timeout_s):
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda: self._gone(pid), 5)
        self.pid_file.unlink(missing_ok=True)

    def _gone(self, pid: int) -> bool:
        try:  # when it is our own child, it must be reaped
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        return self.pid() is None
