"""What people name while the service rests: who is gone keeps nobody waiting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from safe_auto_updater.config import Config
from safe_auto_updater.config.config import DockerHost
from safe_auto_updater.config.contexts import Address
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.model import Asset, Health, Image, ImageUse, Status
from safe_auto_updater.core.ports import Scan
from safe_auto_updater.engine.cycle import Cycle
from safe_auto_updater.engine.decisions import Decisions
from safe_auto_updater.engine.state import open_state
from safe_auto_updater.platforms.docker.scanner import DockerScanner
from safe_auto_updater.service.service import AGAIN_S, Service
from safe_auto_updater.service.signals import Signals
from safe_auto_updater.service.wired import Wired
from tests.clock import FakeClock

WEB, API, OLD = "docker:local/web", "docker:nas/api", "docker:local/old"


class Resting(Signals):
    """Time passes only while the service rests; then comes the next act, at last the end."""

    def __init__(self, clock: FakeClock, acts: list[Callable[[], None]]) -> None:
        super().__init__(clock.monotonic)
        self._clock = clock
        self._acts = acts

    def rest(self, seconds: float) -> None:
        self._clock.sleep(seconds)
        if self._acts:
            self._acts.pop(0)()
        else:
            self.end()


class Scene:
    """A service over two engines, and which assets each of its cycles planned."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "state"
        self.clock = FakeClock(1_700_000_000.0)
        self.acts: list[Callable[[], None]] = []
        self.events: list[Event] = []
        self.planned: list[tuple[str, ...]] = []
        self.nas_answers = self.works = True
        scene, plan = self, Cycle.plan

        def planned(self: Cycle, names: tuple[str, ...] = (), *more: object) -> object:
            scene.planned.append(tuple(names))
            if not scene.works:
                raise RuntimeError("the disk is full")
            return plan(self, names)

        monkeypatch.setattr(Cycle, "plan", planned)
        monkeypatch.setattr(DockerScanner, "scan", lambda scanner: scene.seen(scanner.name))
        hosts = (
            DockerHost(name, Address(f"unix://{folder}/none.sock")) for name in ("local", "nas")
        )
        config = Config(engines=tuple(hosts))
        signals = Resting(self.clock, self.acts)
        wired = Wired(self.folder, lambda: config, {}, self.events.append, signals, self.clock)
        self.service = Service(wired)

    def seen(self, source: str) -> Scan:
        if source == "docker:nas" and not self.nas_answers:
            return Scan((), (), ((source, "does not answer"),))
        id_ = WEB if source == "docker:local" else API
        running = (Status.RUNNING, Health.HEALTHY)
        use = ImageUse(id_[-3:], Image("built/here:1"))
        return Scan((Asset(id_, "docker", "container", id_[-3:], (use,), *running),))

    def release(self, *assets: str) -> None:
        db = open_state(self.folder)
        for asset in assets:
            Decisions(db, self.clock.now).release(asset, "released", "alice")
        db.close()

    def later(self) -> None:
        self.clock.sleep(AGAIN_S)

    def run(self, *acts: Callable[[], None]) -> list[tuple[str, ...]]:
        """The cycles after the first one, which is of everything."""
        self.acts += acts
        self.service.run()
        assert self.planned[0] == ()
        return self.planned[1:]

    @property
    def warned(self) -> list[str]:
        return [event.message for event in self.events if event.kind == "warning"]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


def test_what_is_gone_is_passed_over_and_the_others_are_planned(scene: Scene) -> None:
    assert scene.run(lambda: scene.release(OLD, WEB)) == [(WEB,)]
    assert (scene.service.alive(), scene.warned) == (None, [])


def test_only_what_is_gone_makes_no_cycle(scene: Scene) -> None:
    assert scene.run(lambda: scene.release(OLD), scene.later) == []
    assert (scene.service.alive(), scene.warned) == (None, [])


def test_what_is_away_is_looked_for_again_and_keeps_no_other_waiting(scene: Scene) -> None:
    def leaves() -> None:
        scene.nas_answers = False
        scene.release(API, WEB)

    def comes_back() -> None:
        scene.nas_answers = True

    cycles = scene.run(leaves, scene.later, scene.later, comes_back, scene.later, scene.later)

    assert cycles == [(WEB,), (API,)]
    assert scene.service.alive() is None
    assert scene.warned == [f"{API}: not seen now; looked for again every minute"]


def test_what_two_cycles_of_everything_have_not_seen_is_not_looked_for_any_more(
    scene: Scene,
) -> None:
    def leaves() -> None:
        scene.nas_answers = False
        scene.release(API)

    def half_a_day() -> None:
        scene.clock.sleep(12 * 3600)

    def comes_back() -> None:
        scene.nas_answers = True

    cycles = scene.run(leaves, scene.later, half_a_day, half_a_day, comes_back, scene.later)

    assert cycles == [(), ()]


def test_cycle_that_could_not_be_made_is_made_again_after_a_minute(scene: Scene) -> None:
    told: list[str | None] = []

    def fails() -> None:
        scene.works = False
        scene.release(WEB)

    def works() -> None:
        told.append(scene.service.alive())
        scene.works = True

    assert scene.run(fails, works, scene.later, scene.later) == [(WEB,), (WEB,)]
    assert told == ["RuntimeError: the disk is full"]
    assert scene.service.alive() is None
