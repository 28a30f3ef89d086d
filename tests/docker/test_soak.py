"""The service over many containers, cycle after cycle, while everything around it fails.

`make test` takes a few cycles by a printed seed (SAU_SEED repeats them); SAU_SOAK=2000 that many.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from lab import engine, registry, wire
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.engine.journal import Record
from tests.docker.kill.promise import assert_legal
from tests.docker.service_kit import ENABLED, Service
from tests.docker.state_disk import MemoryDisk, mounted
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

pytestmark = [pytest.mark.engine_crash, pytest.mark.any_engine]

CYCLES = int(os.environ.get("SAU_SOAK", "45"))
IS_LONG = CYCLES > 100
CONTAINERS = 20 if IS_LONG else 6
BETWEEN = 4  # cycles after each fault
WARM = 200 if IS_LONG else 15  # memory has to stay from that cycle on
ALWAYS = {"HostConfig": {"RestartPolicy": {"Name": "always"}}}  # else a crash of the engine ends it
BAD = ("crash", "unhealthy", "good", "good")  # what a new version is, by chance


class Soak:
    """Containers of one repository each, and what became of them."""

    def __init__(
        self, world: World, sau: Sau, service: Service, seed: str, disk: MemoryDisk
    ) -> None:
        self.world, self.sau, self.service, self.disk = world, sau, service, disk
        self.chance = random.Random(seed)
        self.newest = dict.fromkeys((f"c{n:02}" for n in range(CONTAINERS)), 0)
        self.good: dict[str, set[str]] = {name: {f"{name} 1.0.0"} for name in self.newest}
        for name in self.newest:
            world.run(self._publish(name, "good"), name, **ENABLED, **ALWAYS)

    def _publish(self, name: str, behaviour: str) -> str:
        tag = f"1.0.{self.newest[name]}"
        text = f"{name} {tag}"
        if behaviour == "good":
            self.good[name].add(text)
        recipe = {"version": text, "behaviour": behaviour}
        return self.world.publish(tag, name=name, **recipe).reference

    def round(self) -> None:
        """News for some, one fault, and the service goes on."""
        for name in self.chance.sample(sorted(self.newest), 3):
            self.newest[name] += 1
            self._publish(name, self.chance.choice(BAD))
        fault = self.chance.choice(FAULTS)
        print(f"{fault.__name__}", end=" ")
        fault(self)
        eventually(lambda: wire.answers(self.world.lab.socket), 60)
        if not self.service.runs:
            self.service.start()
        for _ in range(BETWEEN):
            self.service.next_cycle(120)

    def settle(self) -> None:
        """End it gracefully; then nothing may be under way."""
        self.service.signal(signal.SIGTERM)
        assert self.service.ended(120) == 0
        recovered = self.sau("recover", timeout_s=180)
        assert recovered.code == 0, recovered

    def assert_kept(self) -> None:
        """Each container runs a version that is good, alone, and the journal says how it came."""
        assert len(self.world.ids()) == len(self.newest), "one for each, and nothing left over"
        newest: dict[str, Record] = {}
        for record in self.sau.journal():
            newest.setdefault(record.asset.rpartition("-")[2], record)
            assert record.outcome not in (None, Outcome.INCONSISTENT, Outcome.HALTED), record
            assert_legal(record)
        for name in self.newest:
            text = self.world.text(name)
            assert text in self.good[name], f"{name} runs {text}"
            done = [r for r in self.sau.journal() if r.asset.endswith(f"-{name}") and r.took_effect]
            ran = "1.0.0" if not done else done[0].step.changes[0].candidate.version  # type: ignore[union-attr]
            assert text == f"{name} {ran}", f"the journal says {ran}, {text} runs"


def quiet(soak: Soak) -> None:
    """No fault."""


def kill(soak: Soak) -> None:
    """SIGKILL of the service, some time after it could know the news."""
    time.sleep(soak.chance.random() * 3)
    soak.service.kill()


def crash_engine(soak: Soak) -> None:
    """SIGKILL of the engine; it comes back."""
    layout = soak.world.lab.layout
    engine.kill(layout)
    engine.start(layout)


def lose_registry(soak: Soak) -> None:
    """The registry is away for a while."""
    layout = soak.world.lab.layout
    registry.stop(layout)
    soak.service.next_cycle(120)
    registry.start(layout)


def fill_disk(soak: Soak) -> None:
    """The disk of the state folder is full for a while: nothing can be written down."""
    soak.disk.stay_lost()
    time.sleep(soak.chance.random() * 3)
    soak.disk.mend()


def end(soak: Soak) -> None:
    """SIGTERM, as in an update of the machine."""
    soak.service.signal(signal.SIGTERM)
    assert soak.service.ended(120) == 0


FAULTS: tuple[Callable[[Soak], None], ...] = (
    quiet,
    kill,
    kill,
    crash_engine,
    lose_registry,
    fill_disk,
    end,
)


def _rss_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


@pytest.fixture
def disk(sau: Sau) -> Iterator[MemoryDisk]:
    """The state folder, on a small disk of its own."""
    made = mounted(lambda: MemoryDisk(sau.state, 64))
    yield made
    made.close()


@pytest.mark.timeout(10 * max(60, CYCLES))
def test_the_promise_holds_while_everything_fails(
    world: World, sau: Sau, disk: MemoryDisk, service: Service
) -> None:
    seed = os.environ["SAU_SEED"]
    print(f"SAU_SEED={seed}")
    soak = Soak(world, sau, service, seed, disk)
    sau.configure(
        "stable_for: 300ms",
        "  max_parallel: 3\n  stop_grace: 1s\n  keep: {versions: 1, days: 0.001}\n"
        "detection:\n  interval: 1s\n"
        f"  registries: [{{host: '{world.lab.registry}', plain_http: true}}]\n",
    )
    service.start()
    for number in count(1):
        soak.round()
        is_over = service.cycles() >= CYCLES
        if is_over or number % 10 == 0:
            soak.settle()
            soak.assert_kept()
            print(f"\n{number} faults, {service.cycles()} cycles, {len(sau.journal())} updates")
        if is_over:
            return
        if not service.runs:
            service.start()


@pytest.mark.timeout(10 * CYCLES)
def test_memory_and_open_files_stay_where_they_are(
    world: World, sau: Sau, disk: MemoryDisk, service: Service
) -> None:
    soak = Soak(world, sau, service, "memory", disk)
    registries = f"  registries: [{{host: '{world.lab.registry}', plain_http: true}}]\n"
    sau.configure("stable_for: 300ms", f"detection:\n  interval: 1s\n{registries}")
    service.start("--listen", "127.0.0.1:0")
    eventually(lambda: service.cycles() >= WARM, 10 * WARM)
    before = _rss_kib(service.pid), _open_files(service.pid)
    eventually(lambda: service.cycles() >= CYCLES, 10 * CYCLES)
    after = _rss_kib(service.pid), _open_files(service.pid)
    print(f"{len(soak.newest)} containers: after {WARM} cycles {before}, after {CYCLES} {after}")
    assert after[0] <= before[0] * 1.05, f"{before[0]} KiB have become {after[0]}"
    assert after[1] <= before[1]


def _open_files(pid: int) -> int:
    """While it rests: a connection comes and goes."""
    looks = []
    for _ in range(20):
        looks.append(len(list(Path(f"/proc/{pid}/fd").iterdir())))
        time.sleep(0.1)
    return min(looks)
