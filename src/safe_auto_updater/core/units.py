"""Steps that cannot be made alone: with them go those who depend on what they replace. Pure.

A unit is one step: it is made whole, held whole, and goes back whole. What depends on another asset
without having an update of its own to take follows on the image that it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from safe_auto_updater.core.case import Case
from safe_auto_updater.core.guards import No, objections_to_touching
from safe_auto_updater.core.guards_of_time import WAITS_FOR_TIME
from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.model import Action, Bond, Follower, Need, Step, UpdaterKind
from safe_auto_updater.core.risk import combine
from safe_auto_updater.core.spelling import Strategy
from safe_auto_updater.core.ties import Ties, in_order


def united(steps: Sequence[Step], around: Mapping[str, Case]) -> list[Step]:
    """Every step with those who depend on it; steps that depend on each other are made one.

    `around` has a case without changes for each asset of the inventory.
    """
    ties = Ties(case.asset for case in around.values())
    done = [step for step in steps if step.action is not Action.UPDATE]
    updates = _joined([step for step in steps if step.action is Action.UPDATE], ties)
    return [
        _with_followers(step, ties, around) if _moves(step) else step for step in done + updates
    ]


def in_step_order(steps: Sequence[Step], around: Mapping[str, Case]) -> list[Step]:
    """What is needed comes before what needs it, else by name; this program itself is the last."""
    ties = Ties(case.asset for case in around.values())
    acting = [step for step in steps if step.action is Action.UPDATE]
    by_asset = {asset: step for step in steps for asset in step.movers}
    by_asset |= {asset: step for step in acting for asset in step.assets}
    by_asset |= {asset: step for step in acting for asset in step.movers}
    pairs = [
        (by_asset[one].asset, by_asset[other].asset)
        for one, other in ties.among(by_asset)
        if by_asset[one] is not by_asset[other]
    ]
    ordered, _ = in_order((step.asset for step in steps), pairs)
    place = {asset: number for number, asset in enumerate(ordered)}
    last = len(place)  # in a circle: by name, behind the others

    def rank(step: Step) -> tuple[bool, int, str]:
        return step.updater is UpdaterKind.SELF, place.get(step.asset, last), step.asset

    return sorted(steps, key=rank)


def held(step: Step, against: Sequence[No]) -> Step:
    """A step held for more reasons than it may have been held for already."""
    already = step.action is Action.HOLD
    reasons = (step.reasons if already else ()) + tuple(no.reason for no in against)
    rules = step.hold_rules + tuple(no.rule for no in against)
    return replace(
        step,
        action=Action.HOLD,
        reasons=tuple(dict.fromkeys(reasons)),
        hold_rules=tuple(dict.fromkeys(rules)),
    )


def _moves(step: Step) -> bool:
    return any(change.candidate is not None for change in step.changes)


def _joined(updates: Sequence[Step], ties: Ties) -> list[Step]:
    """Updates of which one would re-create what another one updates are one update."""
    units: list[list[Step]] = []
    for step in updates:
        mine = [step]
        for unit in list(units):
            if _meet(mine, unit, ties):
                units.remove(unit)
                mine = unit + mine
        units.append(mine)
    return [_one(unit, ties) if len(unit) > 1 else unit[0] for unit in units]


def _meet(one: Sequence[Step], other: Sequence[Step], ties: Ties) -> bool:
    """Whether the two touch a common asset."""

    def touched(steps: Sequence[Step]) -> set[str]:
        movers = {asset for step in steps for asset in step.movers}
        return movers | ties.followers(movers).keys()

    return not touched(one).isdisjoint(touched(other))


def _one(unit: Sequence[Step], ties: Ties) -> Step:
    movers = [asset for step in unit for asset in step.movers]
    ordered, _ = in_order(movers, ties.among(movers))
    place = {asset: number for number, asset in enumerate(ordered)}
    unit = sorted(unit, key=lambda step: place.get(step.asset, len(place)))
    risks = [step.risk for step in unit if step.risk is not None]
    changes = [change for step in unit for change in step.changes]
    changes.sort(key=lambda change: place.get(change.asset, len(place)))
    by_watchtower = [s for s in unit if s.updater is UpdaterKind.WATCHTOWER]
    return replace(
        by_watchtower[0] if by_watchtower else unit[0],
        asset=changes[0].asset,
        changes=tuple(changes),
        reasons=tuple(
            reason if len(step.movers) > 1 else f"{short_name(step.asset)}: {reason}"
            for step in unit
            for reason in step.reasons
        ),
        risk=combine(risks) if risks else None,
        joins=tuple(step.id for step in unit),
    )


def _with_followers(step: Step, ties: Ties, around: Mapping[str, Case]) -> Step:
    movers = step.movers
    following = ties.followers(movers)
    inside = {*movers, *following}
    if len(inside) == 1:
        return step
    needs = ties.among(inside)
    ordered, circle = in_order(inside, needs)
    whole = replace(
        step,
        members=tuple(ordered) if not circle else tuple(sorted(inside)),
        followers=tuple(_follower(around[a], following[a]) for a in ordered if a in following),
        needs=needs,
    )
    against = [*_circular(circle), *_start_first(movers, needs, around), *_left_behind(whole)]
    against += _with_ourselves(inside, around)
    for asset in sorted(following):
        against += _against(around[asset], following[asset], step)
    if against:
        return held(whole, against)
    return replace(whole, reasons=whole.reasons + tuple(map(_told, whole.followers)))


def _told(one: Follower) -> str:
    fate = "restarted after it" if one.bond is Bond.RESTART else "made again with it"
    return f"{one.container} {one.what}: {fate}"


def _follower(case: Case, need: Need) -> Follower:
    (use,) = case.asset.images
    return Follower(case.asset.id, use.container, use.image, need.bond, need.what)


def _circular(circle: Sequence[str]) -> list[No]:
    if not circle:
        return []
    path = " needs ".join(short_name(asset) for asset in (*circle, circle[0]))
    return [No("cycle", f"no order to update them in: {path}; take one of these links away")]


def _with_ourselves(inside: Iterable[str], around: Mapping[str, Case]) -> list[No]:
    """This program replaces itself alone: it cannot watch over others once it has ended."""
    return [
        No("self", f"{short_name(asset)} is this program's own container and moves with nobody")
        for asset in sorted(inside)
        if around[asset].asset.own
    ]


def _start_first(
    movers: Sequence[str], needs: Sequence[tuple[str, str]], around: Mapping[str, Case]
) -> list[No]:
    """Two at once have what others use of one: nobody can say whose it is meanwhile."""
    return [
        No(
            "strategy",
            f"{short_name(asset)}: start-first is not possible where containers depend on each "
            "other. Set strategy to stop-first",
        )
        for asset in movers
        if around[asset].policy.strategy is Strategy.START_FIRST
        and any(asset in pair for pair in needs)
    ]


def _left_behind(step: Step) -> list[No]:
    """Watchtower looks after one container; who shares something with it is not its business."""
    if step.updater is not UpdaterKind.WATCHTOWER:
        return []
    names = ", ".join(short_name(asset) for asset in step.members if asset != step.asset)
    reason = f"Watchtower would leave {names} behind: docker_updater native moves them together"
    return [No("watchtower", reason)]


def _against(case: Case, need: Need, step: Step) -> list[No]:
    """What speaks against touching somebody who has to follow."""
    name, found = short_name(case.asset.id), []
    for no in objections_to_touching(case, step.id, undoing=step.undoes is not None):
        reason = f"{name} {need.what} and has to follow: {no.reason}"
        found.append(No("dependent", reason))
        if no.rule in WAITS_FOR_TIME:
            found.append(No(no.rule, reason))
    return found
