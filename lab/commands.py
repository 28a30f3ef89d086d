"""Commands that must succeed."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.errors import LabError


def told(
    command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """What a command prints. LabError, with the end of its words, when it fails."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, env=env)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-8:]
        raise LabError(
            f"`{' '.join(command)}` failed ({done.returncode}):\n  " + "\n  ".join(words)
        )
    return done.stdout
