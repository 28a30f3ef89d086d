"""What follows each phase when it succeeds, fails or dies: no row is altered unnoticed."""

from __future__ import annotations

from safe_auto_updater.core.phases import TABLE, Phase

PROMISED = """
PREPARE   PRECHECK     ABORTED       ABORTED
PRECHECK  SNAPSHOT     ABORTED       ABORTED
SNAPSHOT  STAGE        ABORTED       ABORTED
STAGE     APPLY        CLEAN         CLEAN
APPLY     VERIFY       ROLLBACK      ROLLBACK
VERIFY    COMMIT       ROLLBACK      VERIFY
COMMIT    SUCCEEDED    SUCCEEDED     COMMIT
ROLLBACK  CONFIRM      INCONSISTENT  ROLLBACK
CONFIRM   ROLLED_BACK  INCONSISTENT  CONFIRM
CLEAN     ABORTED      INCONSISTENT  CLEAN
"""


def test_the_table_is_the_promised_one() -> None:
    rows = [
        f"{phase.value} {exits.ok.value} {exits.failed.value} {exits.died.value}"
        for phase, exits in TABLE.items()
    ]
    assert rows == [" ".join(line.split()) for line in PROMISED.split("\n") if line]


def test_every_walk_ends() -> None:
    def ends(phase: Phase, seen: frozenset[Phase]) -> bool:
        if phase not in TABLE:
            return True
        exits = TABLE[phase]
        following = {exits.ok, exits.failed} - {phase}
        return phase not in seen and all(ends(f, seen | {phase}) for f in following)

    assert all(ends(phase, frozenset()) for phase in TABLE)


def test_no_way_leads_from_apply_to_an_end_without_commit_or_confirm() -> None:
    for phase in (Phase.APPLY, Phase.VERIFY, Phase.ROLLBACK):
        exits = TABLE[phase]
        assert {exits.ok, exits.failed, exits.died} <= {
            Phase.VERIFY,
            Phase.COMMIT,
            Phase.ROLLBACK,
            Phase.CONFIRM,
            Phase.INCONSISTENT,
        }


def test_every_end_is_an_outcome_and_nothing_else_is() -> None:
    assert all((phase.outcome is None) == (phase in TABLE) for phase in Phase)
