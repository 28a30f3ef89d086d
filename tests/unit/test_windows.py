"""Windows and freezes: what an operator reads on a wall clock, also where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.windows import (
    Period,
    opening,
    parse_freeze,
    parse_window,
    told,
)


def at(text: str) -> float:
    """An instant, written in UTC: `2026-03-29 00:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def utc(period: Period | None) -> str | None:
    """A period in UTC."""
    if period is None:
        return None
    ends = (datetime.fromtimestamp(end, UTC) for end in (period.start, period.end))
    return " .. ".join(f"{end:%Y-%m-%d %H:%M}" for end in ends)


# Berlin goes from 02:00 to 03:00 on 2026-03-29 (01:00 UTC) and from 03:00 back to 02:00 on
# 2026-10-25 (01:00 UTC). New York: 2026-03-08 at 07:00 UTC, 2026-11-01 at 06:00 UTC. Lord Howe
# moves by half an hour: 2026-10-04 at 15:30 UTC the day before, 2026-04-05 at 15:00 UTC before.
OPENINGS = [
    # an ordinary day
    ("Sat 02:00-05:00 Europe/Berlin", "2026-11-27 12:00", "2026-11-28 01:00 .. 2026-11-28 04:00"),
    ("Sat 02:00-05:00 Europe/Berlin", "2026-07-03 12:00", "2026-07-04 00:00 .. 2026-07-04 03:00"),
    # spring: the hour 02:00-03:00 is skipped
    ("02:30-04:00 Europe/Berlin", "2026-03-29 00:00", "2026-03-29 01:00 .. 2026-03-29 02:00"),
    ("01:00-02:30 Europe/Berlin", "2026-03-28 23:59", "2026-03-29 00:00 .. 2026-03-29 01:00"),
    ("02:10-02:50 Europe/Berlin", "2026-03-29 00:00", "2026-03-30 00:10 .. 2026-03-30 00:50"),
    ("02:30-03:00 Europe/Berlin", "2026-03-29 00:00", "2026-03-30 00:30 .. 2026-03-30 01:00"),
    ("Sun 00:00-00:00 Europe/Berlin", "2026-03-29 00:00", "2026-03-28 23:00 .. 2026-03-29 22:00"),
    # autumn: 02:00-03:00 comes twice, the window opens at the first
    ("02:30-04:00 Europe/Berlin", "2026-10-25 00:00", "2026-10-25 00:30 .. 2026-10-25 03:00"),
    ("02:10-02:50 Europe/Berlin", "2026-10-25 00:00", "2026-10-25 00:10 .. 2026-10-25 00:50"),
    ("02:10-02:50 Europe/Berlin", "2026-10-25 01:20", "2026-10-26 01:10 .. 2026-10-26 01:50"),
    ("Sun 00:00-00:00 Europe/Berlin", "2026-10-25 00:00", "2026-10-24 22:00 .. 2026-10-25 23:00"),
    # America, where clocks change on other days
    ("02:15-03:15 America/New_York", "2026-03-08 06:00", "2026-03-08 07:00 .. 2026-03-08 07:15"),
    ("01:30-02:00 America/New_York", "2026-11-01 05:00", "2026-11-01 05:30 .. 2026-11-01 07:00"),
    # half an hour: 02:00 becomes 02:30, and 02:00 becomes 01:30
    ("02:10-03:00 Australia/Lord_Howe", "2026-10-03 15:00",
     "2026-10-03 15:30 .. 2026-10-03 16:00"),
    ("02:00-02:30 Australia/Lord_Howe", "2026-10-03 15:00",
     "2026-10-04 15:00 .. 2026-10-04 15:30"),
    ("01:45-02:15 Australia/Lord_Howe", "2026-04-04 14:00",
     "2026-04-04 14:45 .. 2026-04-04 15:45"),
    # over midnight, over days, over a whole week
    ("Mon-Fri 22:00-04:00 UTC", "2026-11-28 03:59", "2026-11-27 22:00 .. 2026-11-28 04:00"),
    ("Mon-Fri 22:00-04:00 UTC", "2026-11-28 04:00", "2026-11-30 22:00 .. 2026-12-01 04:00"),
    ("Fri 20:00-Mon 06:00 UTC", "2026-11-29 12:00", "2026-11-27 20:00 .. 2026-11-30 06:00"),
    ("Sat 02:00-Sat 05:00 UTC", "2026-11-28 02:00", "2026-11-28 02:00 .. 2026-11-28 05:00"),
    ("Mon 06:00-Mon 06:00 UTC", "2026-11-29 12:00", "2026-11-23 06:00 .. 2026-11-30 06:00"),
    ("Sat-Mon,Wed 01:00-02:00 UTC", "2026-11-24 12:00", "2026-11-25 01:00 .. 2026-11-25 02:00"),
    ("Fri-Mon 01:00-02:00 UTC", "2026-11-24 12:00", "2026-11-27 01:00 .. 2026-11-27 02:00"),
    ("daily 03:00-04:00 UTC", "2026-11-24 04:00", "2026-11-25 03:00 .. 2026-11-25 04:00"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "now", "expected"), OPENINGS)
def test_window_opens_by_the_wall_clock_of_its_zone(text: str, now: str, expected: str) -> None:
    assert utc(opening([parse_window(text)], at(now))) == expected


def test_of_several_windows_the_one_that_is_open_or_opens_first_counts() -> None:
    windows = [parse_window(t) for t in ("Sat 10:00-11:00 UTC", "Thu 10:00-11:00 Asia/Tokyo")]
    assert utc(opening(windows, at("2026-11-24 00:00"))) == "2026-11-26 01:00 .. 2026-11-26 02:00"
    assert utc(opening(windows, at("2026-11-28 10:30"))) == "2026-11-28 10:00 .. 2026-11-28 11:00"
    assert opening([], at("2026-11-28 10:30")) is None


def test_a_window_says_when_it_opens_as_people_there_read_it() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert told(at("2026-11-28 01:00"), berlin) == "Sat 2026-11-28 02:00 Europe/Berlin"


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo",
     "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns"]
)  # fmt: skip
CLOCKS = st.times().map(lambda clock: f"{clock:%H:%M}")
DAYS = st.sampled_from(["", "daily ", "Sat ", "Mon-Fri ", "sun,WED ", "Fri - Tue, Thu "])
SIMPLE = st.builds("{}{}-{} {}".format, DAYS, CLOCKS, CLOCKS, ZONES)
LONG = st.builds("Fri {}-{} {} {}".format, CLOCKS, st.sampled_from(["Fri", "Mon"]), CLOCKS, ZONES)
INSTANTS = st.floats(at("2024-01-01 00:00"), at("2029-01-01 00:00"))


@given(SIMPLE | LONG, INSTANTS)
def test_every_window_opens_before_it_ends_and_is_open_only_within(text: str, now: float) -> None:
    window = parse_window(text)
    periods = list(window.periods(now))
    assert all(period.start < period.end for period in periods)
    found = opening([window], now)
    assert found is not None
    assert found.end > now
    assert (found.start <= now) == any(p.start <= now < p.end for p in periods)


@given(SIMPLE | LONG)
def test_what_a_window_says_of_itself_reads_as_the_same_window(text: str) -> None:
    window = parse_window(f"  {text.replace(' ', '  ')} ")
    assert parse_window(window.text) == window


@given(st.times(), st.times(), INSTANTS)
def test_without_summer_time_a_window_is_open_exactly_between_its_times(
    start: time, end: time, now: float
) -> None:
    window = parse_window(f"{start:%H:%M}-{end:%H:%M} UTC")
    first, last = window.start, window.end
    clock = datetime.fromtimestamp(now, UTC).time()
    inside = first <= clock < last if first < last else not last <= clock < first
    found = opening([window], now)
    assert found is not None
    assert (found.start <= now) == inside


# each bad text and what its message must say, so that one knows what to write instead
BAD_WINDOWS = [
    ("", "write for example"),
    ("always", "write for example"),
    ("Sat 02:00-05:00", "write for example"),
    ("Sat 02:00 Europe/Berlin", "write for example"),
    ("Sat 2-5 Europe/Berlin", "write for example"),
    ("Someday 02:00-05:00 UTC", "write for example"),
    ("Saturday 02:00-05:00 UTC", "write Mon Tue Wed"),
    ("Mon-Foo 02:00-05:00 UTC", "write Mon Tue Wed"),
    ("Mon--Fri 02:00-05:00 UTC", "write Mon Tue Wed"),
    ("Mon,,Fri 02:00-05:00 UTC", "write Mon Tue Wed"),
    ("Sat 24:00-05:00 UTC", "write 00:00 to 23:59"),
    ("Sat 02:00-05:60 UTC", "write 00:00 to 23:59"),
    ("Sat 02:00-05:00 Mars/Olympus", "write for example Europe/Berlin"),
    ("Sat 02:00-05:00 ../../etc/passwd", "write for example Europe/Berlin"),
    ("Sat 02:00-05:00 Europe", "write for example Europe/Berlin"),
    ("Sat 02:00-05:00 \x00", "write for example Europe/Berlin"),
    ("Mon-Fri 20:00-Mon 06:00 UTC", "write one window for each"),
    ("Fri 20:00-ſat 06:00 UTC", "write"),
    ("Sat 02:00-05:00 " + "A" * 300, "write for example"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "remedy"), BAD_WINDOWS)
def test_bad_window_is_refused_with_what_to_write_instead(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        parse_window(text)


SIGNS = st.text(alphabet="monTUEſ daily0123456789:-,./\tUTCEurope\x00é", max_size=60)


@given(st.text(max_size=60) | SIGNS, SIMPLE)
def test_any_text_is_a_window_or_refused(text: str, good: str) -> None:
    for spelled in (text, f"{good}{text}", f"{text}{good}", good[:-3] + text):
        try:
            window = parse_window(spelled)
        except ValueError as error:
            assert "write" in str(error)
        else:
            assert opening([window], at("2026-11-28 10:30")) is not None


# freeze, an instant, and until when it is frozen then
FREEZES = [
    ("2026-12-20..2027-01-02 Europe/Berlin", "2026-12-19 22:59", None),
    ("2026-12-20..2027-01-02 Europe/Berlin", "2026-12-19 23:00", "2027-01-02 23:00"),
    ("2026-12-20..2027-01-02 Europe/Berlin", "2027-01-02 22:59", "2027-01-02 23:00"),
    ("2026-12-20..2027-01-02 Europe/Berlin", "2027-01-02 23:00", None),
    ("2026-12-20..2027-01-02 Europe/Berlin", "2027-12-25 12:00", None),
    ("2026-12-24T18:00..2026-12-27T06:00 UTC", "2026-12-24 17:59", None),
    ("2026-12-24T18:00..2026-12-27T06:00 UTC", "2026-12-27 05:59", "2026-12-27 06:00"),
    ("2026-12-24T18:00..2026-12-27 UTC", "2026-12-27 23:59", "2026-12-28 00:00"),
    ("2026-12-24..2026-12-24 UTC", "2026-12-24 12:00", "2026-12-25 00:00"),
    # every year, over new year
    ("12-20..01-02 UTC", "2026-12-19 23:59", None),
    ("12-20..01-02 UTC", "2026-12-20 00:00", "2027-01-03 00:00"),
    ("12-20..01-02 UTC", "2027-01-02 23:59", "2027-01-03 00:00"),
    ("12-20..01-02 UTC", "2027-01-03 00:00", None),
    ("12-20..01-02 UTC", "2030-12-31 12:00", "2031-01-03 00:00"),
    ("12-20..01-02 Pacific/Apia", "2026-12-19 11:00", "2027-01-02 11:00"),
    ("07-01..07-01 UTC", "2026-07-01 12:00", "2026-07-02 00:00"),
    # a day that most years do not have
    ("02-29..03-05 UTC", "2028-02-29 12:00", "2028-03-06 00:00"),
    ("02-29..03-05 UTC", "2027-02-28 12:00", None),
    ("02-29..03-05 UTC", "2027-03-01 00:00", "2027-03-06 00:00"),
    ("02-01..02-29 UTC", "2028-02-29 12:00", "2028-03-01 00:00"),
    ("02-01..02-29 UTC", "2027-02-28 12:00", "2027-03-01 00:00"),
    ("02-01..02-29 UTC", "2027-03-01 12:00", None),
    # a midnight that the clock skips (Cairo, 2026-04-24)
    ("2026-04-24..2026-04-24 Africa/Cairo", "2026-04-23 21:59", None),
    ("2026-04-24..2026-04-24 Africa/Cairo", "2026-04-23 22:00", "2026-04-24 21:00"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "now", "until"), FREEZES)
def test_freeze_covers_both_its_days(text: str, now: str, until: str | None) -> None:
    period = parse_freeze(text).around(at(now))
    assert (period and utc(period).split(" .. ")[1]) == until


BAD_FREEZES = [
    ("", "write for example"),
    ("2026-12-20 UTC", "write for example"),
    ("2026-12-20..2027-01-02", "write for example"),
    ("2026-12-20..01-02 UTC", "write it at both or at neither"),
    ("2027-01-02..2026-12-20 UTC", "swap the two"),
    ("2026-02-30..2026-03-01 UTC", "write 2026-12-20"),
    ("02-30..03-01 UTC", "is no day of the year; correct it"),
    ("13-01..13-02 UTC", "is no day of the year; correct it"),
    ("00-01..00-02 UTC", "is no day of the year; correct it"),
    ("20261220..20270102 UTC", "write 2026-12-20"),
    ("2026-W51-1..2026-W52-1 UTC", "write 2026-12-20"),
    ("2026-12-20T10..2026-12-20T12 UTC", "write 2026-12-20"),
    ("2026-12-20T10:00+01:00..2026-12-21 UTC", "write"),
    ("0001-01-01..2026-12-21 Europe/Berlin", "write"),
    ("2026-01-01..9999-12-31 Europe/Berlin", "write"),
    ("2026-12-20..2027-01-02 Nowhere", "write for example Europe/Berlin"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "remedy"), BAD_FREEZES)
def test_bad_freeze_is_refused_with_what_to_write_instead(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        parse_freeze(text)


DATES = st.dates().map(str) | st.datetimes().map(lambda moment: f"{moment:%Y-%m-%dT%H:%M}")
YEARLY = st.dates().map(lambda day: f"{day:%m-%d}")
ENDS = DATES | YEARLY | st.text(alphabet="0123456789-:TWZ+.", max_size=16)


@given(st.builds("{}..{} {}".format, ENDS, ENDS, ZONES) | st.text(max_size=60), INSTANTS)
def test_any_text_is_a_freeze_or_refused(text: str, now: float) -> None:
    try:
        freeze = parse_freeze(text)
    except ValueError as error:
        assert any(word in str(error) for word in ("write", "correct", "swap"))
    else:
        period = freeze.around(now)
        assert period is None or period.start <= now < period.end
        assert parse_freeze(freeze.text) == freeze
