"""The engine's disk is full: the old container goes on or runs again, or a human is called."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.outcome import Outcome
from tests.docker.kill.hitting import update_when
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

pytestmark = pytest.mark.small_disk
CHUNK = 1024 * 1024


class Disk:
    """The disk that the engine's data lie on."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"
        self._empty = threading.Event()
        self._refills: threading.Thread | None = None

    def fill(self) -> None:
        """Take every byte that is left, and what the engine frees later."""
        self._take()
        self._refills = threading.Thread(target=self._keep_full)
        self._refills.start()

    def empty(self) -> None:
        """Give it back."""
        self._empty.set()
        if self._refills is not None:
            self._refills.join()
        self._file.unlink(missing_ok=True)

    def _keep_full(self) -> None:
        while not self._empty.wait(0.05):
            self._take()

    def _take(self) -> None:
        with self._file.open("ab", buffering=0) as file:
            for size in (CHUNK, 4096, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue


@pytest.fixture
def disk(world: World) -> Iterator[Disk]:
    """The lab's small disk; empty again afterwards."""
    described = json.loads(Path(os.environ["SAU_LAB"]).read_text())
    mine = Disk(Path(described["disk"]))
    yield mine
    mine.empty()


class Service:
    """A container with data, and a newer image at the registry."""

    def __init__(self, world: World, **newer: Any) -> None:
        self.world = world
        old = world.publish("1.0.0", version="old", volumes=("/data",))
        world.publish("1.1.0", **({"version": "new", "volumes": ("/data",)} | newer))
        world.run(old.reference, HostConfig={"RestartPolicy": {"Name": "always"}})
        assert world.text("web") == "old"
        self.before = world.get("web")


@pytest.mark.parametrize("at", ["PREPARE", "STAGE"])
def test_disk_full_before_the_old_one_stops_touches_nothing(
    world: World, sau: Sau, disk: Disk, at: str
) -> None:
    service = Service(world)

    outcome = update_when(sau, at, disk.fill).outcome

    now = world.get("web")
    assert now["Id"] == service.before["Id"]
    assert now["State"]["StartedAt"] == service.before["State"]["StartedAt"]
    assert outcome in (Outcome.ABORTED, None)
    disk.empty()
    assert sau("recover").code == 0
    assert world.ids() == {service.before["Id"]}
    assert world.image(world.repository + ":1.0.0")["Id"] == service.before["Image"]


@pytest.mark.parametrize("at", ["APPLY", "VERIFY"])
@pytest.mark.parametrize("newer", [{}, {"behaviour": "crash"}], ids=["good", "crash"])
def test_disk_full_when_the_old_one_has_stopped_ends_in_one_that_runs(
    world: World, sau: Sau, disk: Disk, at: str, newer: dict[str, Any]
) -> None:
    service = Service(world, **newer)

    outcome = update_when(sau, at, disk.fill).outcome

    if at == "APPLY":
        assert outcome is None, "neither given up nor done while nothing can be done"
        assert "make room there" in sau("history").json["updates"][0]["error"]
    disk.empty()
    said = sau("recover")
    assert said.code == 0, said.out
    now = world.get("web")
    side = "old" if now["Id"] == service.before["Id"] else "new"
    assert side == "old" or not newer
    assert world.ids() == {now["Id"]}, "nothing is left over"
    eventually(lambda: world.http("web") == side)
    assert now["HostConfig"]["RestartPolicy"]["Name"] == "always"
