"""The whole story on one page: scan, detect, evaluate, plan, execute, report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from safe_auto_updater.core import planning
from safe_auto_updater.core.case import Case, Veto, stands
from safe_auto_updater.core.errors import PlatformUnreachable, SafeAutoUpdaterError, UsageError
from safe_auto_updater.core.memory import Memory
from safe_auto_updater.core.model import Action, Asset, Change, Plan, Step
from safe_auto_updater.core.policy import AssetPolicy, Settings, resolve
from safe_auto_updater.core.ports import Clock, Scanner
from safe_auto_updater.core.ties import Ties
from safe_auto_updater.core.units import united
from safe_auto_updater.engine.annotated import hear
from safe_auto_updater.engine.decisions import Decisions
from safe_auto_updater.engine.evaluation import Evaluation
from safe_auto_updater.engine.executor import UpdateExecutor
from safe_auto_updater.engine.incidents import Answers, Incidents
from safe_auto_updater.engine.inventory import (
    EXCLUDED,
    AssetInventory,
    take_inventory,
    who_sees,
)
from safe_auto_updater.engine.journal import Journal, Record
from safe_auto_updater.engine.memory import remember
from safe_auto_updater.engine.past import Past
from safe_auto_updater.engine.schedule import in_turn
from safe_auto_updater.engine.side_by_side import place_of, side_by_side
from safe_auto_updater.engine.telling import Telling

_NOT_ASKED = Answers()


@dataclass(frozen=True)
class Checked:
    """Assets with what detection found for each, and what could not be seen at all."""

    inventory: AssetInventory
    assets: tuple[Asset, ...]
    changes: Mapping[str, tuple[Change, ...]]


class Detector(Protocol):
    """Says of an asset what could be newer: ChangeDetector of images, ChartDetector of charts."""

    def check(self, asset: Asset, policy: AssetPolicy) -> tuple[Change, ...]:
        """One Change per image or chart: a candidate, none, or the error that hides it."""
        ...


class Cycle:
    """One turn of the program, in the order in which it is told."""

    def __init__(
        self,
        scanners: Sequence[Scanner],
        settings: Settings,
        past: Callable[[Memory], Past],
        detector_for: Callable[[str, Past], Detector],
        evaluation: Evaluation,
        incidents: Incidents,
        executor_for: Callable[[Step], UpdateExecutor],
        journal: Journal,
        decisions: Decisions,
        clock: Clock,
        telling: Telling,
        new_id: Callable[[], str],
    ) -> None:
        self._scanners = scanners
        self._settings = settings
        self._past = past
        self._detector_for = detector_for
        self._evaluation = evaluation
        self._incidents = incidents
        self._executor_for = executor_for
        self._journal = journal
        self._decisions = decisions
        self._clock = clock
        self._telling = telling
        self._new_id = new_id

    def scan(self, names: Sequence[str] = ()) -> AssetInventory:
        """What runs: everywhere, or where assets of these names can be."""
        return take_inventory(who_sees(names, self._scanners), self._settings)

    def scan_of(self, sources: Collection[str]) -> AssetInventory:
        """What runs on the sources of these names."""
        return take_inventory([s for s in self._scanners if s.name in sources], self._settings)

    def check(
        self,
        names: Sequence[str] = (),
        memory: Memory | None = None,
        inventory: AssetInventory | None = None,
    ) -> Checked:
        """What could be newer, for the named assets and whoever moves with them, or for all.

        It is scanned for that, unless there is an `inventory` that was just taken.
        """
        inventory = inventory or self.scan(names)
        assets = self._together(inventory.named(names), inventory)
        past = self._past(memory or self.memory())
        answers = side_by_side(assets, place_of, lambda asset: self._detect(asset, past))
        found = dict(zip((asset.id for asset in assets), answers, strict=True))
        past.keep()
        return Checked(inventory, assets, found)

    def plan(
        self,
        names: Sequence[str] = (),
        going_on: str | None = None,
        inventory: AssetInventory | None = None,
    ) -> tuple[Plan, Checked]:
        """What would be done and why. Changes nothing but our own memory of what was seen."""
        memory = self.memory(going_on)
        checked = self.check(names, memory, inventory)
        incidents = self._asked(checked)
        cases = side_by_side(
            checked.assets,
            place_of,
            lambda asset: self._case(asset, checked.changes, memory, incidents),
        )
        if hear(self._decisions, cases):
            memory = self.memory(going_on)
            cases = tuple(replace(case, memory=memory) for case in cases)
        plan = planning.plan(cases, self._around(checked.inventory, memory, incidents))
        if going_on is None:
            whole = not names and not checked.inventory.failures
            asked = None if whole else [asset.id for asset in checked.assets]
            self._decisions.propose(asked, plan.steps)
        return plan, checked

    def execute(
        self,
        plan: Plan,
        stopping: Callable[[], bool],
        unseen: Callable[[Step], None] = lambda step: None,
    ) -> tuple[Record, ...]:
        """Carry the plan out; each step is asked again right before it begins.

        `stopping` ends the run between two updates, never inside one. `unseen` is told of each step
        that waits because its platform answers no more; the others go on.
        """
        self._telling.holds(plan)
        at_once = self._settings.max_parallel
        needs = Ties(self.scan().everything).among(plan.assets) if at_once > 1 else ()
        carry_out = partial(self._carry_out, unseen)
        done = in_turn(plan.updates, at_once, needs, carry_out, stopping)
        return tuple(record for record in done if record is not None)

    def whole(self, step: Step, going_on: str | None = None) -> Step:
        """A step with those who by now depend on what it changes; held where they cannot follow.

        UsageError where something that it changes is gone; PlatformUnreachable where it may be.
        """
        inventory = self.scan()
        around = self._around(inventory, self.memory(going_on))
        gone = [asset for asset in step.movers if asset not in around]
        if gone and inventory.failures:
            inventory.named(gone)
        if gone:
            raise UsageError(f"{', '.join(gone)}: gone; create it again first")
        (unit,) = united([step], around)
        return unit

    def _carry_out(self, unseen: Callable[[Step], None], step: Step) -> Record | None:
        """One step, unless something speaks against it by now."""
        try:
            refusal = self.refusal(step)
        except PlatformUnreachable as error:
            unseen(step)
            refusal = str(error)
        if refusal is not None:
            self._telling.hold(step, refusal)
            return None
        update = self._new_id()
        self._executor_for(step).execute(update, step)
        return self._journal.get(update)

    def policy(self, asset: Asset) -> AssetPolicy:
        """The settings that hold for one asset."""
        labels = dict(label for use in asset.images for label in use.policy_labels)
        return resolve(self._settings, asset.id, labels)

    def _together(self, named: Sequence[Asset], inventory: AssetInventory) -> tuple[Asset, ...]:
        """The named assets and everything of their groups: a group is planned whole."""
        if len(named) == len(inventory.assets):
            return inventory.assets
        units = {self._unit(asset) for asset in named}
        return tuple(asset for asset in inventory.assets if self._unit(asset) in units)

    def _unit(self, asset: Asset) -> tuple[str, str]:
        return planning.unit_of(asset.id, self.policy(asset).group)

    def _asked(self, checked: Checked) -> Answers:
        """Whether there are incidents, where there is something to hold."""
        wanted = any(change.candidate for found in checked.changes.values() for change in found)
        return self._incidents.about(a.id for a in checked.inventory.assets if wanted)

    def _case(
        self,
        asset: Asset,
        changes: Mapping[str, tuple[Change, ...]],
        memory: Memory,
        incidents: Answers,
    ) -> Case:
        case = Case(
            asset,
            changes[asset.id],
            self.policy(asset),
            memory,
            self._settings.bands,
            incidents=incidents.of(asset.id),
        )
        return self._evaluation.judged(case) if case.wanted else case

    def _around(
        self, inventory: AssetInventory, memory: Memory, incidents: Answers = _NOT_ASKED
    ) -> Mapping[str, Case]:
        """Everybody who could have to follow an update, without one of their own."""
        excluded = Veto("excluded", f"it is {EXCLUDED}")
        found: list[tuple[Asset, tuple[Veto, ...]]] = [(asset, ()) for asset in inventory.assets]
        found += [(asset, (excluded,)) for asset in inventory.left_out]
        return {
            asset.id: Case(
                asset,
                (),
                self.policy(asset),
                memory,
                self._settings.bands,
                vetoes=vetoes,
                incidents=() if vetoes else incidents.of(asset.id),
            )
            for asset, vetoes in found
        }

    def _detect(self, asset: Asset, past: Past) -> tuple[Change, ...]:
        try:
            return self._detector_for(asset.id, past).check(asset, self.policy(asset))
        except SafeAutoUpdaterError as error:
            return tuple(
                Change(asset.id, use.container, use.image, error=str(error)) for use in asset.images
            )

    def refusal(self, step: Step, update: str | None = None) -> str | None:
        """Why a step may not begin (or, as `update`, go on) now, or None.

        Planned again, it must be the very same step. A human who takes an update back is kept by
        what stands in the way of any touch only, not by policy. PlatformUnreachable where nobody
        can say.
        """
        try:
            if step.undoes is not None:
                reasons = (self.in_the_way(asset, update) for asset in step.assets)
                in_the_way = next((reason for reason in reasons if reason is not None), None)
                if in_the_way is not None:
                    return in_the_way
                steps: tuple[Step, ...] = (self.whole(step, update),)
            else:
                steps = self.plan(step.movers, going_on=update)[0].steps
        except UsageError as error:
            return f"changed since it was planned: {error}"
        if any(now.action is step.action and now.same_unit(step) for now in steps):
            return None
        if any(now.action is step.action and now.id == step.id for now in steps):
            return "changed since it was planned: others depend on it than did; plan again"
        held = [r for now in steps if now.action is Action.HOLD for r in now.reasons]
        if held:
            return "; ".join(held)
        said = "; ".join(reason for now in steps for reason in now.reasons)
        return f"changed since it was planned: {said}"

    def in_the_way(self, asset: str, going_on: str | None = None, but: str = "") -> str | None:
        """What forbids even an asset's way back, all obstacles asked but those of the rule `but`.

        No registry is asked. UsageError where there is no such asset.
        """
        (found,) = self.scan([asset]).named([asset])
        reasons = [b.reason for b in self.memory(going_on).blocked if b.asset == asset]
        policy = self.policy(found)
        obstacles = (o for o in found.obstacles if o.rule != but and not o.only_forward)
        reasons += [o.reason for o in obstacles if stands(o, policy, moves_tag=False)]
        return next(iter(reasons), None)

    def memory(self, going_on: str | None = None) -> Memory:
        """What is remembered, without the block that an update under way is to itself."""
        memory = remember(self._decisions, self._journal, self._clock.now())
        others = tuple(blocked for blocked in memory.blocked if blocked.update != going_on)
        return replace(memory, blocked=others)
