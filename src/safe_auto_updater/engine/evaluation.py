"""Evaluation: what a change would do to an asset, and what plugins say to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from safe_auto_updater.core.case import Case, FileEdit, Veto
from safe_auto_updater.core.diff import DiffAnalyzer
from safe_auto_updater.core.errors import SafeAutoUpdaterError
from safe_auto_updater.core.links import said_by
from safe_auto_updater.core.model import Asset, Change
from safe_auto_updater.core.ports import Comparer, Foreseen, Proposal, Trees
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.risk import Circumstances, Risk, combine
from safe_auto_updater.core.spelling import ComposeChange
from safe_auto_updater.core.stateful import is_stateful
from safe_auto_updater.core.versions import Bump, parse_tag
from safe_auto_updater.engine.policies import PluginPolicies

_PRECISE = 3  # numbers of a version behind which nothing but its own content moves


class Evaluation:
    """Judges one asset's changes. A side that cannot be seen is *unknown*, and holds."""

    def __init__(
        self,
        comparer_for: Callable[[str], Comparer],
        analyzer_for: Callable[[str], DiffAnalyzer],
        policies: PluginPolicies,
        edit_of: Callable[[Asset, Change, ComposeChange], FileEdit | None],
        foresee: Callable[[Asset, tuple[Change, ...]], Foreseen],
    ) -> None:
        self._comparer_for = comparer_for
        self._analyzer_for = analyzer_for
        self._policies = policies
        self._edit_of = edit_of
        self._foresee = foresee

    def judged(self, case: Case) -> Case:
        """The case with its risk, and with every no that is not ours to find."""
        try:
            comparer = self._comparer_for(case.asset.id)
            seen = [comparer.trees(case.asset, change) for change in case.wanted]
            pairs = list(zip(case.wanted, seen, strict=True))
            risks = [self._risk(case.asset, change, trees) for change, trees in pairs]
            rule = case.policy.compose
            edits = [self._edit_of(case.asset, change, rule) for change in case.wanted]
            foreseen = self._foresee(case.asset, case.wanted)
        except SafeAutoUpdaterError as error:
            veto = Veto("unknown", f"what it would change could not be seen: {error}")
            return replace(case, vetoes=(veto,))
        risk = combine(risks)
        refusal = foreseen.refusal
        vetoes = () if refusal is None else (Veto("server", refusal),)
        proposal = Proposal(case.asset, case.wanted, risk, case.memory.now)
        linked = {change: _linked(change, trees, case.policy.link) for change, trees in pairs}
        return replace(
            case,
            changes=tuple(linked.get(change, change) for change in case.changes),
            risk=risk,
            vetoes=(*vetoes, *self._policies.judge(proposal)),
            notes=() if foreseen.unasked is None else (foreseen.unasked,),
            edits=tuple(edit for edit in edits if edit is not None),
        )

    def _risk(self, asset: Asset, change: Change, trees: Trees) -> Risk:
        assert change.candidate is not None
        reference = change.candidate.reference
        circumstances = Circumstances(reach(change), reference, asset.kind)
        return self._analyzer_for(asset.id).analyze(trees.before, trees.after, circumstances)


def _linked(change: Change, trees: Trees, by_user: str | None) -> Change:
    """With where people can read about its candidate: what was seen of it says so, or the user."""
    return replace(change, link=by_user or said_by(trees.after))


def reach(change: Change) -> str:
    """How far it goes; *unknown* where a tag such as `latest` moved between versions untold.

    So does `2` of a known database, whose minors may be one way.
    """
    assert change.candidate is not None
    if change.behind is None and change.bump == Bump.DIGEST:
        reference = change.candidate.reference
        version = parse_tag(Reference.parse(reference).tag_or_latest)
        if version is None:
            return Bump.UNKNOWN
        floats = len(version.numbers) < _PRECISE and not version.calendar
        return Bump.UNKNOWN if floats and is_stateful(reference) is not None else Bump.DIGEST
    return change.reach or Bump.UNKNOWN
