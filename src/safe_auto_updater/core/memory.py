"""What is remembered and decides: human words, quarantine, assets that wait for a human."""

from __future__ import annotations

from dataclasses import dataclass

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.risk import Reversibility, Risk


@dataclass(frozen=True)
class Hold:
    """An asset (or, with `content`, one version of it) must wait: a human says so, or its past."""

    asset: str
    reason: str
    since: float
    until: float | None = None
    content: str | None = None
    reference: str | None = None  # that version's own tag: held also where it is pushed anew

    def active(self, now: float) -> bool:
        """Whether it still counts."""
        return self.until is None or now < self.until


@dataclass(frozen=True)
class Failed:
    """Content that failed on an asset by its own fault, and the update that saw it.

    `configuration` is how the asset was set up then, as a hash, where that is to blame.
    """

    asset: str
    container: str
    content: str
    cause: Cause
    update: str
    reason: str
    configuration: str | None = None


@dataclass(frozen=True)
class Blocked:
    """An asset that is left alone until a human clears it, or until recovery has run."""

    asset: str
    update: str
    reason: str


@dataclass(frozen=True)
class Approved:
    """A human's word that one step may be made, at the risk that it was shown with, or less."""

    step: str
    asset: str
    who: str
    at: float
    score: int
    reversibility: Reversibility

    def covers(self, risk: Risk | None) -> bool:
        """Whether the human has seen a risk like this."""
        return risk is None or (
            risk.score <= self.score and risk.reversibility <= self.reversibility
        )


@dataclass(frozen=True)
class Heard:
    """What an asset's own annotation said when it was last taken for an approval."""

    asset: str
    text: str


@dataclass(frozen=True)
class Denied:
    """A human's word that one version is skipped on one container; others may follow."""

    asset: str
    container: str
    content: str
    step: str
    who: str
    at: float
    reference: str | None = None  # a version's own tag: skipped also where it is pushed anew


@dataclass(frozen=True)
class Memory:
    """Everything remembered, at one instant."""

    now: float
    holds: tuple[Hold, ...] = ()
    quarantine: tuple[Failed, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    approved: tuple[Approved, ...] = ()
    annotated: tuple[Heard, ...] = ()
    denied: tuple[Denied, ...] = ()
    left: frozenset[tuple[str, str, str]] = frozenset()  # asset, container, digest: updated away

    def approval(self, step: str, risk: Risk | None = None) -> Approved | None:
        """The approval of a step, by its id; of several rather one that covers the risk."""
        found = [word for word in self.approved if word.step == step]
        covering = (word for word in found if word.covers(risk))
        return next(covering, next(iter(found), None))

    def heard(self, asset: str) -> str | None:
        """What an asset's annotation said when it was taken for an approval; None: it was not."""
        return next((word.text for word in self.annotated if word.asset == asset), None)
