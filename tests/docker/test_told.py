"""Told where people look: the webhook, the log, `doctor`, `status`."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http_kit import LocalServer, QuietHandler
from tests.lab_kit import World
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine


class Hook(LocalServer):
    """A webhook's other end."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        hook = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append(json.loads(body))
                self.answer(204)

        super().__init__(Handler)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as hook:
        yield hook


def test_webhook_is_told_how_updates_end_and_each_hold_once(
    world: World, sau: Sau, hook: Hook
) -> None:
    sau.configure(extra=f"notifications: [{{type: webhook, url: '{hook.url}/hook'}}]\n")
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0", behaviour="crash")

    for _ in range(3):
        sau("apply", "--yes")

    assert [event["kind"] for event in hook.got] == ["rolled_back", "held"]
    rolled_back = hook.got[0]
    (update,) = sau("history").json["updates"]
    assert rolled_back["update"] == update["id"]
    assert rolled_back["asset"] == f"docker:local/{world.prefix}-web"


def test_webhook_that_is_not_there_never_stops_an_update(world: World, sau: Sau) -> None:
    url = "http://127.0.0.1:9/nobody"
    sau.configure(extra=f"notifications: [{{type: webhook, url: '{url}'}}]\n")
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")

    said = sau("apply", "--yes")

    assert said.update["outcome"] == "succeeded"
    assert "webhook" in said.err


def test_json_log_lines_carry_the_updates_id(world: World, sau: Sau) -> None:
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")

    said = sau("apply", "--yes", "--log", "json", "--verbose")

    events = [json.loads(line) for line in said.err.splitlines() if line.startswith("{")]
    assert {event["update"] for event in events} == {said.update["id"]}
    assert {"started", "phase", "progress", "succeeded"} <= {event["kind"] for event in events}


@pytest.mark.usefixtures("no_watchtower")
def test_doctor_says_what_is_well_and_what_is_not(world: World, sau: Sau) -> None:
    world.run(world.publish("1.0.0").reference)
    good = sau("doctor")
    assert good.code == 0, good.out
    found = {finding["what"]: finding for finding in good.json["findings"]}
    major, minor = world.lab.engine_api
    assert f"API {major}.{minor}" in found["docker local"]["fact"]
    assert found[f"registry {world.lab.registry}"]["ok"]

    sau.config.write_text("inventory: {docker: [{name: gone, host: 'unix:///run/no-such.sock'}]}\n")
    bad = sau("doctor")
    assert bad.code == 1
    assert "does not answer" in next(
        f["fact"] for f in bad.json["findings"] if f["what"] == "docker gone"
    )


def test_engine_that_does_not_answer_is_a_failed_part_and_exit_code_1(
    world: World, sau: Sau
) -> None:
    world.run(world.publish("1.0.0").reference)
    socket = world.lab.socket
    sau.config.write_text(
        f"inventory:\n  include: ['*/{world.prefix}-*']\n  docker:\n"
        f"    - {{name: local, host: 'unix://{socket}'}}\n"
        "    - {name: gone, host: 'unix:///run/no-such.sock'}\n"
    )
    said = sau("scan")
    assert said.code == 1
    assert [asset["name"] for asset in said.json["assets"]] == [f"{world.prefix}-web"]
    assert said.json["failures"][0]["source"] == "docker:gone"


def test_closed_streams_keep_nothing_from_being_done(world: World, sau: Sau) -> None:
    """As a script at boot may have closed them; what is opened next must not take their numbers."""
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")
    words = shlex.join([*sau.command, "rollback", "web", "--yes"])
    for closed in ("<&-", ">&- 2>&-", "<&- >&- 2>&-"):
        assert sau("apply", "--yes").update["outcome"] == "succeeded"
        done = subprocess.run(["/bin/sh", "-c", f"exec {words} {closed}"], check=False)
        assert done.returncode == 0, closed
        assert sau("release", "web").code == 0
    assert [one["outcome"] for one in sau("history").json["updates"]] == ["succeeded"] * 6
    assert world.text("web") == "1.0.0"


def test_status_needs_no_engine(world: World, sau: Sau) -> None:
    sau.config.write_text("inventory: {docker: [{name: gone, host: 'unix:///run/no-such.sock'}]}\n")
    said = sau()  # `status` is what it does when nothing is said
    assert (said.code, said.json["blocked"], said.json["updates"]) == (0, [], [])
