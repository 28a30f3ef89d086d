"""A memory of hosts that asked us to wait, or did not answer: no storm of further questions."""

import threading
from dataclasses import dataclass

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.ports import Clock

_LONGEST_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class _Closed:
    until: float
    message: str
    reason: str


class Gate:
    """Closed for a host until the time it named; a closed gate fails at once, without network."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._closed: dict[str, _Closed] = {}

    def check(self, place: str) -> None:
        """Raise the RegistryError that closed the gate, while it is closed."""
        with self._lock:
            closed = self._closed.get(place)
            if closed is None:
                return
            left = closed.until - self._clock.monotonic()
            if left <= 0:
                del self._closed[place]
                return
        raise RegistryError(
            f"{closed.message} Not asked again for another {left:.0f} s.", closed.reason
        )

    def close(self, place: str, seconds: float, error: RegistryError) -> None:
        """Fail every question to this host with this error for so long (a day at most)."""
        until = self._clock.monotonic() + min(seconds, _LONGEST_S)
        with self._lock:
            self._closed[place] = _Closed(until, str(error), error.reason)
