"""Each receiver has a thread of its own: one that hangs, fails or floods delays nobody else.

Independence is shown by order (what happens while another stands still), never by durations.
"""

from __future__ import annotations

import threading

import pytest

from safe_auto_updater.app import SystemClock
from safe_auto_updater.core.errors import PlatformUnreachable
from safe_auto_updater.core.events import EVENTS, Event
from safe_auto_updater.notify.courier import DEFAULT_EVENTS, EachEvent, Handler
from safe_auto_updater.notify.dispatch import Notifications
from safe_auto_updater.notify.outbox import WAITING_AT_MOST, Manners
from tests.clock import FakeClock
from tests.unit.notify.kit import EVENT, Recorder

CLOCK = SystemClock()


def told_to(*handlers: Handler, problems: list[str] | None = None) -> Notifications:
    return Notifications(handlers, pytest.fail if problems is None else problems.append, CLOCK)


def test_each_handler_gets_only_its_events_in_order() -> None:
    usual, picky = Recorder(), Recorder()
    notifications = told_to(Handler("usual", usual), Handler("picky", picky, ("started",)))
    for kind in EVENTS:
        if kind not in ("halted", "inconsistent", "unfinished"):  # these overtake
            notifications(Event(kind, "x", 0.0))

    notifications.close(30)
    assert usual.kinds == [
        kind
        for kind in EVENTS
        if kind in DEFAULT_EVENTS and kind not in ("halted", "inconsistent", "unfinished")
    ]
    assert picky.kinds == ["started"]


def test_handler_about_some_assets_is_told_of_no_others() -> None:
    lab = Recorder()
    notifications = told_to(Handler("lab", lab, ("held", "started", "succeeded"), "k:lab/*"))
    group = {"members": ("k:shop/a", "k:lab/b")}
    for kind, asset in (("held", "k:lab/a"), ("started", "k:lab2/a"), ("started", None)):
        notifications(Event(kind, "x", 0.0, asset))
    notifications(Event("succeeded", "x", 0.0, "k:shop/a", details=group))

    notifications.close(30)
    assert lab.kinds == ["held", "succeeded"]


def test_receiver_that_hangs_delays_neither_the_emitter_nor_another_receiver() -> None:
    hangs, fine = Recorder(), Recorder()
    hangs.gate.clear()
    notifications = told_to(Handler("hangs", hangs), Handler("fine", fine), problems=[])

    notifications(EVENT)
    assert hangs.began.wait(30)  # and from here on it stands still
    notifications(Event("succeeded", "y", 0.0))
    while len(fine.got) < 2:
        assert fine.arrived.wait(30)
        fine.arrived.clear()

    assert fine.kinds == ["rolled_back", "succeeded"]
    assert hangs.got == []
    hangs.gate.set()
    notifications.close(30)
    assert hangs.kinds == ["rolled_back", "succeeded"]


def test_receiver_that_fails_delays_no_other_and_is_told_once() -> None:
    fails, fine = Recorder(), Recorder()
    fails.error = RuntimeError("no route")
    problems: list[str] = []
    notifications = told_to(Handler("a", fails), Handler("b", fine), problems=problems)
    for _ in range(3):
        notifications(EVENT)

    notifications.close(30)
    assert problems == ["notification a: no route"]
    assert fine.kinds == ["rolled_back"] * 3


def test_flood_of_one_receiver_is_bounded_and_leaves_the_other_alone() -> None:
    flooded, fine = Recorder(), Recorder()
    flooded.gate.clear()
    problems: list[str] = []
    notifications = told_to(
        Handler("flooded", flooded, ("held", "succeeded")),
        Handler("fine", fine, ("succeeded",)),
        problems=problems,
    )
    for _ in range(2 * WAITING_AT_MOST):
        notifications(Event("held", "x", 0.0))
    notifications(Event("succeeded", "y", 0.0))

    assert fine.arrived.wait(30)
    assert flooded.got == []
    full = f"{WAITING_AT_MOST} notices wait already; the oldest are lost"
    assert problems == [f"notification flooded: {full}"]
    flooded.gate.set()
    notifications.close(60)
    assert flooded.kinds[-1] == "succeeded"
    assert len(flooded.kinds) <= WAITING_AT_MOST + 1


def test_receiver_that_hangs_is_told_once_with_the_next_event() -> None:
    hangs, clock = Recorder(), FakeClock()
    hangs.gate.clear()
    problems: list[str] = []
    notifications = Notifications([Handler("a", hangs)], problems.append, clock)
    notifications(EVENT)
    assert hangs.began.wait(30)
    clock.at += 121
    notifications(EVENT)
    notifications(EVENT)
    assert problems == ["notification a: has not ended for 121 s; others are told"]
    hangs.gate.set()
    notifications.close(30)


def test_what_hangs_at_the_end_is_given_up_and_told() -> None:
    hangs = Recorder()
    hangs.gate.clear()
    problems: list[str] = []
    notifications = told_to(Handler("a", hangs), problems=problems)
    notifications(EVENT)
    notifications(EVENT)
    assert hangs.began.wait(30)

    notifications.close(0)
    assert problems == ["notification a: 2 notices were not delivered before the end"]
    hangs.gate.set()


def test_message_is_tried_again_until_it_arrives() -> None:
    away = Recorder()
    away.error = PlatformUnreachable("nobody there")
    notifications = told_to(Handler("a", away), problems=[])
    notifications(EVENT)
    assert away.began.wait(30)
    away.error = None

    notifications.close(30)
    assert away.kinds == ["rolled_back"]


def test_problem_of_one_receiver_is_told_to_another_and_not_to_itself() -> None:
    fails, fine = Recorder(), Recorder()
    fails.error = RuntimeError("no route")
    kinds = ("held", "warning")
    notifications = Notifications(
        [Handler("a", fails, kinds), Handler("b", fine, kinds)],
        lambda problem: notifications(Event("warning", problem, 0.0)),
        CLOCK,
    )
    notifications(Event("held", "x", 0.0))
    while "warning" not in fine.kinds:
        assert fine.arrived.wait(30)
        fine.arrived.clear()

    notifications.close(30)
    assert fails.tried == ["held"]


def test_end_of_a_cycle_ends_a_batch_though_nobody_wants_to_be_told_of_it() -> None:
    batched = Recorder()
    notifications = told_to(Handler("a", batched, ("held",), manners=Manners(batch=True)))
    for kind in ("held", "held", "cycle"):
        notifications(Event(kind, "x", 0.0))

    assert batched.arrived.wait(30)
    assert batched.got == [("held", "held")]
    notifications.close(30)


def test_machine_without_room_for_a_thread_fails_no_update(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = Recorder()
    problems: list[str] = []
    notifications = told_to(Handler("a", late), problems=problems)

    def full(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", full)
        notifications(EVENT)
    assert problems == ["notification a: waits: can't start new thread"]
    notifications(Event("succeeded", "y", 0.0))
    notifications.close(30)
    assert late.kinds == ["rolled_back", "succeeded"]


def test_plugin_gets_events_one_by_one() -> None:
    got: list[Event] = []

    class Plugin:
        def notify(self, event: Event) -> None:
            got.append(event)

    notifications = told_to(Handler("a", EachEvent(Plugin())))
    notifications(EVENT)
    notifications.close(30)
    assert got == [EVENT]


def test_closing_delivers_what_waits_and_then_is_deaf() -> None:
    recorder = Recorder()
    notifications = told_to(Handler("a", recorder))
    notifications(EVENT)
    notifications.close(30)
    notifications(EVENT)
    notifications.close(30)
    assert recorder.kinds == ["rolled_back"]


def test_without_notices_there_is_no_thread() -> None:
    before = threading.active_count()
    told_to(Handler("a", Recorder()))(Event("phase", "x", 0.0))

    assert threading.active_count() == before
