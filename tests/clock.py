"""Time as an argument: what takes minutes tests in a millisecond."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FakeClock:
    """Time that passes only by sleeping."""

    at: float = 1000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
