"""A member of a unit that only restarts: as what it may be met."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import StepFailed
from safe_auto_updater.core.model import Action, Change, Image, Step
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.updater import Side, Work
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.own import Own
from safe_auto_updater.platforms.docker.restarter import Restarter
from safe_auto_updater.platforms.docker.takeover import Takeover
from tests.clock import FakeClock
from tests.http_kit import LocalServer, QuietHandler

IMAGE = Image("app:1", image_id="sha256:1")
FIXES = {"safe-auto-updater.fix-forward": "true"}


@contextmanager
def restarter(folder: Path, status: str, labels: dict[str, str]) -> Iterator[Restarter]:
    """Over an engine that has this one container, and nothing else."""
    told = {
        "version": {"ApiVersion": "1.41"},
        "app": {"Id": "a" * 64, "Name": "/app", "Image": IMAGE.image_id, "RestartCount": 7,
                "Config": {"Labels": labels}, "State": {"Status": status, "Running": True}},
    }  # fmt: skip

    class Engine(QuietHandler):
        def do_GET(self) -> None:
            found = next((told[word] for word in self.path.split("/") if word in told), None)
            self.answer(404 if found is None else 200, json.dumps(found or {}).encode())

    with LocalServer(Engine) as server:
        containers = Containers(DockerEngine(f"tcp://{server.host}"))
        images = Images(containers.engine, lambda host: {})
        takeover = Takeover(containers, FakeClock().sleep, Own(None, folder))
        yield Restarter(containers, images, Settings(), takeover)


@pytest.mark.parametrize(
    ("status", "undoes", "labels", "fits"),
    [
        ("running", None, {}, True),
        ("restarting", None, {}, False),
        ("restarting", None, FIXES, True),
        ("restarting", "u1", {}, True),
        ("paused", "u1", FIXES, False),
    ],
)
def test_crash_loop_is_met_where_it_is_to_be_ended(
    tmp_path: Path, status: str, undoes: str | None, labels: dict[str, str], fits: bool
) -> None:
    change = Change("docker:local/app", "app", IMAGE, IMAGE)
    work = Work("u1", Step("docker:local/app", Action.UPDATE, changes=(change,), undoes=undoes))
    with restarter(tmp_path, status, labels) as it:
        if fits:
            assert it.precheck(work)["restarts"] == 7
        else:
            with pytest.raises(StepFailed, match=f"container app is {status} now"):
                it.precheck(work)


def test_one_that_somebody_removed_is_in_nobodys_way_and_is_named(tmp_path: Path) -> None:
    change = Change("docker:local/worker", "worker", IMAGE, IMAGE)
    step = Step("docker:local/worker", Action.UPDATE, changes=(change,))
    before = {"container": {"State": {"StartedAt": "2026-01-01T00:00:00Z"}}}
    work = Work("u1", step, {"old_id": "b" * 64, "snapshot": before})
    with restarter(tmp_path, "running", {}) as it:
        it.withdraw(work, Side.NEW)
        for verb in (it.rollback, it.confirm):
            with pytest.raises(StepFailed, match="container worker was removed by somebody"):
                verb(work)
