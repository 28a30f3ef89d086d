"""What the service knows of the inventory: as its last cycle saw it, and whoever looked since."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from safe_auto_updater.core.identity import source_of
from safe_auto_updater.core.model import Plan
from safe_auto_updater.core.news import News, news
from safe_auto_updater.engine.cycle import Checked
from safe_auto_updater.engine.inventory import AssetInventory, seen_anew
from safe_auto_updater.engine.journal import Record


@dataclass(frozen=True)
class Known:
    """Everything that was seen last, and what would be done. `ours` is what we have changed since.

    The plan is as it was made, before anything was done.
    """

    checked: Checked
    plan: Plan
    ours: frozenset[str] = frozenset()

    @classmethod
    def of(cls, inventory: AssetInventory) -> Known:
        """What is there, before anybody has asked what could be newer."""
        return cls(Checked(inventory, inventory.assets, {}), Plan(()))

    def acted(self, records: Iterable[Record]) -> Known:
        """The same after updates of our own: what they changed is no news."""
        return replace(self, ours=self.ours | assets_of(records))

    def look(self, now: AssetInventory, under_way: Collection[str]) -> tuple[Known, News]:
        """With some sources as they are now, and what is news there.

        What an update is under way on stays as it was: it is news when that has ended.
        """
        before = self.checked.inventory
        fresh = seen_anew(before, now)
        assets = [one for one in fresh.assets if one.id not in under_way]
        assets += [one for one in before.assets if one.id in under_way]
        inventory = replace(fresh, assets=tuple(sorted(assets, key=lambda one: one.id)))
        found = news(before.assets, inventory.assets)
        changes = {one.id: self.checked.changes.get(one.id, ()) for one in assets}
        checked = Checked(inventory, inventory.assets, changes)
        ours = frozenset(one for one in self.ours if source_of(one) not in now.sources)
        return Known(checked, self._without(found.gone), ours), found.but(self.ours)

    def checked_anew(self, plan: Plan, checked: Checked) -> Known:
        """With what some assets were found to be."""
        changes = {
            one: checked.changes.get(one, before) for one, before in self.checked.changes.items()
        }
        old = self._without(asset.id for asset in checked.assets)
        known = replace(self.checked, changes=changes)
        return replace(self, checked=known, plan=Plan((*old.steps, *plan.steps)))

    def _without(self, assets: Iterable[str]) -> Plan:
        """The plan without the steps about any of these."""
        left_out = frozenset(assets)
        return Plan(tuple(s for s in self.plan.steps if not left_out.intersection(s.assets)))


def assets_of(records: Iterable[Record]) -> frozenset[str]:
    """Every asset that some update is about."""
    return frozenset(asset for record in records for asset in record.step.assets)
