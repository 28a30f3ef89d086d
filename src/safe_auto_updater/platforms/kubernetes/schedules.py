"""When a schedule of a CronJob comes next, by the clock of its time zone. Pure.

Source: Kubernetes, "CronJob" (`spec.schedule`, `spec.timeZone`): five fields, or a macro for them.
What the API takes besides (`@every`, a zone within the text) has no next run that can be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_SEARCHED = timedelta(days=366 * 8 + 2)  # a 29th of February may be eight years away


@dataclass(frozen=True)
class _Schedule:
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    any_day: bool  # else a day is one that either of the two fields names

    def includes(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        named = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return all(named) if self.any_day else any(named)


def next_run(schedule: str, zone: str | None, after: float) -> float | None:
    """The first moment after this one, in seconds since the epoch; None where it cannot be told.

    Without a zone it is the controller's own, which is UTC nearly everywhere.
    """
    try:
        parsed, clock = _parsed(schedule), ZoneInfo(zone or "UTC")
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None
    first = datetime.fromtimestamp(after, clock).date()
    day = first
    while day - first < _SEARCHED:
        if parsed.includes(day):
            for moment in _moments(parsed, day, clock):
                if moment > after:
                    return moment
        day += timedelta(1)
    return None


def _moments(parsed: _Schedule, day: date, clock: ZoneInfo) -> Iterator[float]:
    """In order. What summer time skips does not come; what it repeats comes twice."""
    found = set()
    for hour in parsed.hours:
        for minute in parsed.minutes:
            for fold in (0, 1):
                wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=clock, fold=fold)
                moment = wall.astimezone(UTC)
                if moment.astimezone(clock).replace(tzinfo=None) == wall.replace(tzinfo=None):
                    found.add(moment.timestamp())
    yield from sorted(found)


def _parsed(text: str) -> _Schedule:
    """ValueError where it is none that can be told."""
    fields = _MACROS.get(text.strip().lower(), text).split()
    if len(fields) != len(_FIELDS):
        raise ValueError(text)
    minutes, hours, days, months, weekdays = (
        _values(field, low, high, names)
        for field, (low, high), names in zip(
            fields, _FIELDS, ((), (), (), _MONTHS, _DAYS), strict=True
        )
    )
    return _Schedule(
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        frozenset(days),
        frozenset(months),
        frozenset(weekdays),
        any_day=_is_any(fields[2]) or _is_any(fields[4]),
    )


def _is_any(field: str) -> bool:
    return any(part.removesuffix("/1") in ("*", "?") for part in field.split(","))


def _values(field: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        begin, dash, end = span.partition("-")
        if begin in ("*", "?"):
            first, last = low, high
        else:
            first = _number(begin, low, names)
            last = _number(end, low, names) if dash else (high if slash else first)
        if not low <= first <= last <= high:
            raise ValueError(part)
        found |= set(range(first, last + 1, int(step) if slash else 1))
    return found


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    word = text.lower()
    return names.index(word) + low if word in names else int(text)
