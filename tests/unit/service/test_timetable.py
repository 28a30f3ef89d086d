"""When the service begins its cycles, on days that have 23, 24 and 25 hours."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from safe_auto_updater.service.timetable import JITTER, Cron, Every, longest_gap

BERLIN = ZoneInfo("Europe/Berlin")


def test_an_interval_begins_when_the_last_cycle_has_ended_and_is_never_shortened() -> None:
    assert Every(3600, lambda: 0.0).next(1000.0) == 4600.0
    assert Every(3600, lambda: 1.0).next(1000.0) == 1000.0 + 3600 * (1 + JITTER)


def at(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("fields", "now", "expected"),
    [
        ("0 4 * * *", "2026-11-29T03:59:59", "2026-11-29T04:00:00"),
        ("0 4 * * *", "2026-11-29T04:00:00", "2026-11-30T04:00:00"),
        # 2026-03-29 has no hour from 2 to 3: made up for right after.
        ("30 2 * * *", "2026-03-29T01:00:00", "2026-03-29T03:00:00"),
        # 2026-10-25 has it twice: it counts once.
        ("30 2 * * *", "2026-10-25T02:30:00", "2026-10-26T02:30:00"),
    ],
)
def test_a_schedule_is_read_on_the_wall_clock_of_its_zone(
    fields: str, now: str, expected: str
) -> None:
    assert Cron(fields, BERLIN).next(at(now)) == at(expected)


@pytest.mark.parametrize(("now", "hours"), [("01:00", 1), ("02:00", 22), ("03:00", 22)])
def test_an_uneven_schedule_is_as_long_as_its_longer_gap(now: str, hours: int) -> None:
    table, begins = Cron("0 1,2,3 * * *", BERLIN), at(f"2026-11-29T{now}:00")
    assert longest_gap(table, begins, table.next(begins)) == hours * 3600
