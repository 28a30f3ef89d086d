"""When the service makes its next cycle for the sake of a window."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.model import Asset, Change
from safe_auto_updater.core.policy import AssetPolicy, Keys
from safe_auto_updater.core.unattended import Unattended
from safe_auto_updater.core.windows import parse_window
from safe_auto_updater.service.round import NEVER, Round
from safe_auto_updater.service.signals import Signals
from tests.unit.test_holds_told import House

TWO = datetime(2026, 12, 1, 2, tzinfo=UTC).timestamp()
MINUTE = 60.0


class Slow(House):
    """Whose cycles take a while, after they have asked what time it is."""

    def __init__(self, folder: Path, minutes: float, **keys: Any) -> None:
        super().__init__(folder, Keys(**keys))
        self.clock.at = TWO
        self._minutes = minutes

    def check(self, asset: Asset, policy: AssetPolicy) -> tuple[Change, ...]:
        self.clock.sleep(self._minutes * MINUTE)
        return super().check(asset, policy)


@pytest.mark.parametrize(
    ("window", "minutes", "opens"),
    [
        ("02:30-03:30 UTC", 20, TWO + 30 * MINUTE),
        ("02:30-03:30 UTC", 40, TWO + 30 * MINUTE),  # it is open by now: at once
        ("Sat 02:30-03:30 UTC", 40, TWO + (4 * 24 * 60 + 30) * MINUTE),
    ],
)
def test_window_that_opens_while_a_cycle_is_made_is_met(
    tmp_path: Path, window: str, minutes: float, opens: float
) -> None:
    house = Slow(tmp_path, minutes, window=(parse_window(window),))
    signals = Signals(house.clock.monotonic)
    seen = Round(house, tmp_path, Unattended.NONE, signals, pytest.fail).run()  # type: ignore[arg-type]
    assert seen.plan.steps[0].hold_rules == ("window",)
    assert seen.opens == opens


def test_window_that_was_open_is_no_reason_to_hurry(tmp_path: Path) -> None:
    house = Slow(tmp_path, 1, window=(parse_window("01:00-05:00 UTC"),))
    signals = Signals(house.clock.monotonic)
    seen = Round(house, tmp_path, Unattended.NONE, signals, pytest.fail).run()  # type: ignore[arg-type]
    assert seen.opens == NEVER
