"""Commands and waits that end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab.bench.errors import BenchError
from lab.layout import Layout


def wall_s(*command: str, env: Mapping[str, str] | None = None, code: int = 0) -> float:
    """Run a command to its end: wall seconds. Its exit code must be this one."""
    begun = time.monotonic()
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**_environment(), **(env or {})},
        timeout=120,
    )
    took = time.monotonic() - begun
    if done.returncode != code:
        said = f"{done.stdout}{done.stderr}".strip()
        raise BenchError(f"`{' '.join(command)}` ended with {done.returncode}, not {code}: {said}")
    return took


@dataclass(frozen=True)
class Cost:
    """What one run of a command took. The peak is at least that of the bench's own process."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def cost(*command: str, env: Mapping[str, str] | None = None, code: int = 0) -> Cost:
    """Run a command to its end, its output thrown away. Its exit code must be this one."""
    begun = time.monotonic()
    process = start(*command, env=env)
    _, status, used = os.wait4(process.pid, 0)
    took = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != code:
        told = f"`{' '.join(command)}` ended with {process.returncode}, not {code}"
        raise BenchError(told)
    return Cost(took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def start(*command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Run a command beside us, its output thrown away."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**_environment(), **(env or {})},
    )


def _environment() -> dict[str, str]:
    """Ours, and Python keeps what it compiled, as it does for a program that is installed."""
    ours = {"PYTHONPYCACHEPREFIX": str(Layout.here().home / "pycache")} | dict(os.environ)
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    return ours


def wait_until(true: Callable[[], bool], otherwise: str, timeout_s: float = 30) -> None:
    """Ask until the answer is yes."""
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            raise BenchError(f"{otherwise} after {timeout_s:g} s")
        time.sleep(0.02)
