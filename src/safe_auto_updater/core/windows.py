"""When an update may happen: weekly windows and freeze periods, on the clock of a named time zone.

A window is what an operator reads on a wall clock there. It opens at the first instant at which
that clock shows its beginning or later: where summer time skips the hour 02:00-03:00, a window
02:30-04:00 opens at 03:00, and one that lies wholly within the skipped hour does not open that
day. Where an hour comes twice, a window opens once, at the first of the two.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = "|".join(_DAYS)
_CLOCK = r"([0-9]{1,2}):([0-9]{2})"
_WINDOW = re.compile(
    rf"(?:(?P<days>(?:{_DAY})[a-z,\s-]*?|daily)\s+)?"
    rf"(?P<start>{_CLOCK})\s*-\s*(?:(?P<last>{_DAY})\s+)?(?P<end>{_CLOCK})\s+(?P<zone>\S+)",
    re.IGNORECASE | re.ASCII,
)
_FREEZE = re.compile(r"(?P<start>\S+?)\.\.(?P<end>\S+)\s+(?P<zone>\S+)")
_YEARLY = re.compile(r"([0-9]{2})-([0-9]{2})")
_MOMENT = re.compile(r"(?:19[7-9]|[2-8][0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2})?")
_LONGEST_TEXT = 200
_MORE_THAN_A_WEEK_S = 8 * 86400.0  # windows are weekly


@dataclass(frozen=True)
class Period:
    """From `start` up to, not including, `end`; seconds since the epoch."""

    start: float
    end: float


@dataclass(frozen=True)
class Window:
    """Opens on some weekdays (0 is Monday) at a time; stays open for `span_days` midnights more."""

    text: str
    days: frozenset[int]
    start: time
    end: time
    span_days: int
    zone: ZoneInfo

    def periods(self, now: float) -> Iterator[Period]:
        """The openings from a week before `now` to two weeks after it, in order."""
        today = datetime.fromtimestamp(now, self.zone).date()
        for offset in range(-8, 16):
            day = today + timedelta(offset)
            if day.weekday() in self.days:
                start = _instant(day, self.start, self.zone)
                end = _instant(day + timedelta(self.span_days), self.end, self.zone)
                if start < end:
                    yield Period(start, end)


@dataclass(frozen=True)
class Freeze:
    """A time in which nothing is updated: once, or every year (`yearly`: month and day)."""

    text: str
    start: datetime | tuple[int, int]
    end: datetime | tuple[int, int]
    zone: ZoneInfo

    def around(self, now: float) -> Period | None:
        """The freeze that `now` lies in, or None."""
        for period in self._periods(now):
            if period.start <= now < period.end:
                return period
        return None

    def _periods(self, now: float) -> Iterator[Period]:
        if isinstance(self.start, datetime) and isinstance(self.end, datetime):
            yield Period(
                _instant(self.start.date(), self.start.time(), self.zone),
                _instant(self.end.date(), self.end.time(), self.zone),
            )
            return
        assert isinstance(self.start, tuple) and isinstance(self.end, tuple)
        this_year = datetime.fromtimestamp(now, self.zone).year
        for year in (this_year - 1, this_year):
            first = _day(year, *self.start)
            last = _day(year + (self.end < self.start), *self.end)
            # Where a year has no February 29, its last day before stands for it at the end.
            after = last + timedelta(last.day == self.end[1])
            yield Period(
                _instant(first, time(), self.zone),
                _instant(after, time(), self.zone),
            )


def parse_window(text: str) -> Window:
    """`Sat 02:00-05:00 Europe/Berlin`, `Mon-Fri 22:00-04:00 UTC`, `Fri 20:00-Mon 06:00 UTC`.

    ValueError says what is wrong. Without days it is every day; a window whose end is not after
    its start ends on the next day.
    """
    found = _WINDOW.fullmatch(text.strip()) if len(text) <= _LONGEST_TEXT else None
    if found is None:
        raise ValueError(
            "not a window; write for example `Sat 02:00-05:00 Europe/Berlin` or "
            "`Mon-Fri 22:00-04:00 UTC`"
        )
    days = _weekdays(found["days"])
    start, end = _clock(found["start"]), _clock(found["end"])
    span = 0 if start < end else 1
    if found["last"] is not None:
        if len(days) != 1:
            raise ValueError(
                "begins on several days and ends on a named one; write one window for each"
            )
        (first,) = days
        span = (_DAYS.index(found["last"].lower()) - first) % 7
        if span == 0 and end <= start:
            span = 7
    return Window(" ".join(text.split()), days, start, end, span, _zone(found["zone"]))


def parse_freeze(text: str) -> Freeze:
    """`2026-12-20..2027-01-02 Europe/Berlin` (days included), with times, or `12-20..01-02 UTC`.

    ValueError says what is wrong.
    """
    found = _FREEZE.fullmatch(text.strip()) if len(text) <= _LONGEST_TEXT else None
    if found is None:
        raise ValueError(
            "not a freeze; write for example `2026-12-20..2027-01-02 Europe/Berlin`, or every "
            "year `12-20..01-02 Europe/Berlin`"
        )
    zone = _zone(found["zone"])
    first, last = _YEARLY.fullmatch(found["start"]), _YEARLY.fullmatch(found["end"])
    spelled = " ".join(text.split())
    if first and last:
        return Freeze(spelled, _month_day(first), _month_day(last), zone)
    if first or last:
        raise ValueError("has the year at one end only; write it at both or at neither")
    start, end = _moment(found["start"], last=False), _moment(found["end"], last=True)
    if end <= start:
        raise ValueError("ends before it begins; swap the two")
    return Freeze(spelled, start, end, zone)


def opening(windows: Iterable[Window], now: float) -> Period | None:
    """The opening that `now` lies in, else the next one; None where none comes in two weeks."""
    coming = [p for window in windows for p in window.periods(now) if p.end > now]
    return min(coming, key=lambda period: period.start, default=None)


def over_at(windows: Sequence[Window], now: float) -> float:
    """When the openings that `now` lies in are over, where one leads into the next.

    That is `now` where it lies in none, and infinity where they never end.
    """
    at = now
    while at < now + _MORE_THAN_A_WEEK_S:
        period = opening(windows, at)
        if period is None or period.start > at:
            return at
        at = period.end
    return math.inf


def _instant(day: date, clock: time, zone: ZoneInfo) -> float:
    """The first instant at which the zone's wall clock shows this time on this day, or later."""
    wanted = datetime.combine(day, clock)
    at = wanted.replace(tzinfo=zone).timestamp()
    if datetime.fromtimestamp(at, zone).replace(tzinfo=None) == wanted:
        return at
    # The clock skips this time: find the jump, which lies between the two readings of it.
    early = int(wanted.replace(tzinfo=zone, fold=1).timestamp())
    late = int(at)
    early, late = min(early, late), max(early, late)
    before = datetime.fromtimestamp(early, zone).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return float(late)


def _weekdays(text: str | None) -> frozenset[int]:
    if text is None or text.lower() == "daily":
        return frozenset(range(7))
    days: set[int] = set()
    for part in "".join(text.lower().split()).strip(",").split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            raise ValueError(f"{part!r} names no weekdays; write Mon Tue Wed Thu Fri Sat Sun")
        begin = _DAYS.index(first)
        length = (_DAYS.index(last) - begin) % 7 if dash else 0
        days |= {(begin + offset) % 7 for offset in range(length + 1)}
    return frozenset(days)


def _clock(text: str) -> time:
    hours, _, minutes = text.partition(":")
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError(f"{text} is no time of day; write 00:00 to 23:59")
    return time(int(hours), int(minutes))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name[:40]!r} is no time zone; write for example Europe/Berlin or UTC"
        ) from None


def _month_day(found: re.Match[str]) -> tuple[int, int]:
    month, day = int(found[1]), int(found[2])
    _day(2024, month, day)  # a leap year
    return month, day


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        if (month, day) == (2, 29):
            return date(year, 3, 1)
        raise ValueError(f"{month:02}-{day:02} is no day of the year; correct it") from None


def _moment(text: str, *, last: bool) -> datetime:
    """A day or a day with a time; a day at the end is included."""
    found = _MOMENT.fullmatch(text)
    try:
        moment = datetime.fromisoformat(text if found else "")
    except ValueError:
        raise ValueError(
            f"{text[:40]!r} is no date; write 2026-12-20 or 2026-12-20T18:00 (the zone stands "
            "behind both)"
        ) from None
    return moment + timedelta(1) if last and found and found[1] is None else moment


def told_here(at: float) -> str:
    """An instant as people at this machine read it: `Sat 2026-11-28 02:00 CET (+01:00)`."""
    moment = datetime.fromtimestamp(at, UTC).astimezone()
    name, offset = moment.tzname() or "", moment.isoformat()[-6:]
    zone = "UTC" if offset == "+00:00" else f"{name} ({offset})"
    return f"{moment:%a %Y-%m-%d %H:%M} {zone}"


def told(at: float, zone: ZoneInfo) -> str:
    """An instant as people there read it: `Sat 2026-11-28 02:00 Europe/Berlin`."""
    moment = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return f"{moment:%a %Y-%m-%d %H:%M} {zone.key}"
