"""``python -m lab.dashboards`` builds what reads a Grafana dashboard by Grafana's own types."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lab import cache
from lab.golang import Module

_CHECKER = Module("grafana", "github.com/grafana/grafana-foundation-sdk/go", (".",))


def build() -> Path:
    """Have it in the cache: a minute where it is not there yet. Its path."""
    return _CHECKER.built() / "grafana"


def is_built() -> bool:
    """Whether it is there."""
    return cache.kept(_CHECKER.name) is not None


def faults(dashboard: Path) -> str:
    """What is wrong with a dashboard; empty: nothing."""
    words = [str(build()), str(dashboard)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    return done.stderr if done.returncode else ""


if __name__ == "__main__":
    build()
