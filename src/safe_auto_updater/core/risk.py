"""How dangerous a change is, as values: findings, score, blockers, and what going back would cost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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

    `before` and `after` are JSON, None where the path is absent; `rule` names the row of the
    rule table, `why` says in words what it means for this asset.
    """

    path: str
    before: Any
    after: Any
    rule: str
    severity: Severity
    why: str


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
        """Which band a risk falls into; a blocker is always `never`."""
        if risk.blockers or risk.score >= self.approval:
            return Band.NEVER
        return Band.AUTOMATIC if risk.score < self.automatic else Band.APPROVAL
