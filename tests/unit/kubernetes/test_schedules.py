"""When a schedule comes next: tables, and what must hold for every schedule."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.platforms.kubernetes.schedules import next_run


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


# schedule, zone, now (UTC), next (UTC)
ROWS = [
    ("* * * * *", None, "2026-11-29 10:00:00", "2026-11-29 10:01"),
    ("* * * * *", None, "2026-11-29 09:59:59", "2026-11-29 10:00"),
    ("*/15 * * * *", None, "2026-11-29 10:46", "2026-11-29 11:00"),
    ("5/20 * * * *", None, "2026-11-29 10:06", "2026-11-29 10:25"),
    ("0 3 * * *", None, "2026-11-29 03:00", "2026-11-30 03:00"),
    ("0 3 * * *", "Europe/Berlin", "2026-11-29 01:59", "2026-11-29 02:00"),
    ("@hourly", None, "2026-11-29 10:00", "2026-11-29 11:00"),
    ("@daily", "America/New_York", "2026-11-29 10:00", "2026-11-30 05:00"),
    ("@yearly", None, "2026-11-29 10:00", "2027-01-01 00:00"),
    ("0 0 * * MON-FRI", None, "2026-11-28 00:00", "2026-11-30 00:00"),
    ("0 0 * * sun", None, "2026-11-28 00:00", "2026-11-29 00:00"),
    ("0 0 1,15 jan,jul *", None, "2026-11-29 00:00", "2027-01-01 00:00"),
    # A day of the month and a weekday: either of them, unless one is any.
    ("0 0 13 * 5", None, "2026-11-29 00:00", "2026-12-04 00:00"),
    ("0 0 13 * *", None, "2026-11-29 00:00", "2026-12-13 00:00"),
    ("0 0 ? * 5", None, "2026-11-29 00:00", "2026-12-04 00:00"),
    ("0 0 */2 * 5", None, "2026-11-29 00:00", "2026-12-01 00:00"),
    ("0 0 29 2 *", None, "2026-11-29 00:00", "2028-02-29 00:00"),
    # 02:30 does not come in the night in which summer time begins, and comes twice when it ends.
    ("30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", "2026-03-30 00:30"),
    ("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", "2026-10-25 00:30"),
    ("30 2 * * *", "Europe/Berlin", "2026-10-25 00:30", "2026-10-25 01:30"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[2]}")
def test_next_run(row: tuple[str, str | None, str, str]) -> None:
    schedule, zone, now, then = row
    assert next_run(schedule, zone, at(now)) == at(then)


@pytest.mark.parametrize(
    ("schedule", "zone"),
    [
        ("@every 5m", None),
        ("TZ=UTC 0 3 * * *", None),
        ("0 0 30 2 *", None),
        ("0 3 * * *", "Mars/Base"),
        ("0 3 * * *", "../etc/passwd"),
        ("", None),
        ("a b c d e", None),
        ("61 * * * *", None),
        ("*/0 * * * *", None),
        ("5-1 * * * *", None),
    ],
)
def test_what_cannot_be_told_is_not_told(schedule: str, zone: str | None) -> None:
    assert next_run(schedule, zone, at("2026-11-29 10:00")) is None


FIELD = st.sampled_from(["*", "*/7", "3", "1-5", "2,4", "1-6/2"])


@given(st.lists(FIELD, min_size=5, max_size=5), st.floats(0, 4e9))
def test_next_run_is_later_and_on_a_minute(fields: list[str], now: float) -> None:
    found = next_run(" ".join(fields), "Europe/Berlin", now)
    assert found is not None and found > now
    assert found % 60 == 0
    assert next_run(" ".join(fields), "Europe/Berlin", found - 1) == found


@given(st.text(max_size=30))
def test_any_text_has_an_answer(text: str) -> None:
    found = next_run(text, None, 0.0)
    assert found is None or found > 0
