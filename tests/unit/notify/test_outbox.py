"""What waits for a receiver and when it goes: rules, on a clock that the test moves."""

from __future__ import annotations

import math

import pytest

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.core.events import CALLS_A_HUMAN, Event
from safe_auto_updater.core.windows import over_at, parse_window
from safe_auto_updater.notify.outbox import (
    MOST_IN_ONE,
    PATIENCE_S,
    WAITING_AT_MOST,
    Manners,
    Outbox,
)
from tests.clock import FakeClock

NIGHT = (parse_window("22:00-07:00 UTC"),)
AT_23 = 1_700_002_800.0  # 2023-11-14 23:00 UTC
AWAY, NO = PlatformUnreachable("nobody there"), PlatformError("refused")


def event(kind: str = "held", message: str = "x") -> Event:
    return Event(kind, message, 0.0)


def box(at: float = AT_23, *, batch: bool = False, quiet: bool = False) -> tuple[Outbox, FakeClock]:
    clock = FakeClock(at)
    return Outbox(Manners(batch, NIGHT if quiet else ()), clock, lambda: 0.5), clock


def all_due(outbox: Outbox) -> list[list[str]]:
    """Every message that goes now, when each arrives."""
    found = []
    while due := outbox.due():
        found.append([each.message for each in due])
        outbox.delivered(due)
    return found


def test_without_a_batch_each_event_is_a_message_in_order() -> None:
    outbox, _ = box()
    for message in "abc":
        outbox.put(event(message=message))
    assert all_due(outbox) == [["a"], ["b"], ["c"]]
    assert outbox.wait_s() is None


def test_events_of_a_cycle_are_one_message_when_it_ends() -> None:
    outbox, _ = box(batch=True)
    outbox.put(event(message="a"))
    outbox.put(event("succeeded", "b"))
    assert all_due(outbox) == []
    assert outbox.wait_s() is None

    outbox.end_cycle()
    outbox.put(event(message="of the next"))
    assert all_due(outbox) == [["a", "b"]]


def test_batch_is_cut_into_messages_of_a_bounded_size() -> None:
    outbox, _ = box(batch=True)
    for number in range(MOST_IN_ONE + 1):
        outbox.put(event(message=str(number)))
    outbox.end_cycle()
    assert [len(message) for message in all_due(outbox)] == [MOST_IN_ONE, 1]


def test_kinds_that_call_a_human_wait_for_nothing_and_overtake() -> None:
    outbox, _ = box(batch=True, quiet=True)
    outbox.put(event(message="waits"))
    outbox.end_cycle()
    for kind in sorted(CALLS_A_HUMAN):
        outbox.put(event(kind, kind))
    assert all_due(outbox) == [[kind] for kind in sorted(CALLS_A_HUMAN)]
    assert outbox.waiting == 1


def test_quiet_hours_keep_notices_until_they_end() -> None:
    outbox, clock = box(quiet=True)
    outbox.put(event(message="a"))
    assert outbox.due() == ()
    assert outbox.wait_s() == 60.0  # looks at the clock again before long

    clock.at = AT_23 + 8 * 3600 - 1
    assert outbox.due() == ()
    assert outbox.wait_s() == 1.0
    clock.at += 1
    assert all_due(outbox) == [["a"]]


def test_quiet_hours_that_lead_into_one_another_are_one() -> None:
    more = (*NIGHT, parse_window("06:00-09:00 UTC"))
    assert over_at(more, AT_23) == AT_23 + 10 * 3600
    assert over_at(more, AT_23 + 11 * 3600) == AT_23 + 11 * 3600
    assert over_at((*more, parse_window("09:00-22:00 UTC")), AT_23) == math.inf


def test_cycles_of_the_quiet_hours_are_one_message_after_them() -> None:
    outbox, clock = box(batch=True, quiet=True)
    for message in "abc":
        outbox.put(event(message=message))
        outbox.end_cycle()
    clock.at += 8 * 3600
    assert all_due(outbox) == [["a", "b", "c"]]


def test_nothing_is_lost_where_the_program_ends_in_quiet_hours_or_before_a_cycle_does() -> None:
    outbox, _ = box(batch=True, quiet=True)
    outbox.put(event(message="of an ended cycle"))
    outbox.end_cycle()
    outbox.put(event(message="gathered"))
    outbox.end()
    assert all_due(outbox) == [["of an ended cycle", "gathered"]]


def test_failed_message_is_tried_again_after_growing_pauses_and_told_at_the_third() -> None:
    outbox, clock = box()
    outbox.put(event(message="a"))
    told, pauses = [], []
    for _ in range(7):
        due = outbox.due()
        assert [each.message for each in due] == ["a"]
        told.append(outbox.failed(due, AWAY))
        assert outbox.due() == ()
        began = clock.at
        while not outbox.due():
            clock.at += outbox.wait_s() or 0
        pauses.append(round(clock.at - began))
    assert pauses == [1, 4, 15, 60, 300, 300, 300]
    assert told == [None, None, "nobody there; tried again", None, None, None, None]

    outbox.delivered(outbox.due())
    outbox.put(event(message="b"))
    assert [outbox.failed(outbox.due(), AWAY), all_due(outbox)] == [None, []]  # counts anew


def test_message_that_is_refused_goes_and_is_told_once_until_one_arrives() -> None:
    outbox, _ = box()
    for _ in range(3):
        outbox.put(event())
    assert [outbox.failed(outbox.due(), NO) for _ in range(2)] == ["refused", None]
    outbox.delivered(outbox.due())
    outbox.put(event())
    assert outbox.failed(outbox.due(), NO) == "refused"
    assert outbox.waiting == 0


@pytest.mark.parametrize("kind", ["held", "inconsistent"])
def test_message_that_nobody_takes_for_a_day_is_given_up_and_the_next_is_tried(kind: str) -> None:
    outbox, clock = box()
    outbox.put(event(kind, "poison"))
    outbox.put(event(message="next"))
    assert outbox.failed(outbox.due(), AWAY) is None
    clock.at += PATIENCE_S
    assert outbox.failed(outbox.due(), AWAY) == "nobody there; 1 notice is given up after a day"
    clock.at += 300
    assert all_due(outbox) == [["next"]]


def test_message_that_is_tried_again_is_the_same_message() -> None:
    outbox, clock = box(batch=True)
    outbox.put(event(message="a"))
    outbox.end_cycle()
    first = outbox.due()
    outbox.failed(first, AWAY)
    outbox.put(event(message="b"))
    outbox.end_cycle()
    clock.at += 2
    assert outbox.due() is first
    assert all_due(outbox) == [["a"], ["b"]]


def test_message_is_the_same_and_its_day_goes_on_though_another_overtook_it() -> None:
    outbox, clock = box(batch=True)
    outbox.put(event(message="a"))
    outbox.end_cycle()
    first = outbox.due()
    outbox.failed(first, AWAY)
    outbox.put(event("inconsistent", "now"))
    outbox.put(event(message="b"))
    outbox.end_cycle()
    outbox.failed(outbox.due(), AWAY)
    clock.at += PATIENCE_S
    outbox.delivered(outbox.due())
    assert outbox.due() is first
    assert outbox.failed(first, AWAY) == "nobody there; 1 notice is given up after a day"


def test_call_for_a_human_is_tried_at_once_though_the_last_attempt_failed() -> None:
    outbox, _ = box()
    outbox.put(event(message="a"))
    outbox.failed(outbox.due(), AWAY)
    outbox.put(event("inconsistent", "now"))
    assert [each.message for each in outbox.due()] == ["now"]


def test_flood_pushes_out_the_oldest_and_no_call_for_a_human() -> None:
    outbox, _ = box()
    told = [outbox.put(event("halted", "human"))]
    told += [outbox.put(event(message=str(number))) for number in range(2 * WAITING_AT_MOST)]
    assert [text for text in told if text] == [
        f"{WAITING_AT_MOST} notices wait already; the oldest are lost"
    ]
    left = [message for (message,) in all_due(outbox)]
    assert left[0] == "human"
    assert left[1:] == [str(n) for n in range(WAITING_AT_MOST + 1, 2 * WAITING_AT_MOST)]
    assert [outbox.put(event()) for _ in range(WAITING_AT_MOST + 1)][-1] is not None  # anew


def test_receiver_that_is_away_at_the_end_is_given_up_after_three_attempts() -> None:
    outbox, clock = box()
    outbox.put(event())
    outbox.put(event())
    outbox.end()
    told = []
    while due := outbox.due():
        told.append(outbox.failed(due, AWAY))
        clock.at += 5
    assert told == [None, None, "nobody there; 2 notices are given up"]


def test_of_heartbeats_only_the_last_waits() -> None:
    clock = FakeClock()
    outbox = Outbox(Manners(only_last=True), clock)
    for message in "abc":
        outbox.put(event("cycle", message))
    assert all_due(outbox) == [["c"]]
