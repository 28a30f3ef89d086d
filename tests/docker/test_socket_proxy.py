"""Behind a socket proxy that allows what the documents list, and refuses everything else."""

from __future__ import annotations

import json
import time

import pytest

from safe_auto_updater.platforms.docker.api import QUESTIONS, For, Question
from tests.docker.filter_kit import Filter
from tests.docker.remote_kit import with_engines
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

COMMAND = """  health:
    timeout: 15s
    stable_for: 1s
    checks: [{match: {asset: "*"}, type: command, command: [/bin/busybox, "true"]}]
"""


HOOK = {"safe-auto-updater.before-update": "/bin/busybox true"}


def behind(filter_: Filter, sau: Sau) -> Sau:
    with_engines(sau, {"name": "local", "host": f"tcp://{filter_.host}"})
    return sau


def joined_to_two_networks(world: World, **labels: str) -> str:
    """A container that older engines must join to its second network by itself."""
    world.publish("1.0.0")
    host = {"RestartPolicy": {"Name": "always"}}
    old = world.run(f"{world.repository}:1.0.0", Labels=labels, HostConfig=host)
    world.call("POST", f"/networks/{world.network('back')}/connect", {"Container": old})
    return old


@pytest.mark.usefixtures("no_watchtower")
def test_update_and_the_way_back_need_nothing_else(world: World, sau: Sau) -> None:
    old = joined_to_two_networks(world)
    stranger = f'inventory:\n  exclude: ["*/{world.prefix}-stranger"]\n'
    sau.config.write_text(sau.config.read_text().replace("inventory:\n", stranger, 1))
    world.run(f"{world.repository}:1.0.0", "stranger", Labels=HOOK)
    world.publish("1.1.0")
    with Filter(world.lab.socket, [q for q in QUESTIONS if q.what_for is not For.COMMAND]) as one:
        behind(one, sau)
        assert sau("apply", "--yes").update["outcome"] == "succeeded"
        assert world.text("web") == "1.1.0"
        assert sau("rollback", "web", "--yes").code == 0
        assert world.text("web") == "1.0.0"
        sau("release", "web")
        world.publish("1.2.0", behaviour="crash")
        before = world.ids()
        said = sau("apply", "--yes")
        assert said.update["outcome"] == "rolled_back", said.err
        assert world.ids() == before != {old}
        assert said.update["evidence"], "its log was read"
        doctor = sau("doctor")
        assert doctor.code == 0, doctor.out
        assert one.refused == []


def test_recovery_needs_nothing_else(world: World, sau: Sau) -> None:
    joined_to_two_networks(world)
    world.publish("1.1.0")
    with Filter(world.lab.socket, [q for q in QUESTIONS if q.what_for is not For.COMMAND]) as one:
        behind(one, sau)
        running = sau.start("apply", "--yes")
        eventually(lambda: world.call("GET", names_like(world, "web.sau-previous")), 30)
        running.kill()
        running.communicate()
        assert sau("recover").code == 0
        assert world.http("web") in ("1.0.0", "1.1.0")
        assert len(world.ids()) == 1
        assert one.refused == []


def test_commands_in_containers_need_three_questions_more(world: World, sau: Sau) -> None:
    world.publish("1.0.0")
    world.run(f"{world.repository}:1.0.0")
    world.publish("1.1.0")
    sau.config.write_text(sau.config.read_text().partition("  health:")[0] + COMMAND)
    with Filter(world.lab.socket, QUESTIONS) as one:
        assert behind(one, sau)("apply", "--yes").update["outcome"] == "succeeded"
        assert one.refused == []


IN_PROJECT = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "safe-auto-updater.compose": "container-only",
}
ALWAYS = {
    "/containers/json",
    "/images/create",
    "/containers/{id}/start",
    "/exec/{id}/json",
    "/containers/{id}/changes",
}
ONE_MISSING = [
    pytest.param(
        one,
        id=f"{one.method} {one.path}",
        marks=() if one.path in ALWAYS else pytest.mark.every_instant,
    )
    for one in QUESTIONS
    # Of managers only, and of those who watch.
    if one.what_for not in (For.SERVICE, For.WATCH)
]


@pytest.mark.parametrize("missing", ONE_MISSING)
def test_question_that_is_not_allowed_is_named_before_anything_is_touched(
    world: World, sau: Sau, missing: Question
) -> None:
    old = joined_to_two_networks(world, **IN_PROJECT, **HOOK)
    world.publish("1.1.0")
    started = world.get(old)["State"]["StartedAt"]
    with Filter(world.lab.socket, [q for q in QUESTIONS if q is not missing]) as one:
        behind(one, sau)
        applied, doctor = sau("apply", "--yes"), sau("doctor")
        assert one.refused
    fact = f"{missing.method} {missing.path} is not allowed (403 Forbidden)"
    remedy = "allow it in the socket proxy before the engine; docs/socket-proxy.md"
    told = applied.out + applied.err
    assert fact in told and remedy in told
    assert doctor.code == 1
    assert fact in doctor.out
    assert world.ids() == {old}
    assert world.get(old)["State"]["StartedAt"] == started
    if missing.what_for is not For.LOOK:
        assert applied.code == 1
        assert applied.update["outcome"] == "aborted"


def test_proxy_whose_engine_is_away_is_waited_for(world: World, sau: Sau) -> None:
    world.publish("1.0.0")
    old = world.run(f"{world.repository}:1.0.0")
    world.publish("1.1.0")
    with Filter(world.lab.socket, QUESTIONS) as one:
        behind(one, sau)
        running = sau.start("apply", "--yes")
        eventually(lambda: world.call("GET", names_like(world, "web.sau-next")), 30)
        engine, one.engine = one.engine, None
        time.sleep(1.5)
        one.engine = engine
        out, err = running.communicate(timeout=90)
    (update,) = json.loads(out)["updates"]
    assert update["outcome"] in ("succeeded", "rolled_back", "aborted"), err
    assert (world.ids() == {old}) == (update["outcome"] != "succeeded")
    assert len(world.ids()) == 1
    assert "a proxy says 503" in err


def names_like(world: World, name: str) -> str:
    return f'/containers/json?all=1&filters={{"name":["{world.prefix}-{name}"]}}'
