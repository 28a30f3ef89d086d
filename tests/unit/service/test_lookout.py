"""Lines that break, end, hang and are refused: what is heard all the same, and who is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Queue

import pytest

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.core.heard import QUIET_S
from safe_auto_updater.service import lookout as module
from safe_auto_updater.service.lookout import SURE, Lookout
from tests.clock import FakeClock
from tests.lab_kit import eventually

END, CHANGE = "end", "change"


class Line:
    """A line that says what it is told to."""

    def __init__(self, missed: bool) -> None:
        self.missed = missed
        self.said: Queue[str | Exception] = Queue()
        self.closed = False

    def changes(self) -> Iterator[None]:
        while (word := self.said.get()) != END:
            if isinstance(word, Exception):
                raise word
            yield

    def end(self) -> None:
        self.said.put(END)

    def close(self) -> None:
        self.closed = True


class Source:
    """Opens lines; what is in `refusals` comes instead of the next ones."""

    def __init__(self, source: str = "docker:local", *refusals: Exception | None) -> None:
        self.source = source
        self.refusals = list(refusals)
        self.lines: list[Line] = []
        self.tries = 0
        self.missed = True
        self.breaks = 0  # how many of its lines break at once
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def open(self) -> Line | None:
        self.tries += 1
        if self.refusals:
            error = self.refusals.pop(0)
            if error is None:
                return None
            raise error
        line = Line(self.missed)
        if len(self.lines) < self.breaks:
            line.said.put(PlatformUnreachable("the answer broke off"))
        self.lines.append(line)
        return line


Start = Callable[..., Lookout]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def start(clock: FakeClock, told: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setattr(module, "AGAIN_S", 0.0)
    monkeypatch.setattr(module, "AGAIN_MOST_S", 0.0)
    made: list[Lookout] = []
    opened: list[Source] = []

    def one(*sources: Source) -> Lookout:
        opened.extend(sources)
        made.append(Lookout(sources, clock, told.append))
        return made[-1]

    yield one
    for lookout in made:
        lookout.end()
    assert not [t for t in threading.enumerate() if t.name.startswith("watches")]
    assert all(source.closed for source in opened)


def heard(lookout: Lookout, clock: FakeClock) -> frozenset[str]:
    """What is to be looked at, once it comes."""

    def due() -> frozenset[str]:
        clock.sleep(QUIET_S)
        return lookout.due()

    return eventually(due, 10)


def test_line_that_opens_is_a_reason_to_look_and_so_is_each_change(
    start: Start, clock: FakeClock
) -> None:
    source = Source()
    lookout = start(source)
    assert heard(lookout, clock) == {"docker:local"}
    assert lookout.due() == frozenset(), "told once"
    source.lines[0].said.put(CHANGE)
    assert heard(lookout, clock) == {"docker:local"}


def test_who_looks_at_everything_needs_no_reason(start: Start, clock: FakeClock) -> None:
    source = Source()
    lookout = start(source)
    heard(lookout, clock)
    source.missed = False
    source.lines[0].said.put(CHANGE)
    source.lines[0].said.put(END)
    eventually(lambda: len(source.lines) == 2, 10)
    lookout.forget()
    clock.sleep(QUIET_S)
    assert lookout.due() == frozenset()


def test_line_that_went_on_without_a_gap_is_no_reason(start: Start, clock: FakeClock) -> None:
    source = Source()
    lookout = start(source)
    heard(lookout, clock)
    source.missed = False
    source.lines[0].said.put(END)
    eventually(lambda: len(source.lines) == 2, 10)
    clock.sleep(QUIET_S)
    assert lookout.due() == frozenset()
    assert source.lines[0].closed


def test_line_that_breaks_is_opened_again(start: Start, clock: FakeClock, told: list[str]) -> None:
    source = Source("docker:local", *[PlatformUnreachable("nobody answers")] * 20)
    lookout = start(source)
    assert heard(lookout, clock) == {"docker:local"}
    source.lines[0].said.put(PlatformUnreachable("the answer broke off"))
    assert heard(lookout, clock) == {"docker:local"}
    assert told == [], "who scans it tells what does not answer"
    for number in (1, 2):
        source.lines[number].said.put(ZeroDivisionError("never mind"))
        assert heard(lookout, clock) == {"docker:local"}
    assert len(source.lines) == 4
    assert told == ["docker:local is watched anew, again and again: ZeroDivisionError: never mind"]


def test_two_hundred_lines_that_break_leave_nothing_behind(start: Start) -> None:
    source = Source()
    source.breaks = 200
    lookout = start(source)
    threads = threading.active_count()
    eventually(lambda: len(source.lines) == 201, 10)
    assert threading.active_count() == threads
    lookout.end()
    assert all(line.closed for line in source.lines)


def test_source_that_refuses_is_told_once_and_left_alone(
    start: Start, clock: FakeClock, told: list[str]
) -> None:
    no = PlatformError("may not watch deployments.apps", 403)
    refusing, other = Source("kubernetes:prod", *[no] * 20), Source("kubernetes:prod")
    well = Source("docker:local")
    lookout = start(refusing, other, well)
    eventually(lambda: told, 10)
    assert lookout.watched() == {"kubernetes:prod": False, "docker:local": True}
    eventually(lambda: all(line.closed for line in other.lines), 10)
    assert told == [
        "kubernetes:prod is not watched, its changes are seen by the schedule alone: "
        "may not watch deployments.apps"
    ]
    assert refusing.tries == SURE
    eventually(lambda: well.lines, 10)
    assert not well.lines[0].closed


def test_refusal_of_a_server_that_has_just_begun_is_none(
    start: Start, clock: FakeClock, told: list[str]
) -> None:
    no = PlatformError("nobody may do anything yet", 403)
    source = Source("kubernetes:prod", *[no] * (SURE - 1))
    assert heard(start(source), clock) == {"kubernetes:prod"}
    assert told == []


def test_server_that_fails_and_what_is_not_there_are_told_to_nobody(
    start: Start, clock: FakeClock, told: list[str]
) -> None:
    failing = Source("docker:local", *[PlatformError("500", 500), PlatformError("429", 429)] * 10)
    absent = Source("kubernetes:prod", None)
    assert heard(start(failing, absent), clock) == {"docker:local"}
    assert (absent.tries, absent.lines, told) == (1, [], [])
