"""``python -m lab.suite [--repeat] ENGINE [MARKS]``: all tests that need this engine or cluster.

What kills the engine, fills its disk or makes a Swarm of it runs in labs of its own, and mostly
waits; so the lane with the rest runs beside it.
"""

from __future__ import annotations

import argparse
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
    (Part("not engine_crash", workers=4), Part("engine_crash", "crash")),
)
"""In turns: two clusters at once would be no quicker."""
SOME_FAILED = 1
"""pytest's exit code where all tests ran and some failed; any other may have left some out."""
LENT = os.environ.get("SAU_TEST_KUBECONFIG")
"""A cluster that somebody lends: no lab is started for its tests, and nothing there is killed."""


@dataclass(frozen=True)
class Suite:
    """One engine's tests, of those marks; whether what failed is repeated, once and alone."""

    engine: str
    marks: str
    repeat: bool
    logs: Path

    def lane(self, parts: Sequence[Part]) -> list[str]:
        """Its parts one after the other; which of them failed."""
        failed = []
        for part in parts:
            name = part.instance or "shared"
            code = self.run(part, name, alone=False)
            if code == SOME_FAILED and self.repeat:
                print(f"== engine {self.engine}, {name}: UNSTEADY, what failed is repeated alone")
                code = self.run(part, name, alone=True)
            if code != 0:
                failed.append(f"engine {self.engine}, {name}")
        return failed

    def run(self, part: Part, name: str, alone: bool) -> int:
        """One part, or those of its tests that have failed, one by one; pytest's exit code."""
        print(f"== engine {self.engine}, {name}: {part.marks}", flush=True)
        log = self.logs / f"suite-{self.engine}-{name}{'-repeated' if alone else ''}.log"
        how = ["--last-failed", "--last-failed-no-failures=none", "--maxfail=1"]
        if not alone:
            how = ["--cache-clear"]
            how += ["-n", str(part.workers), "--dist", "worksteal"] if part.workers else []
        cache = ["-o", f"cache_dir=.lab/pytest-{self.engine}-{name}"]
        with log.open("wb") as file:
            words = [*self.words(part), *cache, *how]
            done = subprocess.run(words, check=False, stdout=file, stderr=subprocess.STDOUT)
        print(f"== engine {self.engine}, {name}\n{log.read_text(errors='replace')}", flush=True)
        return done.returncode

    def words(self, part: Part) -> list[str]:
        """The tests of one part, in its lab."""
        words = [sys.executable, "-m", "lab", "--engine", self.engine]
        words += ["--instance", part.instance] if part.instance else []
        words += ["--disk", str(part.disk_mib)] if part.disk_mib else []
        words += ["run", "--down-if-started", "--"]
        folder = "tests/docker"
        if self.engine == KUBERNETES:
            folder, words = "tests/kubernetes", [] if LENT else words
        words += [sys.executable, "-m", "pytest", "--durations=12"]
        return [*words, folder, "-m", f"({part.marks}){self.marks}"]


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m lab.suite")
    parser.add_argument("engine")
    parser.add_argument("--repeat", action="store_true", help="repeat what failed once, alone")
    parser.add_argument("marks", nargs="*", help="more of a pytest -m expression")
    said = parser.parse_args()
    logs = Layout.here().logs
    logs.mkdir(parents=True, exist_ok=True)
    marks = "".join(f" {word}" for word in said.marks)
    suite = Suite(said.engine, marks, said.repeat, logs)
    lanes = LANES
    if said.engine == KUBERNETES:
        lanes = ((CLUSTER[0][0],),) if LENT else CLUSTER
    with ThreadPoolExecutor(len(lanes)) as pool:
        failed = [name for names in pool.map(suite.lane, lanes) for name in names]
    for name in failed:
        print(f"FAILED: {name}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
