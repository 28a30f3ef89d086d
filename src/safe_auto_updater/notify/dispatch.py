"""Carry events to the notifiers in the background: no update waits for, or fails by, a notice."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.model import matches
from safe_auto_updater.core.ports import Notifier

DEFAULT_EVENTS = (
    "held",
    "succeeded",
    "unverified",
    "rolled_back",
    "aborted",
    "halted",
    "inconsistent",
    "unfinished",
)
WAITING_AT_MOST = 1000


@dataclass(frozen=True)
class Handler:
    """A notifier, the name that problems call it by, and the event kinds it gets.

    With `about`, a pattern over assets, it gets only what is told of those.
    """

    name: str
    notifier: Notifier
    events: tuple[str, ...] = DEFAULT_EVENTS
    about: str | None = None

    def wants(self, event: Event) -> bool:
        """Whether it gets this one."""
        if event.kind not in self.events:
            return False
        return self.about is None or matches(self.about, event.asset or "")


class Notifications:
    """A subscriber for events. One thread delivers, in order; it starts with the first notice.

    `on_problem` gets one sentence when a handler begins to fail, and when notices are lost; it is
    called from either thread. What it emits while a notice is delivered is not notified again, so
    that a broken notifier cannot feed itself.
    """

    def __init__(self, handlers: Sequence[Handler], on_problem: Callable[[str], None]) -> None:
        self._handlers = tuple(handlers)
        self._on_problem = on_problem
        self._waiting: queue.Queue[Event | None] = queue.Queue(WAITING_AT_MOST)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._failing: set[int] = set()  # by position: two webhooks have one name
        self._pending = 0
        self._is_full = False

    def __call__(self, event: Event) -> None:
        """Queue the event for whoever wants it. Returns at once, never raises; deaf once closed."""
        if not any(handler.wants(event) for handler in self._handlers):
            return
        if threading.current_thread() is self._thread:
            return
        with self._lock:
            if self._closed.is_set():
                return
            try:
                self._waiting.put_nowait(event)
            except queue.Full:
                is_new, self._is_full = not self._is_full, True
            else:
                self._pending += 1
                is_new = self._is_full = False
                self._start()
        if is_new:
            self._tell(f"{WAITING_AT_MOST} notices wait already; newer ones are lost")

    def close(self, timeout_s: float) -> int:
        """Deliver what waits, for at most this long. Returns how many notices were given up."""
        with self._lock:
            self._closed.set()
            thread = self._thread
        if thread is None:
            return 0
        with suppress(queue.Full):  # then it is busy, and looks at `_closed` by itself
            self._waiting.put_nowait(None)
        thread.join(timeout_s)
        lost = self._pending if thread.is_alive() else 0
        if lost:
            self._tell(f"{lost} notices were not delivered within {timeout_s:g} s")
        return lost

    def _start(self) -> None:
        if self._thread is None:
            # A daemon: a notifier that hangs must not keep the program from ending.
            self._thread = threading.Thread(target=self._deliver, name="notices", daemon=True)
            self._thread.start()

    def _deliver(self) -> None:
        while not (self._closed.is_set() and self._waiting.empty()):
            event = self._waiting.get()
            if event is None:
                continue
            for number, handler in enumerate(self._handlers):
                if handler.wants(event):
                    self._hand_over(number, handler, event)
            with self._lock:
                self._pending -= 1

    def _hand_over(self, number: int, handler: Handler, event: Event) -> None:
        try:
            handler.notifier.notify(event)
        except Exception as error:
            if number not in self._failing:
                self._failing.add(number)
                self._tell(f"notification {handler.name}: {error or type(error).__name__}")
        else:
            self._failing.discard(number)

    def _tell(self, problem: str) -> None:
        try:
            self._on_problem(problem)
        except Exception:
            return
