"""SIGKILL of the real process at each step of an update: the promise holds every time.

`make test` takes a sample by a printed seed (SAU_SEED repeats it); `make test-full` takes them all.
"""

from __future__ import annotations

import os
import random

import pytest

from safe_auto_updater.core.outcome import Outcome
from tests.docker.kill.hitting import hit
from tests.docker.kill.promise import assert_legal
from tests.kubernetes.kit import Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import as_written, begun, running, settled
from tests.lab_kit import eventually

KINDS = ("unwritten", "written", "unasked", "answered", "unseen")
SCENARIOS = {"good": ("Deployment", "good", 22), "crash": ("StatefulSet", "crash", 29)}
SAMPLE = 4
EVERY = [(name, at) for name, (_, _, most) in SCENARIOS.items() for at in range(1, most + 1)]


class Scene:
    """A workload on 1.0.0, and a newer version that is well or not."""

    def __init__(self, namespace: Namespace, sau: ClusterSau, name: str) -> None:
        self.kind, behaviour, self.most = SCENARIOS[name]
        self.namespace, self.sau = namespace, sau
        self.old = namespace.publish("1.0.0")
        self.before = begun(namespace, self.kind)
        self.new = namespace.publish("1.1.0", behaviour=behaviour)
        sau.configure("{timeout: 20s, stable_for: 1s}")

    def assert_kept(self) -> str:
        """One side runs whole, and the journal says which."""
        settled(self.namespace, self.kind)
        now = self.namespace.get(self.kind, "web")
        (container,) = now["spec"]["template"]["spec"]["containers"]
        side = "old" if container["image"] == self.old.reference else "new"
        digest = self.old.digest if side == "old" else self.new.digest
        eventually(lambda: running(self.namespace) == {digest}, 60)
        if side == "old":
            assert as_written(now) == as_written(self.before)
        records = self.sau.journal()
        for record in records:
            assert record.outcome not in (None, Outcome.INCONSISTENT), record
            assert_legal(record)
        last = records[0].outcome if records else Outcome.ABORTED
        assert (last is Outcome.SUCCEEDED) == (side == "new"), (side, last)
        return side


def kill(scene: Scene, at: int, by_recover: bool) -> None:
    killed = hit(scene.sau, "apply", "--yes", at=at, kinds=KINDS)
    assert killed.killed, f"instant {at} was not reached: {killed.text}"
    print(f"killed at {at}, {killed.reached[-1]}")
    said = scene.sau(*(("recover",) if by_recover else ("apply", "--yes")), timeout_s=180)
    assert said.code in ((0,) if by_recover else (0, 1, 3)), said
    scene.assert_kept()


@pytest.mark.parametrize("name", SCENARIOS)
def test_undisturbed_update_has_these_instants(
    namespace: Namespace, sau: ClusterSau, name: str
) -> None:
    scene = Scene(namespace, sau, name)
    said = hit(sau, "apply", "--yes", at=None, kinds=KINDS)
    assert scene.assert_kept() == ("new" if name == "good" else "old"), said.text
    told = "\n".join(said.reached)
    assert len(said.reached) == scene.most, f"the instants have changed:\n{told}"


@pytest.mark.parametrize("number", range(SAMPLE))
def test_killed_and_resumed_at_a_sampled_instant(
    namespace: Namespace, sau: ClusterSau, number: int
) -> None:
    seed = os.environ["SAU_SEED"]
    name, at = random.Random(f"{seed} cluster {number}").choice(EVERY)
    print(f"SAU_SEED={seed}: {name} killed at {at}")
    kill(Scene(namespace, sau, name), at, by_recover=number % 2 == 0)


@pytest.mark.every_instant
@pytest.mark.parametrize(("name", "at"), EVERY)
def test_killed_and_resumed_at_every_instant(
    namespace: Namespace, sau: ClusterSau, name: str, at: int
) -> None:
    kill(Scene(namespace, sau, name), at, by_recover=at % 2 == 0)
