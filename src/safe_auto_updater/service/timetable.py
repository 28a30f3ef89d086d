"""When the next cycle begins: some time after the last one, or when a clock on the wall says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim

JITTER = 0.1
"""Up to this part of the interval is added: many programs that were started at once spread out."""


class Timetable(Protocol):
    """Says when. Times are seconds since the epoch."""

    @property
    def at_start(self) -> bool:
        """Whether a cycle begins when the service does."""
        ...

    def next(self, now: float) -> float:
        """The beginning of the first cycle after `now`."""
        ...


@dataclass(frozen=True)
class Every:
    """So many seconds after the last cycle has ended, and a little more by chance."""

    seconds: float
    chance: Callable[[], float]  # a number from 0 to 1
    at_start: bool = True

    def next(self, now: float) -> float:
        """After the interval and its jitter."""
        return now + self.seconds * (1 + JITTER * self.chance())


@dataclass(frozen=True)
class Cron:
    """Five fields of cron, on the clock of a time zone.

    Where summer time skips the minute it is made up for right after; where an hour comes twice it
    counts once.
    """

    fields: str
    zone: ZoneInfo
    at_start: bool = False

    def next(self, now: float) -> float:
        """The next minute that the fields name."""
        return next(CronSim(self.fields, datetime.fromtimestamp(now, self.zone))).timestamp()


def longest_gap(table: Timetable, now: float, due: float) -> float:
    """Seconds from one cycle to the next: of `0 1,2,3 * * *` after three o'clock it is 22 hours.

    The longer one of the gap until `due`, the next cycle after `now`, and the gap that follows it.
    """
    return max(due - now, table.next(due) - due)
