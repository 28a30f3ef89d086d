"""Figures and the lines that show them, at most 80 columns."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A figure beside its goal."""

    what: str
    found: str
    goal: str
    holds: bool

    def __str__(self) -> str:
        word = "holds" if self.holds else "does not hold"
        return f"  {self.what:<36}{self.found:>10}  goal {self.goal:<10} {word}"


@dataclass(frozen=True)
class Block:
    """One measurement: a title, and figures and goals that print themselves."""

    title: str
    lines: Sequence[object]

    @property
    def goals(self) -> list[Goal]:
        """Those of its lines that can hold or not."""
        return [line for line in self.lines if isinstance(line, Goal)]

    def __str__(self) -> str:
        return "\n".join([self.title, *(str(line) for line in self.lines)])


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


def ratio(ours: Series, limit: Series, goal: float) -> Goal:
    """The line that judges one side by the other."""
    found = ours.median / limit.median
    return Goal("ratio of medians", f"{found:.3f}", f"<= {goal:.2f}", found <= goal)


def best_ratio(what: str, ours: Series, limit: Series, goal: float) -> Goal:
    """The line that judges one side by the other where each was run a few times only."""
    found = min(ours.seconds) / min(limit.seconds)
    return Goal(what, f"{found:.2f}", f"<= {goal:.2f}", found <= goal)


def at_most(what: str, found: float, goal: float, unit: str = "") -> Goal:
    """The line that judges a figure."""
    return Goal(what, f"{found:.2f}{unit}", f"<= {goal:g}{unit}", round(found, 2) <= goal)


def under(ours: Series, goal_s: float) -> Goal:
    """The line that judges a side by a duration."""
    shown = f"<= {goal_s * 1000:.0f} ms"
    return Goal("median", f"{ours.median * 1000:.0f} ms", shown, ours.median <= goal_s)


def counted(what: str, count: float) -> str:
    """The line of a count."""
    return f"  {what:<36}{count:>10.2f}"


def summary(goals: Sequence[Goal]) -> str:
    """How many goals hold."""
    return f"{sum(goal.holds for goal in goals)} of {len(goals)} goals hold"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:>7.0f} ms"
