"""A command of ours beside one that people know, in turns: wall time and peak memory of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.bench.figures import Series, at_most, best_ratio, counted
from lab.bench.processes import Cost, cost


@dataclass(frozen=True)
class Beside:
    """What each run of both took."""

    ours: Sequence[Cost]
    theirs: Sequence[Cost]

    @classmethod
    def measure(
        cls,
        pairs: int,
        ours: Sequence[str],
        theirs: Sequence[str],
        env: Mapping[str, str] | None = None,
    ) -> Beside:
        """Run them in turns; `env` is the other's."""
        both = [(cost(*ours), cost(*theirs, env=env)) for _ in range(pairs)]
        return cls([a for a, _ in both], [b for _, b in both])

    def lines(
        self, names: tuple[str, str], time_goal: float, memory_goal_mib: float
    ) -> list[object]:
        """Both sides, and whether ours keeps to its goals."""
        sides = _series(names[0], self.ours), _series(names[1], self.theirs)
        word = names[1].partition(" ")[0]
        return [
            *sides,
            best_ratio("ratio of the best", *sides, time_goal),
            at_most("peak memory of sau", _peak_mib(self.ours), memory_goal_mib, " MiB"),
            counted(f"peak memory of {word}, MiB", _peak_mib(self.theirs)),
        ]


def _series(name: str, runs: Sequence[Cost]) -> Series:
    return Series(name, tuple(one.wall_s for one in runs))


def _peak_mib(runs: Sequence[Cost]) -> float:
    return max(one.peak_mib for one in runs)
