"""A wall clock that is set back brings no cycle too late."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from safe_auto_updater.service.steps import Steps
from tests.clock import FakeClock


@dataclass
class Settable(FakeClock):
    """Whose wall clock somebody sets; the other goes on."""

    set_by: float = 0.0

    def now(self) -> float:
        return self.at + self.set_by


@pytest.mark.parametrize(
    ("set_by", "back"), [(0, False), (-5, False), (3 * 86400, False), (-61, True), (-86400, True)]
)
def test_only_a_clock_that_was_set_back_is_told_and_once(set_by: float, back: bool) -> None:
    clock = Settable()
    steps = Steps(clock)
    clock.sleep(600)
    clock.set_by = set_by
    assert [steps.back(), steps.back()] == [back, False]
