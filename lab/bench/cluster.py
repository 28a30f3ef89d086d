"""``python -m lab.bench.cluster [--quick]``, in the lab's cluster: beside kubectl and helm."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from lab.bench import chart_index, releases, rollout, scale
from lab.bench.errors import BenchError
from lab.bench.figures import HEADER, Goal, summary
from lab.bench.kubectl import Cluster

PAIRS, QUICK = 5, 2


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m lab.bench.cluster", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} pairs, as a smoke test")
    pairs = QUICK if parser.parse_args().quick else PAIRS
    cluster = Cluster()
    goals: list[Goal] = []
    try:
        with tempfile.TemporaryDirectory(dir=Path(os.environ["SAU_LAB"]).parent) as made:
            print(HEADER, flush=True)
            for measure in (
                chart_index.measure, rollout.measure, releases.measure, scale.measure
            ):  # fmt: skip
                block = measure(cluster, Path(made), pairs)
                print(block, flush=True)
                goals += block.goals
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(summary(goals))
    return 0


if __name__ == "__main__":
    sys.exit(main())
