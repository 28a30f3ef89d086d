"""One cycle with nobody there: plan, do what needs no human, tell the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safe_auto_updater.app import App
from safe_auto_updater.core.model import Action, Plan
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.core.unattended import Unattended, permitted
from safe_auto_updater.core.windows import opening
from safe_auto_updater.engine.cycle import Checked
from safe_auto_updater.engine.inventory import AssetInventory
from safe_auto_updater.engine.journal import Record
from safe_auto_updater.engine.turns import is_wanted, turn
from safe_auto_updater.service.signals import Signals

NEVER = float("inf")


@dataclass(frozen=True)
class Seen:
    """What a cycle saw and did. `plan` is as it was made, before anything was done."""

    checked: Checked
    plan: Plan
    records: tuple[Record, ...]
    waiting: int  # updates that a person may ask for
    began: float
    ended: float
    opens: float  # when the first window opens that something waits for

    @property
    def details(self) -> dict[str, Any]:
        """In numbers."""
        outcomes = [record.outcome for record in self.records]
        held = sum(step.action is Action.HOLD for step in self.plan.steps)
        return {
            "assets": len(self.checked.assets),
            "updated": sum(one in (Outcome.SUCCEEDED, Outcome.UNVERIFIED) for one in outcomes),
            "failed": sum(one not in (Outcome.SUCCEEDED, Outcome.UNVERIFIED) for one in outcomes),
            "held": held,
            "available": self.waiting,
            "unseen": len(self.checked.inventory.failures),
            "seconds": round(self.ended - self.began, 1),
        }

    @property
    def summary(self) -> str:
        """In one line."""
        found = self.details
        said = f"{found['assets']} assets: {found['updated']} updated, {found['held']} held"
        said += f", {found['failed']} failed" if found["failed"] else ""
        said += f", {found['available']} to be asked for" if found["available"] else ""
        said += f", {found['unseen']} sources not seen" if found["unseen"] else ""
        return said


class Round:
    """What one cycle does."""

    def __init__(
        self,
        app: App,
        folder: Path,
        whose: Unattended,
        signals: Signals,
        warn: Callable[[str], None],
    ) -> None:
        self._app = app
        self._folder = folder
        self._whose = whose
        self._signals = signals
        self._warn = warn

    def run(self, names: Sequence[str] = ()) -> Seen:
        """Of everything, or of the assets named. A person who wants to act comes in between."""
        app, began = self._app, self._app.clock.now()
        first: tuple[Plan, Checked] | None = None
        records: list[Record] = []
        waiting = 0
        while True:
            plan, checked = app.cycle.plan(names)
            first = first or (plan, checked)
            to_do, to_ask = permitted(plan, self._whose, self._enabled(checked), app.cycle.memory())
            waiting = len(to_ask)
            app.telling.available(to_ask)
            records += self._carried_out(to_do)
            if self._signals.stopping() or not is_wanted(self._folder):
                break
        plan, checked = first
        opens = self._opens(plan, checked, began)
        return Seen(checked, plan, tuple(records), waiting, began, app.clock.now(), opens)

    def look(self, names: Sequence[str], inventory: AssetInventory) -> tuple[Plan, Checked]:
        """Of the assets named, as they were just seen: tell what could be done, and do nothing."""
        app = self._app
        plan, checked = app.cycle.plan(names, inventory=inventory)
        _, to_ask = permitted(plan, self._whose, self._enabled(checked), app.cycle.memory())
        app.telling.available(to_ask)
        app.telling.holds(plan)
        return plan, checked

    def _carried_out(self, plan: Plan) -> Sequence[Record]:
        app = self._app
        if not plan.updates:
            app.telling.holds(plan)
            return ()
        with turn(self._folder, app.clock, self._signals.stopping, self._warn) as mine:
            if not mine:
                return ()
            app.remove_latecomers()
            done = app.cycle.execute(plan.before_hand_over, self._pausing)
            app.sweep()
            if plan.hand_over.steps and not self._pausing():
                done += app.cycle.execute(plan.hand_over, self._pausing)
            return done

    def _pausing(self) -> bool:
        """Whether to begin no further update: we are to end, or a person wants to act."""
        return self._signals.stopping() or is_wanted(self._folder)

    def _enabled(self, checked: Checked) -> Callable[[str], bool]:
        assets = {asset.id: asset for asset in checked.inventory.everything}

        def enabled(asset: str) -> bool:
            found = assets.get(asset)
            return found is not None and self._app.cycle.policy(found).enable is True

        return enabled

    def _opens(self, plan: Plan, checked: Checked, planned: float) -> float:
        """When the first window opens that a step waits for; it may have, since it was planned."""
        waits = {a for s in plan.steps if "window" in s.hold_rules for a in s.assets}
        starts = []
        for asset in checked.assets:
            if asset.id in waits:
                period = opening(self._app.cycle.policy(asset).windows, planned)
                starts += [period.start] if period and period.start > planned else []
        return min(starts, default=NEVER)
