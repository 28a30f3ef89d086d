"""Carry events to all receivers, each in a thread of its own: no update waits, and no other one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.notify.courier import Courier, Handler


class Notifications:
    """A subscriber for events: call it with each."""

    def __init__(
        self, handlers: Sequence[Handler], on_problem: Callable[[str], None], clock: Clock
    ) -> None:
        self._clock = clock
        self._couriers = tuple(Courier(handler, on_problem, clock) for handler in handlers)

    def __call__(self, event: Event) -> None:
        """Queue the event for whoever wants it. Returns at once, never raises; deaf once closed."""
        for courier in self._couriers:
            courier.offer(event)

    def close(self, timeout_s: float) -> None:
        """Deliver what waits, for at most this long in all."""
        for courier in self._couriers:
            courier.end()
        ends = self._clock.monotonic() + timeout_s
        for courier in self._couriers:
            courier.join(max(0.0, ends - self._clock.monotonic()))
