"""Which updates run at the same time, and which wait for each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from safe_auto_updater.core.model import Action, Change, Image, Step
from safe_auto_updater.engine.schedule import in_turn


def step(name: str, content: str = "") -> Step:
    image = Image(f"{name}:2", content=content or name)
    return Step(name, Action.UPDATE, changes=(Change(name, name, Image(f"{name}:1"), image),))


class Doing:
    """Work that notes who was at it together; those of `meet` wait for each other."""

    def __init__(self, fails: str = "", meet: str = "") -> None:
        self._meet, self._meeting = meet.split(), threading.Barrier(2, timeout=30)
        self.together: set[frozenset[str]] = set()
        self.order: list[str] = []
        self._fails = fails
        self._now: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, one: Step) -> str:
        with self._lock:
            self._now.add(one.asset)
            self.order.append(one.asset)
            self.together |= {frozenset({one.asset, other}) for other in self._now}
        if one.asset in self._meet:
            self._meeting.wait()
        time.sleep(0.02)
        with self._lock:
            self._now.discard(one.asset)
        if one.asset == self._fails:
            raise RuntimeError(one.asset)
        return one.asset

    def met(self, one: str, other: str) -> bool:
        return frozenset({one, other}) in self.together


def never() -> bool:
    return False


def test_one_at_a_time_keeps_the_order() -> None:
    doing = Doing()
    assert in_turn([step("b"), step("a"), step("c")], 1, (), doing, never) == ["b", "a", "c"]
    assert not doing.met("a", "b")


def test_no_more_at_once_than_may_be() -> None:
    running, most, lock = [0], [0], threading.Lock()
    three = threading.Barrier(3, timeout=30)

    def count(one: Step) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        three.wait()
        with lock:
            running[0] -= 1

    in_turn([step(str(number)) for number in range(12)], 3, (), count, never)
    assert most[0] == 3


def test_steps_that_share_a_candidate_never_meet() -> None:
    doing = Doing(meet="a c")
    steps = [step("a", "x"), step("b", "x"), step("c"), step("d", "x")]
    done = in_turn(steps, 4, (), doing, never)
    assert sorted(done) == ["a", "b", "c", "d"]
    assert not any(doing.met(*pair) for pair in ("ab", "ad", "bd"))
    assert doing.met("a", "c")


def test_step_waits_for_what_it_needs() -> None:
    doing = Doing(meet="db web")
    in_turn([step("db"), step("app"), step("web")], 3, (("app", "db"),), doing, never)
    assert not doing.met("app", "db")
    assert doing.order.index("db") < doing.order.index("app")
    assert doing.met("db", "web")


def test_who_is_needed_waits_for_one_that_stands_before_it() -> None:
    doing = Doing(meet="app web")
    in_turn([step("app"), step("db"), step("web")], 3, (("app", "db"),), doing, never)
    assert not doing.met("app", "db")


@pytest.mark.parametrize("at_once", [1, 2])
def test_nothing_is_begun_once_asked_to_stop(at_once: int) -> None:
    asked: list[bool] = []
    stopping: Callable[[], bool] = lambda: bool(asked)  # noqa: E731  one word
    steps = [step(name, "shared") for name in "abc"]

    def work(one: Step) -> str:
        asked.append(True)
        return one.asset

    assert in_turn(steps, at_once, (), work, stopping) == ["a"]


def test_what_one_raises_is_raised_when_the_others_have_ended() -> None:
    doing = Doing(fails="a")
    with pytest.raises(RuntimeError, match="a"):
        in_turn([step("a"), step("b"), step("c", "a")], 2, (), doing, never)
    assert "c" not in doing.order
