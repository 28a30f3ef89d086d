"""`sau run` with `detection.watch` on a real engine: it sees at once, and acts by the schedule."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.platforms.docker import event_watch
from safe_auto_updater.platforms.docker.api import QUESTIONS, For
from safe_auto_updater.platforms.docker.engine import DockerEngine
from tests.docker.filter_kit import Filter
from tests.docker.remote_kit import Way, with_engines
from tests.docker.service_kit import ENABLED, Service
from tests.docker.swarm.kit import Services, pinned
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau
from tests.watching_kit import Watching

pytestmark = [pytest.mark.any_engine, pytest.mark.timeout(300)]
AVAILABLE = 'updates_available{bump="minor",platform="docker"}'
RUNNING = 'assets{platform="docker",status="running"}'
EXITED = 'assets{platform="docker",status="exited"}'
WATCHED = 'source_watched{source="docker:local"}'


@pytest.fixture
def watching(sau: Sau, service: Service) -> Watching:
    return Watching(service, sau.configure)


@pytest.fixture
def run(world: World) -> Callable[..., str]:
    """Starts a container on 1.0.0 where 1.1.0 is to be had."""
    world.publish("1.0.0")
    world.publish("1.1.0")

    def one(name: str = "web", **body: object) -> str:
        return world.run(f"{world.repository}:1.0.0", name, **body)

    return one


def test_what_is_started_between_two_cycles_is_seen_and_told_and_not_updated(
    world: World, watching: Watching, run: Callable[..., str]
) -> None:
    watching.start()
    made = world.create(f"{world.repository}:1.0.0", "late")
    run(**ENABLED)
    run("other")
    (told,) = eventually(lambda: watching.service.events("available"), 90)
    assert told["asset"].endswith("other"), "the other one needs nobody, in the next cycle"
    watching.shows(RUNNING, 2)
    watching.shows(AVAILABLE, 2)
    assert world.text("web") == "1.0.0"
    assert (watching.service.cycles(), watching.sau.journal()) == (1, ())
    assert watching.metrics()["cycles_total"] == 1
    assert watching.metrics()['assets{platform="docker",status="created"}'] == 1
    world.call("POST", f"/containers/{made}/start")
    eventually(lambda: watching.seen(f"{world.prefix}-late"), 90)
    assert watching.service.events("held") == [], "neither before it was started"


def test_container_that_is_gone_or_labelled_otherwise_is_seen(
    world: World, watching: Watching, run: Callable[..., str]
) -> None:
    web, other = run(), run("other")
    watching.start()
    watching.shows(AVAILABLE, 2)
    world.call("DELETE", f"/containers/{web}?force=1")
    eventually(lambda: watching.seen(f"{world.prefix}-web is gone"), 90)
    assert watching.metrics()[RUNNING] == watching.metrics()[AVAILABLE] == 1
    world.call("DELETE", f"/containers/{other}?force=1")
    run("other", Labels={"safe-auto-updater.policy": "none"})
    watching.shows(AVAILABLE, 0)
    assert watching.metrics()[RUNNING] == 1


def test_of_what_only_restarts_no_registry_is_asked(
    world: World, watching: Watching, run: Callable[..., str]
) -> None:
    web = run()
    watching.start()
    watching.shows(AVAILABLE, 1)
    asked = watching.asked()
    world.call("POST", f"/containers/{web}/stop?t=0")
    watching.shows(EXITED, 1)
    world.call("POST", f"/containers/{web}/start")
    watching.shows(RUNNING, 1)
    assert watching.asked() == asked > 0
    assert watching.seen() == []
    assert len(watching.service.events("available")) == 1
    assert watching.metrics()[AVAILABLE] == 1, "what was known of it stays"


def test_what_its_own_cycle_did_is_no_news(
    world: World, watching: Watching, run: Callable[..., str]
) -> None:
    run(**ENABLED)
    watching.start()
    assert world.text("web") == "1.1.0"
    run("other")
    eventually(watching.seen, 90)
    assert watching.seen() == [f"seen between two cycles: {world.prefix}-other"]


def test_what_a_person_does_beside_it_is_told_by_nobody_twice(
    world: World, watching: Watching, run: Callable[..., str]
) -> None:
    run()
    watching.start()
    watching.sau.configure("stable_for: 8s")
    assert watching.sau("apply", "--yes", "web").update["outcome"] == Outcome.SUCCEEDED
    eventually(lambda: watching.seen(f"{world.prefix}-web"), 90)
    assert watching.service.events("held") == [], "not while it is under way either"


def test_it_is_switched_on_and_off_by_sighup(
    world: World, watching: Watching, run: Callable[..., str]
) -> None:
    watching.start("false")
    before = eventually(lambda: threads(watching), 10)
    run()
    watching.configure()
    watching.service.signal(signal.SIGHUP)
    eventually(lambda: watching.seen(f"{world.prefix}-web"), 90)
    watching.configure("false")
    watching.service.signal(signal.SIGHUP)
    eventually(lambda: len(watching.said("service", "was read anew")) == 2, 60)
    eventually(lambda: threads(watching) == before, 60)
    watching.service.signal(signal.SIGTERM)
    assert watching.service.ended() == 0


def threads(watching: Watching) -> int:
    """How many its process has."""
    return len(list(Path(f"/proc/{watching.service.pid}/task").iterdir()))


def test_asked_to_end_it_ends_while_it_listens(watching: Watching) -> None:
    watching.start()
    assert watching.said("service", "watches docker:local")
    assert watching.metrics()[WATCHED] == 1
    assert watching.sau("doctor").code == 0, "nothing is missing"
    watching.service.signal(signal.SIGTERM)
    assert watching.service.ended(20) == 0


def test_proxy_that_refuses_is_told_once_and_the_schedule_goes_on(
    world: World, watching: Watching, run: Callable[..., str]
) -> None:
    with Filter(world.lab.socket, [q for q in QUESTIONS if q.what_for is not For.WATCH]) as one:
        watching.configure()
        with_engines(watching.sau, {"name": "local", "host": f"tcp://{one.host}"})
        doctor = watching.sau("doctor")
        watching.service.start("--once")
        assert watching.service.ended() == 0
        assert watching.service.events("warning") == []
        watching.listen()
        (told,) = eventually(lambda: watching.service.events("warning"), 60)
        assert watching.metrics()[WATCHED] == 0
    assert doctor.code == 1
    for text in (doctor.out, told["message"]):
        assert "GET /events is not allowed (403 Forbidden)" in text
        assert "docs/socket-proxy.md" in text
    assert "docker:local is not watched" in told["message"]


def test_line_that_breaks_is_asked_again_and_what_came_meanwhile_is_seen(
    world: World, watching: Watching, run: Callable[..., str]
) -> None:
    with Way(world.lab.socket) as way:
        watching.configure()
        with_engines(watching.sau, {"name": "local", "host": f"tcp://127.0.0.1:{way.port}"})
        watching.go()
        run("first")
        eventually(lambda: watching.seen(f"{world.prefix}-first"), 90)
        way.cut()
        run("second")
        way.resume()
        eventually(lambda: watching.seen(f"{world.prefix}-second"), 120)
        run("third")
        eventually(lambda: watching.seen(f"{world.prefix}-third"), 90)
        assert watching.service.events("warning") == []


def test_turns_of_a_real_engine_leave_no_gap(
    world: World, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_watch, "TURN_S", 2.0)
    watch = event_watch.EventWatch(DockerEngine(world.lab.docker_host))
    first = watch.open()
    assert first.missed
    list(first.changes())
    first.close()
    run()
    second = watch.open()
    assert not second.missed
    assert list(second.changes()), "it was made between the two"
    second.close()


@pytest.mark.swarm
def test_service_of_a_swarm_is_seen(world: World, watching: Watching, services: Services) -> None:
    image = pinned(world.publish("1.0.0"))
    watching.start()
    name = services.create(image, replicas=1)
    eventually(lambda: watching.seen(name), 90)
    world.call("DELETE", f"/services/{name}")
    eventually(lambda: watching.seen(f"{name} is gone"), 90)


@pytest.mark.engine_crash
def test_engine_that_was_killed_is_watched_again_and_what_came_meanwhile_is_seen(
    world: World, watching: Watching, run: Callable[..., str]
) -> None:
    always = {"HostConfig": {"RestartPolicy": {"Name": "always"}}}
    run("old", **always)
    watching.start()
    watching.shows(RUNNING, 1)
    world.lab.crash_engine()
    world.lab.start_engine()
    run("new", **always)
    eventually(lambda: watching.seen(f"{world.prefix}-new"), 150)
    watching.shows(RUNNING, 2)
    assert watching.seen(f"{world.prefix}-old") == []
    run("newer", **always)
    eventually(lambda: watching.seen(f"{world.prefix}-newer"), 90)
