"""A wall clock that is set back brings no cycle too late."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from safe_auto_updater.service.steps import Steps


@dataclass
class Two:
    """A wall clock that somebody sets, and one that nobody does."""

    wall: float = 1_700_000_000.0
    run: float = 0.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.run

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


@pytest.mark.parametrize(
    ("set_by", "back"), [(0, False), (-5, False), (3 * 86400, False), (-61, True), (-86400, True)]
)
def test_only_a_clock_that_was_set_back_is_told_and_once(set_by: float, back: bool) -> None:
    clock = Two()
    steps = Steps(clock)
    clock.run += 600
    clock.wall += 600 + set_by
    assert [steps.back(), steps.back()] == [back, False]
