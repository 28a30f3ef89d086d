"""SIGKILL of us, of helm, and of both, at each step of a release's update and within helm's runs.

`make test` takes a sample by a printed seed (SAU_SEED repeats it); `make test-full` takes them all.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from safe_auto_updater.core.outcome import Outcome
from tests.docker.kill.hitting import Hit, hit
from tests.docker.kill.promise import assert_legal
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Namespace
from tests.kubernetes.release_kit import Release
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.whole_chart import Images, surroundings, whole
from tests.lab_kit import eventually

KINDS = ("unwritten", "written", "unasked", "answered", "unseen", "sent")
STEADY = ("unwritten", "written", "unasked", "answered", "unseen")
"""Those whose number does not depend on how long helm takes."""
SCENARIOS = {"good": ("", 24), "crash": ("web crashes", 29)}
EVERY = [(name, at) for name, (_, most) in SCENARIOS.items() for at in range(1, most + 1)]
WITHIN = [f"sent helm {verb}, {moment} s later" for verb in ("upgrade", "rollback")
          for moment in (0.2, 0.3, 0.5)]  # fmt: skip
SAMPLE = 3


class Scene:
    """A release on 1.0.0, and a newer chart that is well or not."""

    def __init__(self, namespace: Namespace, helm: Helm, sau: ClusterSau, name: str) -> None:
        how, self.most = SCENARIOS[name]
        self.release, self.sau = Release(namespace, helm, sau), sau
        images = Images.publish(namespace)
        self.release.install(whole(namespace, images), values={"greeting": "hi"})
        self.before, self.values = self.release.live(), helm.get_values("shop")
        self.release.publish(whole(namespace, images, "1.0.1", how))
        self.ends = "new" if name == "good" else "old"

    def hit(self, at: int | str | None, kinds: tuple[str, ...], action: str = "kill") -> Hit:
        """The update, hit at an instant."""
        words = ("apply", "--yes", self.release.asset)
        return hit(self.sau, *words, at=at, kinds=kinds, action=action)

    def resume(self, by_recover: bool) -> str:
        """Start again; which side runs then."""
        words = ("recover",) if by_recover else ("apply", "--yes", self.release.asset)
        said = self.sau(*words, timeout_s=280)
        assert said.code in ((0,) if by_recover else (0, 1, 3)), said
        return self.assert_kept()

    def assert_kept(self) -> str:
        """One side runs whole, helm can go on with the release, and the journal says which."""
        release = self.release
        chart, status = release.revisions()[-1]
        side = "new" if chart == "web-1.0.1" else "old"
        assert status == "deployed", release.revisions()
        eventually(release.all_ready, 90)
        if side == "old":
            assert release.live() == self.before
        assert release.helm.get_values("shop") == self.values
        records = self.sau.journal()
        for record in records:
            assert record.outcome not in (None, Outcome.INCONSISTENT), record
            assert_legal(record)
        last = records[0].outcome if records else Outcome.ABORTED
        assert (last is Outcome.SUCCEEDED) == (side == "new"), (side, last)
        return side


@pytest.fixture
def room(namespace: Namespace, tmp_path: Path) -> Iterator[None]:
    """Volumes for the release's claims."""
    with surroundings(namespace, tmp_path):
        yield


@pytest.mark.parametrize("name", SCENARIOS)
def test_undisturbed_update_has_these_instants(
    room: None, namespace: Namespace, helm: Helm, sau: ClusterSau, name: str
) -> None:
    scene = Scene(namespace, helm, sau, name)
    said = scene.hit(None, STEADY)
    assert scene.assert_kept() == scene.ends, said.text
    told = "\n".join(said.reached)
    assert len(said.reached) == scene.most, f"the instants have changed:\n{told}"


@pytest.mark.parametrize("number", range(SAMPLE))
def test_killed_and_resumed_at_a_sampled_instant(
    room: None, namespace: Namespace, helm: Helm, sau: ClusterSau, number: int
) -> None:
    seed = os.environ["SAU_SEED"]
    name, at = random.Random(f"{seed} helm {number}").choice(EVERY)
    print(f"SAU_SEED={seed}: {name} killed at {at}")
    killed(Scene(namespace, helm, sau, name), at, by_recover=number % 2 == 0)


def killed(scene: Scene, at: int, by_recover: bool) -> None:
    said = scene.hit(at, STEADY)
    assert said.killed, f"instant {at} was not reached: {said.text}"
    print(f"killed at {at}, {said.reached[-1]}")
    scene.resume(by_recover)


@pytest.mark.every_instant
@pytest.mark.parametrize(("name", "at"), EVERY)
def test_killed_and_resumed_at_every_instant(
    room: None, namespace: Namespace, helm4: Helm, sau: ClusterSau, name: str, at: int
) -> None:
    killed(Scene(namespace, helm4, sau, name), at, by_recover=at % 2 == 0)


@pytest.mark.parametrize("action", ["kill", "kill helm"])
@pytest.mark.parametrize("at", [WITHIN[1], WITHIN[-1]])
def test_killed_within_a_run_of_helm(
    room: None, namespace: Namespace, helm: Helm, sau: ClusterSau, at: str, action: str
) -> None:
    scene = Scene(namespace, helm, sau, "crash")
    said = scene.hit(at, KINDS, action)
    if action == "kill":
        assert said.killed, said.text
        scene.resume(by_recover=True)
    assert scene.assert_kept() == "old", said.text
