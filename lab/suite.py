"""``python -m lab.suite ENGINE [MARKS]``: all tests that need this engine (or cluster), in lanes.

What kills the engine, fills its disk or makes a Swarm of it runs in labs of its own, and mostly
waits; so the lane with the rest runs beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab.layout import KUBERNETES, Layout


@dataclass(frozen=True)
class Part:
    """Some of the tests: in which lab, how many at once, and on how small a disk."""

    marks: str
    instance: str = ""
    workers: int = 0
    disk_mib: int | None = None


LANES: tuple[tuple[Part, ...], ...] = (
    (Part("not engine_crash and not swarm and not small_disk", workers=6),),
    (
        Part("engine_crash", "crash"),
        Part("small_disk and not engine_crash", "disk", disk_mib=512),
        Part("swarm and not engine_crash", "swarm", workers=2),
    ),
)


CLUSTER: tuple[tuple[Part, ...], ...] = (
    (Part("not engine_crash", workers=2), Part("engine_crash", "crash")),
)
"""In turns: two clusters at once would be no quicker."""
LENT = os.environ.get("SAU_TEST_KUBECONFIG")
"""A cluster that somebody lends: no lab is started for its tests, and nothing there is killed."""


def command(engine: str, part: Part, marks: str) -> list[str]:
    """The tests of one part, in its lab."""
    words = [sys.executable, "-m", "lab", "--engine", engine]
    words += ["--instance", part.instance] if part.instance else []
    words += ["--disk", str(part.disk_mib)] if part.disk_mib else []
    words += ["run", "--down-if-started", "--"]
    folder = "tests/docker"
    if engine == KUBERNETES:
        folder, words = "tests/kubernetes", [] if LENT else words
    words += [sys.executable, "-m", "pytest", "--durations=12"]
    words += ["-o", "cache_dir=.lab/pytest", folder, "-m", f"({part.marks}){marks}"]
    return words + (["-n", str(part.workers), "--dist", "worksteal"] if part.workers else [])


def lane(engine: str, parts: Sequence[Part], marks: str, logs: Path) -> list[str]:
    """Its parts one after the other; which of them failed."""
    failed = []
    for part in parts:
        name = f"engine {engine}, {part.instance or 'shared'}"
        print(f"== {name}: {part.marks}", flush=True)
        log = logs / f"suite-{engine}-{part.instance or 'shared'}.log"
        with log.open("wb") as file:
            words = command(engine, part, marks)
            done = subprocess.run(words, check=False, stdout=file, stderr=subprocess.STDOUT)
        print(f"== {name}\n{log.read_text(errors='replace')}", flush=True)
        if done.returncode != 0:
            failed.append(name)
    return failed


def main() -> int:
    """Entry point."""
    engine, marks = sys.argv[1], "".join(f" {word}" for word in sys.argv[2:])
    logs = Layout.here().logs
    logs.mkdir(parents=True, exist_ok=True)
    lanes = LANES
    if engine == KUBERNETES:
        lanes = ((CLUSTER[0][0],),) if LENT else CLUSTER
    with ThreadPoolExecutor(len(lanes)) as pool:
        ended = pool.map(lambda parts: lane(engine, parts, marks, logs), lanes)
        failed = [name for names in ended for name in names]
    for name in failed:
        print(f"FAILED: {name}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
