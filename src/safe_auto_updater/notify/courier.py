"""One thread that carries notices to one receiver. Whatever it meets, nobody else waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.identity import matches
from safe_auto_updater.core.ports import Clock, Notifier
from safe_auto_updater.core.wording import Notice, Wording, notice
from safe_auto_updater.notify.outbox import Manners, Outbox

DEFAULT_EVENTS = (
    "held",
    "available",
    "succeeded",
    "unverified",
    "rolled_back",
    "aborted",
    "halted",
    "inconsistent",
    "unfinished",
    "summary",
)
HANGS_S = 120.0  # at one message, until that is told


class Channel(Protocol):
    """A way to a receiver."""

    def send(self, notice: Notice) -> None:
        """Deliver, in bounded time. PlatformUnreachable: it may be tried again; else it may not."""
        ...


@dataclass(frozen=True)
class EachEvent:
    """A notifier that takes events one by one, as plugins do."""

    notifier: Notifier

    def send(self, notice: Notice) -> None:
        """Each event in turn."""
        for event in notice.events:
            self.notifier.notify(event)


@dataclass(frozen=True)
class Handler:
    """A receiver: the name that problems call it by, the way there, and what it wants when.

    With `about`, a pattern over assets, it gets only what is told of those.
    """

    name: str
    channel: Channel
    events: tuple[str, ...] = DEFAULT_EVENTS
    about: str | None = None
    manners: Manners = field(default_factory=Manners)
    wording: Wording = field(default_factory=Wording)
    host: str = "localhost"

    def wants(self, event: Event) -> bool:
        """Whether it gets this one."""
        if event.kind not in self.events:
            return False
        assets = (event.asset or "", *event.details.get("members", ()))
        return self.about is None or any(matches(self.about, asset) for asset in assets)

    def deliver(self, events: tuple[Event, ...]) -> None:
        """One message, now."""
        self.channel.send(notice(events, self.wording, self.host, batched=self.manners.batch))


class Courier:
    """Takes events at any speed and hands them over at the receiver's.

    `on_problem` gets one sentence when the receiver begins to fail or to hang, and when notices are
    lost; it is called from either thread. What it emits meanwhile is not for this receiver, so that
    a broken one cannot feed itself. The thread starts with the first event.
    """

    def __init__(self, handler: Handler, on_problem: Callable[[str], None], clock: Clock) -> None:
        self._handler = handler
        self._on_problem = on_problem
        self._clock = clock
        self._outbox = Outbox(handler.manners, clock)
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_ending = False
        self._busy_since: float | None = None
        self._told_hanging = False

    def offer(self, event: Event) -> None:
        """Take it where it is wanted. Returns at once, never raises; deaf once it ends."""
        wanted, ends = self._handler.wants(event), event.kind == "cycle"
        if not (wanted or ends) or threading.current_thread() is self._thread:
            return
        with self._changed:
            if self._is_ending:
                return
            problems = [self._outbox.put(event) if wanted else None, self._hanging()]
            if ends:
                self._outbox.end_cycle()
            if wanted and self._thread is None:
                problems.append(self._start())
            self._changed.notify()
        for problem in problems:
            self._tell(problem)

    def end(self) -> None:
        """Let it deliver what waits, and then no more."""
        with self._changed:
            self._is_ending = True
            self._outbox.end()
            self._changed.notify()

    def join(self, timeout_s: float) -> None:
        """Wait for that; what is not delivered by then is given up, and told."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        with self._changed:
            lost = self._outbox.waiting if thread is None or thread.is_alive() else 0
        if lost:
            self._tell(f"{lost} notices were not delivered before the end")

    def _start(self) -> str | None:
        """Begin to deliver. Returns what must be told where that cannot be for now."""
        # A daemon: a receiver that hangs must not keep the program from ending.
        name = f"notices to {self._handler.name}"
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            return f"waits: {error}"
        self._thread = thread
        return None

    def _run(self) -> None:
        while (events := self._next()) is not None:
            error: BaseException | None = None
            try:
                self._handler.deliver(events)
            except Exception as caught:
                error = caught
            with self._changed:
                self._busy_since, self._told_hanging = None, False
                problem = None
                if error is None:
                    self._outbox.delivered(events)
                else:
                    problem = self._outbox.failed(events, error)
            self._tell(problem)

    def _next(self) -> tuple[Event, ...] | None:
        """Wait for what is due; None once there is nothing left to do."""
        with self._changed:
            while not (events := self._outbox.due()):
                if self._is_ending and not self._outbox.waiting:
                    return None
                self._changed.wait(self._outbox.wait_s())
            self._busy_since = self._clock.monotonic()
            return events

    def _hanging(self) -> str | None:
        """That it has been at one message for too long, once."""
        if self._busy_since is None or self._told_hanging:
            return None
        busy = self._clock.monotonic() - self._busy_since
        self._told_hanging = busy > HANGS_S
        return f"has not ended for {busy:.0f} s; others are told" if self._told_hanging else None

    def _tell(self, problem: str | None) -> None:
        if problem is not None:
            with suppress(Exception):
                self._on_problem(f"notification {self._handler.name}: {problem}")
