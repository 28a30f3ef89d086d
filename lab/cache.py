"""What takes minutes to make is made once per user, outside the clone, and shared by all labs."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path


def folder() -> Path:
    """Where it is all kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "safe-auto-updater" / "lab"


def kept(name: str) -> Path | None:
    """The finished folder of this name, if there is one."""
    whole = folder() / name
    return whole if whole.is_dir() else None


def made(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name; `make` fills it where there is none yet.

    It gets its name when it is whole: a build that was killed is no build. Two labs that need
    something at the same time do not build side by side.
    """
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / "lock").open("w") as lock:
        if (found := kept(name)) is not None:
            return found
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (found := kept(name)) is not None:
            return found
        unfinished = folder() / f"{name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        print(f"lab: {name} is made, once (minutes)", file=sys.stderr, flush=True)
        begun = time.monotonic()
        make(unfinished)
        unfinished.rename(folder() / name)
        print(f"lab: {name} took {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return folder() / name
