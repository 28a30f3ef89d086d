"""How dangerous a change is, as values: findings, score, blockers, what going back would cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Tree = Mapping[str, Any]  # JSON: what an asset is, or would be


class Severity(StrEnum):
    """How much one finding matters."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    BLOCKER = "blocker"


class Reversibility(StrEnum):
    """What going back would cost, from nothing to impossible. The order is the order of worse."""

    R0 = "R0"  # free: nothing outside the container changes
    R1 = "R1"  # replaceable: what is lost can be made again
    R2 = "R2"  # side effects: data may have been changed, and is not taken back
    R3 = "R3"  # irreversible: going back cannot be promised


class Band(StrEnum):
    """What a risk allows: to act, to act once a human has approved, or never."""

    AUTOMATIC = "automatic"
    APPROVAL = "approval"
    NEVER = "never"


@dataclass(frozen=True)
class Finding:
    """One difference that matters. `path` leads into the compared trees, parts joined by `/`.

    A `/` inside a part is written `~1`, a `~` `~0`. `before` and `after` are JSON, None where the
    path is absent; `rule` names the row of the rule table, `why` says in words what it means for
    this asset. `points` and `reversibility` are the row's.
    """

    path: str
    before: Any
    after: Any
    rule: str
    severity: Severity
    why: str
    points: int = 0
    reversibility: Reversibility = Reversibility.R0


@dataclass(frozen=True)
class Risk:
    """The judgement over one step. `score` is 0 to 100; `blockers` are findings in words."""

    score: int
    blockers: tuple[str, ...]
    findings: tuple[Finding, ...]
    reversibility: Reversibility


@dataclass(frozen=True)
class Bands:
    """Below `automatic` a score acts by itself, below `approval` once approved, above never."""

    automatic: int = 30
    approval: int = 60

    def band(self, risk: Risk) -> Band:
        """Which band a risk falls into; a blocker is `never`, and R3 is not `automatic`."""
        if risk.blockers or risk.score >= self.approval:
            return Band.NEVER
        if risk.score < self.automatic and risk.reversibility is not Reversibility.R3:
            return Band.AUTOMATIC
        return Band.APPROVAL


def at(tree: Any, path: Iterable[str]) -> Any:
    """What stands at a path; None where nothing does."""
    for part in path:
        if not isinstance(tree, Mapping) or part not in tree:
            return None
        tree = tree[part]
    return tree


def weigh(points: Iterable[int]) -> tuple[tuple[float, ...], int]:
    """What each of some points counts, heaviest first, and the score that they make.

    The heaviest counts whole, each next half as much as its place before: many small things do
    not add up to a great one, and one thing more never makes a score lower.
    """
    counted = tuple(
        number / 2**place for place, number in enumerate(sorted(points, reverse=True)[:_COUNTED])
    )
    return counted, min(100, int(sum(counted)))


_COUNTED = 8  # what follows counts less than one


def combine(risks: Iterable[Risk]) -> Risk:
    """Several changes in one step: as risky as the riskiest, as reversible as the worst."""
    every = tuple(risks)
    return Risk(
        max((risk.score for risk in every), default=0),
        tuple(dict.fromkeys(words for risk in every for words in risk.blockers)),
        tuple(finding for risk in every for finding in risk.findings),
        max((risk.reversibility for risk in every), default=Reversibility.R0),
    )


@dataclass(frozen=True)
class Circumstances:
    """What the trees do not say: how far the step goes (a `Bump`), to which image, of what kind."""

    bump: str
    image: str
    kind: str = "container"


class On(StrEnum):
    """What a rule looks at: a kind of difference at its paths, or the step as a whole."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    ANY = "added, removed or changed"
    STEP = "the step"


@dataclass(frozen=True)
class Situation:
    """Where a condition is asked: one path, its values, both trees and the circumstances.

    `name` is the last part of the path; a value is None where the path is absent.
    """

    name: str
    old: Any
    new: Any
    before: Tree
    after: Tree
    step: Circumstances


@dataclass(frozen=True)
class Condition:
    """A named question about a situation; `words` continue "when"."""

    words: str
    holds: Callable[[Situation], bool]


@dataclass(frozen=True)
class RiskRule:
    """One row of a rule table. The first row that fits a difference judges it.

    A part of a path is a pattern as in a shell. What stands at a path is compared as a whole;
    with `unordered` the path ends in `/*` and stands for the members of a list that is a set.
    Rows about the step say in their one path what they show; the first that holds for it counts.
    With `masked` the values are never shown.
    """

    name: str
    paths: tuple[str, ...]
    on: On
    severity: Severity
    points: int
    reversibility: Reversibility
    why: str
    when: tuple[Condition, ...] = ()
    unordered: bool = False
    masked: bool = False
