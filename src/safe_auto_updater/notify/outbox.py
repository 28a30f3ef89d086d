"""What waits for one receiver, and what it is time to send. No thread, no network: only rules.

Events of kinds that call a human go first, and wait neither for the end of a cycle nor for that of
quiet hours. Memory is bounded: where too much waits, the oldest goes.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from safe_auto_updater.core.errors import PlatformUnreachable
from safe_auto_updater.core.events import CALLS_A_HUMAN, Event
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.core.windows import Window, over_at

WAITING_AT_MOST = 1000
MOST_IN_ONE = 100  # events of one message
PAUSES_S = (1.0, 4.0, 15.0, 60.0, 300.0)  # after each failed attempt in a row; then the last again
TOLD_AFTER = 3  # failed attempts in a row; while ending that is also when we give up
PATIENCE_S = 24 * 3600.0  # for one message
LOOK_AGAIN_S = 60.0  # a clock may be set while we wait for it


@dataclass(frozen=True)
class Manners:
    """When one receiver wants to be told: in one message per cycle, and not in these hours.

    `only_last`: of what waits only the newest is worth a message.
    """

    batch: bool = False
    quiet: tuple[Window, ...] = ()
    only_last: bool = False


class Outbox:
    """The events that wait for one receiver. Not for several threads: its courier locks it."""

    def __init__(
        self, manners: Manners, clock: Clock, chance: Callable[[], float] = random.random
    ) -> None:
        self._manners = manners
        self._clock = clock
        self._chance = chance
        self._urgent: deque[Event] = deque()
        self._ready: deque[Event] = deque()
        self._gathering: deque[Event] = deque()  # until the cycle ends
        self._is_ending = False
        self._attempts = 0  # failed ones in a row
        self._resume_at = 0.0  # on the monotonic clock
        # What failed, and when first; of messages that call a human and of others one each.
        self._trying: dict[bool, tuple[tuple[Event, ...], float]] = {}
        self._told_failing = self._told_full = False

    @property
    def waiting(self) -> int:
        """How many events were not delivered yet."""
        return len(self._urgent) + len(self._ready) + len(self._gathering)

    def put(self, event: Event) -> str | None:
        """One more. Returns what must be told: that others are lost, once until it has room."""
        event = replace(event)  # a copy, told from the same one put in twice
        is_lost = False
        if self._manners.only_last:
            self._ready.clear()
        elif self.waiting >= WAITING_AT_MOST:
            is_lost = True
            next(each for each in (self._ready, self._gathering, self._urgent) if each).popleft()
        if event.kind in CALLS_A_HUMAN:
            self._urgent.append(event)
            self._resume_at = 0.0
        elif self._manners.batch:
            self._gathering.append(event)
        else:
            self._ready.append(event)
        is_news, self._told_full = is_lost and not self._told_full, self._told_full or is_lost
        return f"{WAITING_AT_MOST} notices wait already; the oldest are lost" if is_news else None

    def end_cycle(self) -> None:
        """What was gathered makes one message."""
        self._ready += self._gathering
        self._gathering.clear()

    def end(self) -> None:
        """Nothing more will come: what waits for anything goes now, quiet hours or not."""
        self._is_ending = True
        self._resume_at = 0.0
        self.end_cycle()

    def due(self) -> tuple[Event, ...]:
        """What makes the next message now; empty where nothing does."""
        if self._clock.monotonic() < self._resume_at:
            return ()
        most = MOST_IN_ONE if self._manners.batch else 1
        if self._urgent:
            return self._again(self._urgent) or (self._urgent[0],)
        if self._quiet_for() > 0:
            return ()
        return self._again(self._ready) or tuple(self._ready)[:most]

    def wait_s(self) -> float | None:
        """How long nothing can become due by itself; None: for ever."""
        if not self._urgent and not self._ready:
            return None
        pause = self._resume_at - self._clock.monotonic()
        quiet = 0.0 if self._urgent else self._quiet_for()
        return min(max(pause, quiet, 0.0), LOOK_AGAIN_S)

    def delivered(self, events: tuple[Event, ...]) -> None:
        """These have arrived."""
        self._drop(events)
        self._attempts = 0
        self._told_failing = False
        self._told_full = self._told_full and self.waiting > 0

    def failed(self, events: tuple[Event, ...], error: BaseException) -> str | None:
        """These were not taken. Returns what must be told, once until something arrives again.

        What was refused goes; what found nobody there is tried again after a pause.
        """
        reason = str(error) or type(error).__name__
        if not isinstance(error, PlatformUnreachable):
            self._drop(events)
            self._attempts = 0
            return self._once(reason)
        self._attempts += 1
        now = self._clock.monotonic()
        tried, first = self._trying.get(_is_urgent(events), (events, now))
        since = first if tried is events else now
        self._trying[_is_urgent(events)] = events, since
        pause = PAUSES_S[min(self._attempts, len(PAUSES_S)) - 1]
        self._resume_at = now + pause * (0.75 + 0.5 * self._chance())
        if self._is_ending and self._attempts >= TOLD_AFTER:
            lost = self.waiting
            self._drop((*self._urgent, *self._ready))
            return self._once(f"{reason}; {_notices(lost)} given up")
        if now - since >= PATIENCE_S:
            self._drop(events)
            return f"{reason}; {_notices(len(events))} given up after a day"
        return self._once(f"{reason}; tried again") if self._attempts >= TOLD_AFTER else None

    def _again(self, waiting: deque[Event]) -> tuple[Event, ...]:
        """The message that failed, where it is to go next: a part of it may have arrived."""
        failed = (events for events, _ in self._trying.values())
        return next((events for events in failed if waiting and events[0] is waiting[0]), ())

    def _once(self, problem: str) -> str | None:
        is_news, self._told_failing = not self._told_failing, True
        return problem if is_news else None

    def _drop(self, events: tuple[Event, ...]) -> None:
        self._trying = {key: one for key, one in self._trying.items() if one[0] is not events}
        gone = {id(event) for event in events}
        for waiting in (self._urgent, self._ready):
            kept = [event for event in waiting if id(event) not in gone]
            waiting.clear()
            waiting += kept

    def _quiet_for(self) -> float:
        """Seconds until the quiet hours end; 0 where there are none now."""
        if self._is_ending or not self._manners.quiet:
            return 0.0
        now = self._clock.now()
        return over_at(self._manners.quiet, now) - now


def _is_urgent(events: tuple[Event, ...]) -> bool:
    return events[0].kind in CALLS_A_HUMAN


def _notices(number: int) -> str:
    return "1 notice is" if number == 1 else f"{number} notices are"
