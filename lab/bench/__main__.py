"""``python -m lab.bench [--quick]``, inside the lab: measure, and print each beside its limit."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lab.bench import detection, planning, resting
from lab.bench.errors import BenchError
from lab.bench.figures import HEADER, Block, Goal, counted, in_turns, ratio, summary, under
from lab.bench.processes import wall_s
from lab.bench.registry import CountingRegistry
from lab.bench.sandbox import SAU, Sandbox
from lab.bench.swap import Swap

PAIRS, QUICK = 10, 3


def measure(sandbox: Sandbox, registry: CountingRegistry, pairs: int) -> Iterator[Block]:
    """One block per measurement, as they come."""
    # First, while the engine has no other containers of ours: nothing is configured to be left out.
    yield from detection.measure(sandbox, registry, max(pairs, 5))

    # Alone on its bridge, a container that stops takes the carrier down, and the first packet
    # to the next one then waits a second for its address.
    sandbox.run("carrier", sandbox.pull(sandbox.publish("carrier", "1.0.0")))
    sides = Swap(sandbox, "update", new_is_good=True).measure(pairs)
    title = f"service away during an update ({pairs} pairs in turns, probed every 2 ms)"
    yield Block(title, [*sides, ratio(*sides, 1.05)])

    sides = Swap(sandbox, "undo", new_is_good=False).measure(pairs)
    title = f"service away while a failed update is undone ({pairs} pairs in turns)"
    yield Block(title, [*sides, ratio(*sides, 1.2)])

    wall_s(SAU, "--help")  # the first run may compile
    sides = in_turns(
        max(pairs, 10),
        ("sau --help", lambda: wall_s(SAU, "--help")),
        ("python -c pass", lambda: wall_s(sys.executable, "-c", "pass")),
    )
    yield Block("start of the program", [*sides, under(sides[0], 0.150)])

    title = f"service at rest: {resting.CONTAINERS} containers, after {resting.CYCLES} cycles"
    yield Block(title, [resting.measure(sandbox)])

    for images in (planning.CONTAINERS, 1):
        found = planning.measure(sandbox, registry, images, pairs)
        kind = "images" if images > 1 else "image"
        title = f"sau plan, nothing new: {planning.CONTAINERS} containers of {images} {kind}"
        asked = counted("registry requests per image", found.registry / images)
        yield Block(title, [found.took, asked, counted("engine requests in all", found.engine)])


def stop(*_: object) -> None:
    """SIGTERM ends us as Ctrl-C does; neither disturbs the cleaning up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m lab.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} pairs, as a smoke test")
    pairs = QUICK if parser.parse_args().quick else PAIRS
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    here = Path(os.environ["SAU_LAB"]).parent
    try:
        with (
            tempfile.TemporaryDirectory(prefix="bench-", dir=here) as folder,
            Sandbox(Path(folder)) as sandbox,
            CountingRegistry(Path(folder)) as registry,
        ):
            print(HEADER, flush=True)
            goals: list[Goal] = []
            for block in measure(sandbox, registry, pairs):
                print(block, flush=True)
                goals += block.goals
            print(summary(goals))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
