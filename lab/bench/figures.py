"""Figures and the lines that show them, at most 80 columns."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Series:
    """What one side took, run by run."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one, in seconds."""
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        low, high = min(self.seconds), max(self.seconds)
        return f"  {self.name:<36}{_ms(self.median)}{_ms(low)}{_ms(high)}"


HEADER = f"{'':<38}{'median':>10}{'min':>10}{'max':>10}"


def in_turns(
    count: int, ours: tuple[str, Callable[[], float]], limit: tuple[str, Callable[[], float]]
) -> tuple[Series, Series]:
    """Both sides, A B A B."""
    pairs = [(ours[1](), limit[1]()) for _ in range(count)]
    return Series(ours[0], tuple(a for a, _ in pairs)), Series(limit[0], tuple(b for _, b in pairs))


def ratio(ours: Series, limit: Series, goal: float) -> str:
    """The line that judges one side by the other."""
    found = ours.median / limit.median
    return _judged("ratio of medians", f"{found:.3f}", f"<= {goal:.2f}", found <= goal)


def under(ours: Series, goal_s: float) -> str:
    """The line that judges a side by a duration."""
    shown = f"<= {goal_s * 1000:.0f} ms"
    return _judged("median", f"{ours.median * 1000:.0f} ms", shown, ours.median <= goal_s)


def counted(what: str, count: float, goal: float | None = None) -> str:
    """The line of a count."""
    if goal is None:
        return f"  {what:<36}{count:>10.2f}"
    return _judged(what, f"{count:.2f}", f"<= {goal:g}", count <= goal)


def block(title: str, lines: Sequence[object]) -> str:
    """One measurement."""
    return "\n".join([title, *(str(line) for line in lines)])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:>7.0f} ms"


def _judged(what: str, found: str, goal: str, holds: bool) -> str:
    word = "holds" if holds else "does not hold"
    return f"  {what:<36}{found:>10}  goal {goal:<10} {word}"
