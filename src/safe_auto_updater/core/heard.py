"""When to look at what was heard of: once it is quiet, and before long."""

from __future__ import annotations

from dataclasses import dataclass, replace

QUIET_S = 3.0  # without another change: what makes many containers makes them one by one
LONGEST_S = 30.0  # after the first, however restless it is


@dataclass(frozen=True)
class Heard:
    """Changes that were heard of on some sources and not looked at, in seconds of one clock."""

    sources: frozenset[str]
    first: float
    last: float

    def also(self, source: str, at: float) -> Heard:
        """One more."""
        return replace(self, sources=self.sources | {source}, last=at)

    @property
    def due(self) -> float:
        """When to look."""
        return min(self.last + QUIET_S, self.first + LONGEST_S)
