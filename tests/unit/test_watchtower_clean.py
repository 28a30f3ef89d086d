"""What waited for the way back is not thrown away where it is the last that is left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.app import App
from safe_auto_updater.config import Config
from safe_auto_updater.config.config import DockerHost
from safe_auto_updater.config.contexts import Address
from safe_auto_updater.core.errors import StepFailed
from safe_auto_updater.core.model import Action, Change, Image, Step, UpdaterKind
from safe_auto_updater.core.updater import Updater, Work
from safe_auto_updater.engine.health import HealthChecker
from tests.clock import FakeClock
from tests.http_kit import LocalServer, QuietHandler

WEB, OLD, WAITS, OTHER = "docker:local/web", "0" * 64, "a" * 64, "b" * 64
CHANGE = Change(WEB, "web", Image("web:1"), Image("web:1", digest="sha256:new"), "digest")
STEP = Step(WEB, Action.UPDATE, changes=(CHANGE,), updater=UpdaterKind.WATCHTOWER)
FACTS = {"old_id": OLD, "staged_id": WAITS, "snapshot": {"image": {"Id": "sha256:1"}, "tags": {}}}
WORK = Work("u1", STEP, FACTS)


def container(name: str, id_: str) -> dict[str, Any]:
    labels = {"safe-auto-updater.update": "u1"}
    state = {"Status": "running", "Running": True}
    return {"Id": id_, "Name": f"/{name}", "Config": {"Labels": labels}, "State": state}


@contextmanager
def updater(folder: Path, *there: Mapping[str, Any]) -> Iterator[tuple[Updater, list[str]]]:
    """The updater over an engine that has these containers, and the paths of what was removed."""
    removed: list[str] = []

    class Engine(QuietHandler):
        def do_GET(self) -> None:
            if self.path == "/version":
                return self.answer(200, json.dumps({"ApiVersion": "1.41"}).encode())
            word = self.path.split("/")[3]
            found = [one for one in there if word in (one["Id"], one["Name"].lstrip("/"))]
            if not found:
                return self.answer(404, b'{"message": "no such container"}')
            return self.answer(200, json.dumps(found[0]).encode())

        def do_DELETE(self) -> None:
            removed.append(self.path.split("/")[3].partition("?")[0])
            self.answer(204)

    clock = FakeClock()
    with LocalServer(Engine) as server:
        engine = DockerHost("local", Address(f"tcp://{server.host}"))
        with App(Config(engines=(engine,)), folder, {}, (), clock=clock) as app:
            yield app.docker.updater(STEP, HealthChecker(lambda asset: (), clock)), removed


def test_old_one_that_is_there_needs_nobody_who_waits(tmp_path: Path) -> None:
    there = container("web", OLD), container("web.sau-next", WAITS)
    with updater(tmp_path, *there) as (it, removed):
        assert (it.clean(WORK), removed) == ({}, [WAITS])


def test_where_nobody_has_the_name_who_waits_is_kept_and_told(tmp_path: Path) -> None:
    gone = pytest.raises(StepFailed, match=r"removed by somebody .*; one like it waits as web\.sau")
    with updater(tmp_path, container("web.sau-next", WAITS)) as (it, removed), gone:
        it.clean(WORK)
    assert removed == []


def test_where_another_one_took_the_name_that_is_told(tmp_path: Path) -> None:
    there = container("web", OTHER), container("web.sau-next", WAITS)
    with updater(tmp_path, *there) as (it, removed):
        (warning,) = it.clean(WORK)["warnings"]
    assert (removed, f"{OTHER[:12]} has its name" in warning) == ([WAITS], True)
