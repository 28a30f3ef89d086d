"""Commands and waits that end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping

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
