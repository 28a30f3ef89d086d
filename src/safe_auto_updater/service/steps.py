"""Whether the wall clock was set back: what is due by its old time would come too late."""

from __future__ import annotations

from safe_auto_updater.core.ports import Clock

_MORE_THAN_DRIFT_S = 60.0


class Steps:
    """Compares the wall clock with the one that nobody sets."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._between = self._now()

    def back(self) -> bool:
        """Whether it was set back since the last question by more than clocks drift."""
        before, self._between = self._between, self._now()
        return self._between < before - _MORE_THAN_DRIFT_S

    def _now(self) -> float:
        return self._clock.now() - self._clock.monotonic()
