"""An engine's events over a real connection: turns, breaks, and the end."""

from __future__ import annotations

import gc
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.platforms.docker import event_watch as module
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.event_watch import LATE_S, TURN_S, EventWatch
from tests.http_kit import LocalServer, QuietHandler
from tests.lab_kit import eventually

NOON = 1_800_000_000
STARTED = {"Type": "container", "Action": "start"}
Say = Callable[[QuietHandler], None]


def saying(*events: dict[str, str], then: str = "end") -> Say:
    """These events; then the answer ends, breaks or stays open."""

    def say(handler: QuietHandler) -> None:
        for event in events:
            line = json.dumps(event).encode() + b"\n"
            handler.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        if then == "end":
            handler.wfile.write(b"0\r\n\r\n")
        elif then == "break":
            handler.connection.shutdown(socket.SHUT_RDWR)
        else:
            handler.connection.recv(1)

    return say


@contextmanager
def engine_that(*says: Say, time: str = "2027-01-15T08:00:00Z") -> Iterator[tuple[Any, Any]]:
    """An engine that says this to each question for its events, the last again and again."""
    asked: list[dict[str, str]] = []

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path)
            if path.path.endswith("/events"):
                asked.append({key: value[0] for key, value in parse_qs(path.query).items()})
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                says[min(len(asked), len(says)) - 1](self)
                self.close_connection = True
                return
            told = {"ApiVersion": "1.41"} if path.path == "/version" else {"SystemTime": time}
            self.answer(200, json.dumps(told).encode())

    with LocalServer(Handler) as server:
        yield DockerEngine(f"tcp://{server.host}"), asked


@pytest.fixture
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if each line had stood for as long as it was asked for."""
    monkeypatch.setattr(module, "TURN_S", 0.0)


def test_it_asks_for_what_changes_an_inventory_by_the_engines_own_clock() -> None:
    with engine_that(saying(STARTED, then="wait")) as (engine, asked):
        line = EventWatch(engine).open()
        assert next(line.changes()) is None
        line.end()
        line.close()
    (question,) = asked
    assert question["since"] == f"{NOON}.000000"
    assert question["until"] == f"{NOON + TURN_S:.6f}"
    filters = json.loads(question["filters"])
    assert filters["type"] == ["container", "service"]
    assert {"create", "start", "die", "destroy", "rename", "update"} <= set(filters["event"])


def test_turns_follow_each_other_without_a_gap(short_turns: None) -> None:
    with engine_that(saying(STARTED, STARTED)) as (engine, asked):
        watch = EventWatch(engine)
        first = watch.open()
        assert first.missed and len(list(first.changes())) == 2
        second = watch.open()
        assert not second.missed
    assert asked[1]["since"] == asked[0]["until"]


@pytest.mark.parametrize("then", ["end", "break"])
def test_line_that_ends_before_its_time_has_broken(then: str) -> None:
    with engine_that(saying(STARTED, then=then)) as (engine, _):
        watch = EventWatch(engine)
        line = watch.open()
        with pytest.raises(PlatformUnreachable):
            list(line.changes())
        line.close()
        assert watch.open().missed, "something may have happened meanwhile"


def test_engine_that_was_away_between_two_turns_may_have_lost_what_it_would_tell(
    short_turns: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine_that(saying(STARTED)) as (engine, _):
        watch = EventWatch(engine)
        list(watch.open().changes())
        with monkeypatch.context() as away:
            away.setattr(module, "_now", lambda _: (_ for _ in ()).throw(PlatformUnreachable("")))
            with pytest.raises(PlatformUnreachable):
                watch.open()
        assert watch.open().missed


def test_what_an_older_engine_tells_besides_is_no_change(short_turns: None) -> None:
    noise = [
        {"Type": "container", "Action": "exec_start: /bin/true"},
        {"Type": "container", "Action": "health_status: healthy"},
        {"Type": "container", "Action": "remove"},
        {"Type": "network", "Action": "connect"},
        {"status": "start"},
    ]
    with engine_that(saying(*noise, {"Type": "service", "Action": "remove"})) as (engine, _):
        assert len(list(EventWatch(engine).open().changes())) == 1


def test_engine_that_says_no_time_is_named() -> None:
    refused = pytest.raises(PlatformError, match="the engine's time 'noon' cannot be read")
    with engine_that(saying(), time="noon") as (engine, _), refused:
        EventWatch(engine).open()


def test_line_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURN_S", 0.2 - LATE_S)
    with engine_that(saying(then="wait")) as (engine, _):
        line = EventWatch(engine).open()
        with pytest.raises(PlatformUnreachable, match="broke off: timed out"):
            list(line.changes())
        line.close()


def test_it_is_ended_from_another_thread() -> None:
    with engine_that(saying(STARTED, then="wait")) as (engine, _):
        line = EventWatch(engine).open()
        told: list[None] = []

        def read() -> None:
            with pytest.raises(PlatformUnreachable):
                told.extend(line.changes())
            line.close()

        reading = threading.Thread(target=read)
        reading.start()
        line.end()
        reading.join(10)
        assert not reading.is_alive()
        line.end()  # afterwards too


def held(engine: DockerEngine) -> int:
    """How many connections to this engine are not closed on our side."""
    gc.collect()
    port = f":{int(engine.host.rpartition(':')[2]):04X}"
    rows = map(str.split, Path("/proc/self/net/tcp").read_text().splitlines()[1:])
    return sum(row[2].endswith(port) and row[9] != "0" for row in rows)  # far end; inode


@pytest.mark.slow
@pytest.mark.parametrize("last", ["line", "watch"])
def test_who_is_watched_no_more_is_hung_up_on(short_turns: None, last: str) -> None:
    with engine_that(saying(STARTED)) as (engine, _):
        watch = EventWatch(engine)
        line = watch.open()
        assert list(line.changes())
        assert held(engine)
        closing = [watch, line] if last == "line" else [line, watch]
        for one in closing:
            one.close()
        eventually(lambda: held(engine) == 0, 10)


@pytest.mark.slow
def test_fifty_lines_one_after_the_other_leave_nothing_behind() -> None:
    with engine_that(saying(STARTED, then="break")) as (engine, asked):
        watch = EventWatch(engine)

        def broken() -> None:
            line = watch.open()
            with pytest.raises(PlatformUnreachable):
                list(line.changes())
            line.close()

        broken()
        before = held(engine)
        for _ in range(50):
            broken()
        eventually(lambda: held(engine) <= before, 10)
    assert len(asked) == 51
