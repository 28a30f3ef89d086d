"""``python -m lab.cluster.kwok`` builds KWOK: nodes that are simulated, for thousands of pods."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.golang import Module

_KWOK = Module("kwok", "sigs.k8s.io/kwok", ("sigs.k8s.io/kwok/cmd/kwok",))
_MARK = {"kwok.x-k8s.io/node": "fake"}
LABEL = {"type": "kwok"}
"""What pods that are to be simulated select."""


def build() -> Path:
    """Have it in the cache: a minute or two where it is not there yet. Its path."""
    return _KWOK.built() / "kwok"


def node(number: int) -> dict[str, object]:
    """A node that nobody but KWOK keeps alive."""
    room = {"cpu": "1000", "memory": "4Ti", "pods": "5000"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"simulated-{number}", "labels": LABEL, "annotations": _MARK},
        "status": {"allocatable": room, "capacity": room},
    }


@contextmanager
def simulating(kubeconfig: Path, log: Path) -> Iterator[None]:
    """KWOK beside us, which lets pods of its nodes look as if they ran."""
    ((key, value),) = _MARK.items()
    mine = f"--manage-nodes-with-annotation-selector={key}={value}"
    words = [str(build()), f"--kubeconfig={kubeconfig}", mine]
    with log.open("wb") as said:
        beside = subprocess.Popen(words, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        beside.terminate()
        beside.wait(20)


if __name__ == "__main__":
    build()
