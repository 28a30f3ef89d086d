"""``python -m lab``: build, up, down, status, run -- COMMAND, restart-engine."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from lab import life, releases
from lab.errors import LabError
from lab.layout import KUBERNETES, OWN_ENGINE, Layout
from lab.namespace import enter


def run(layout: Layout, command: Sequence[str], down_if_started: bool, disk_mib: int | None) -> int:
    """Run a command inside the lab; its exit code (128 + signal when killed)."""
    started = life.up(layout, disk_mib)
    told = {"SAU_LAB": str(layout.description)}
    inside = os.environ | told | life.runtime(layout).inside(layout)
    try:
        child = subprocess.Popen([*enter(layout), *command], env=inside)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells the child itself
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        code = child.wait()
    finally:
        if started and down_if_started:
            life.down(layout)
    return code if code >= 0 else 128 - code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="an engine or a cluster")
    parser.add_argument("--instance", default="", help="a lab beside the shared one (a word)")
    parser.add_argument(
        "--engine", default=OWN_ENGINE, choices=[*releases.RELEASES, KUBERNETES],
        help="which one; kubernetes: a cluster of one node instead",
    )  # fmt: skip
    parser.add_argument("--disk", type=int, metavar="MIB", help="its data on a small disk")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("build", help="have in the cache what it is made of")
    verbs.add_parser("up", help="start it and a registry, or re-use those that run")
    verbs.add_parser("down", help="end both and wipe their data")
    verbs.add_parser("status", help="tell which parts live (exit code 1: not all)")
    verbs.add_parser("restart-engine", help="as after a crash of dockerd, or of the API server")
    inside = verbs.add_parser(
        "run", help="`run -- COMMAND`: run it inside the lab, which is brought up if needed"
    )
    inside.add_argument("--down-if-started", action="store_true", help="leave it as it was found")
    return parser


def _split(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Our own words, and the command behind the first ``--`` (which may hold more of them)."""
    if "--" not in words:
        return words, ()
    at = words.index("--")
    return words[:at], words[at + 1 :]


def main() -> int:
    """Entry point."""
    parser = _parser()
    words, command = _split(sys.argv[1:])
    asked = parser.parse_args(words)
    if (asked.verb == "run") != bool(command):
        parser.error("`run` needs a command behind `--`, and nothing else takes one")
    if asked.instance and not asked.instance.isalnum():
        parser.error("--instance is a word of letters and digits")
    layout = Layout.here(asked.instance, asked.engine)
    begun = time.monotonic()
    try:
        match asked.verb:
            case "build":
                life.build(layout)
            case "up":
                how = "started" if life.up(layout, asked.disk) else "ran already"
                print(f"lab {layout.name} {how} ({time.monotonic() - begun:.2f} s)")
                print(layout.description.read_text(), end="")
            case "down":
                life.down(layout)
                print(f"lab {layout.name} is down ({time.monotonic() - begun:.2f} s)")
            case "status":
                parts = life.status(layout)
                print("\n".join(f"{part}: {'up' if up else 'down'}" for part, up in parts.items()))
                return 0 if all(parts.values()) else 1
            case "restart-engine":
                life.runtime(layout).kill(layout)
                life.runtime(layout).start(layout)
                print(f"it was killed and answers again ({time.monotonic() - begun:.2f} s)")
            case "run":
                return run(layout, command, asked.down_if_started, asked.disk)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
