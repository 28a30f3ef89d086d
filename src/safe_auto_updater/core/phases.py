"""The one table: where an update goes next, from every phase and every way a phase can end.

Recovery is the table's third column, so it cannot drift from the way forward.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from safe_auto_updater.core.outcome import Outcome


class Phase(StrEnum):
    """A persisted name: what the journal says an update is in. Names never change."""

    PREPARE = "PREPARE"
    PRECHECK = "PRECHECK"
    SNAPSHOT = "SNAPSHOT"
    STAGE = "STAGE"
    APPLY = "APPLY"
    VERIFY = "VERIFY"
    COMMIT = "COMMIT"
    ROLLBACK = "ROLLBACK"
    CONFIRM = "CONFIRM"
    CLEAN = "CLEAN"
    SUCCEEDED = "SUCCEEDED"
    UNVERIFIED = "UNVERIFIED"
    ROLLED_BACK = "ROLLED_BACK"
    ABORTED = "ABORTED"
    HALTED = "HALTED"
    INCONSISTENT = "INCONSISTENT"

    @property
    def outcome(self) -> Outcome | None:
        """The outcome this phase stands for, None while there is still something to do."""
        return None if self in TABLE else Outcome(self.value.lower())

    @property
    def may_run_unrecorded(self) -> bool:
        """A journal that cannot be written never stops the way back."""
        return self in (Phase.ROLLBACK, Phase.CONFIRM, Phase.CLEAN)


@dataclass(frozen=True)
class Exits:
    """Where a phase leads: it went well, it failed, or the program died in it."""

    ok: Phase
    failed: Phase
    died: Phase


P = Phase
TABLE: dict[Phase, Exits] = {
    #                 ok              failed           died here
    P.PREPARE:  Exits(P.PRECHECK,     P.ABORTED,       P.ABORTED),
    P.PRECHECK: Exits(P.SNAPSHOT,     P.ABORTED,       P.ABORTED),
    P.SNAPSHOT: Exits(P.STAGE,        P.ABORTED,       P.ABORTED),
    P.STAGE:    Exits(P.APPLY,        P.CLEAN,         P.CLEAN),
    P.APPLY:    Exits(P.VERIFY,       P.ROLLBACK,      P.ROLLBACK),
    P.VERIFY:   Exits(P.COMMIT,       P.ROLLBACK,      P.VERIFY),
    P.COMMIT:   Exits(P.SUCCEEDED,    P.SUCCEEDED,     P.COMMIT),
    P.ROLLBACK: Exits(P.CONFIRM,      P.INCONSISTENT,  P.ROLLBACK),
    P.CONFIRM:  Exits(P.ROLLED_BACK,  P.INCONSISTENT,  P.CONFIRM),
    P.CLEAN:    Exits(P.ABORTED,      P.INCONSISTENT,  P.CLEAN),
}  # fmt: skip


def ended(phase: Phase, *, unverified: bool) -> Phase:
    """What was committed and nobody could see well is no success. Other phases stay."""
    return P.UNVERIFIED if phase is P.SUCCEEDED and unverified else phase
