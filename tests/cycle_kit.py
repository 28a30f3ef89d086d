"""A cycle over a real state folder, of which a test itself is the detector and the comparer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.diff import DiffAnalyzer
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.model import Asset, Change, Step
from safe_auto_updater.core.policy import AssetPolicy, Settings
from safe_auto_updater.core.ports import Foreseen, Trees
from safe_auto_updater.engine.cycle import Cycle
from safe_auto_updater.engine.decisions import Decisions
from safe_auto_updater.engine.evaluation import Evaluation
from safe_auto_updater.engine.incidents import Incidents
from safe_auto_updater.engine.journal import Journal
from safe_auto_updater.engine.past import Past
from safe_auto_updater.engine.policies import PluginPolicies
from safe_auto_updater.engine.state import open_state
from safe_auto_updater.engine.telling import Telling
from tests.clock import FakeClock


class CycleScene:
    """The cycle, and what it remembers and tells. `executor` chooses who carries a step out."""

    def __init__(
        self,
        folder: Path,
        scanners: Sequence[Any],
        settings: Settings,
        executor: Callable[[Step], Any],
    ) -> None:
        self.clock = FakeClock(1_700_000_000.0)
        self.events: list[Event] = []
        self.settings = settings
        state = open_state(folder)
        self.journal = Journal(state, self.clock.now)
        self.decisions = Decisions(state, self.clock.now)
        self.telling = Telling(self.decisions, self.clock, self.events.append)
        ids = iter(range(100))
        self.cycle = Cycle(
            scanners,
            settings,
            lambda memory: Past(state, memory.denied, memory.left, self.clock.now),
            lambda asset, past: self,
            Evaluation(
                lambda asset: self,
                lambda asset: DiffAnalyzer(),
                PluginPolicies(lambda asset: ()),
                lambda asset, change, rule: None,
                lambda asset, changes: Foreseen(),
            ),
            Incidents((), pytest.fail),
            executor,
            self.journal,
            self.decisions,
            self.clock,
            self.telling,
            lambda: f"u{next(ids)}",
        )

    def check(self, asset: Asset, policy: AssetPolicy) -> tuple[Change, ...]:
        """What detection finds."""
        raise NotImplementedError

    def trees(self, asset: Asset, change: Change) -> Trees:
        """What both sides of a change look like."""
        raise NotImplementedError
