"""The table driven by a recording updater on a real journal: every way forward and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import (
    JournalError,
    PlatformError,
    PlatformUnreachable,
    StepFailed,
)
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.model import Action, Change, Image, Step
from safe_auto_updater.core.outcome import Cause, Outcome
from safe_auto_updater.core.phases import TABLE, Phase
from safe_auto_updater.core.ports import CheckResult, CheckState, Subject
from safe_auto_updater.core.updater import Facts, Look, Patience, Side, Work
from safe_auto_updater.engine import executor
from safe_auto_updater.engine.executor import UpdateExecutor
from safe_auto_updater.engine.health import HealthChecker
from safe_auto_updater.engine.in_words import ending
from safe_auto_updater.engine.journal import Journal
from safe_auto_updater.engine.state import open_state
from tests.clock import FakeClock

ASSET = "docker:local/web"
STEP = Step(
    ASSET,
    Action.UPDATE,
    changes=(Change(ASSET, "web", Image("web:1"), Image("web:2"), "major"),),
)


@dataclass
class RecordingUpdater:
    """Does nothing and remembers what it was asked; `faults` raise once per entry."""

    faults: dict[str, list[Exception]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    well: dict[Side, bool] = field(default_factory=lambda: {Side.OLD: True, Side.NEW: True})
    answers: list[bool] = field(default_factory=list)
    unverified: str | None = None

    def _do(self, verb: str) -> Facts:
        self.asked.append(verb)
        if self.faults.get(verb):
            raise self.faults[verb].pop(0)
        return {f"{verb}_done": True}

    def prepare(self, work: Work) -> Facts:
        return self._do("prepare")

    def precheck(self, work: Work) -> Facts:
        return self._do("precheck")

    def snapshot(self, work: Work) -> Facts:
        return self._do("snapshot")

    def stage(self, work: Work) -> Facts:
        return self._do("stage")

    def apply(self, work: Work) -> Facts:
        return self._do("apply")

    def commit(self, work: Work) -> Facts:
        return self._do("commit")

    def rollback(self, work: Work) -> Facts:
        return self._do("rollback")

    def confirm(self, work: Work) -> Facts:
        return self._do("confirm")

    def clean(self, work: Work) -> Facts:
        return self._do("clean")

    def look(self, work: Work, side: Side) -> Look:
        self._do(f"look {side.value}")
        state = CheckState.PASSED if self.well[side] else CheckState.FAILED
        checked = CheckResult("fake", state, "said so")
        return Look((checked,), (Subject(ASSET, "web"),), self.unverified)

    def patience(self, work: Work, side: Side) -> Patience:
        return Patience(60.0, 1.0)

    def reachable(self) -> bool:
        return self.answers.pop(0) if self.answers else True


class Bench:
    """An executor with a real journal in a folder, and everything it told."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.updater = RecordingUpdater()
        self.journal = Journal(open_state(folder), self.clock.now)
        self.events: list[Event] = []
        self.refusals: list[str] = []

    @property
    def executor(self) -> UpdateExecutor:
        health = HealthChecker(lambda asset: [], self.clock)
        return UpdateExecutor(
            self.journal,
            self.updater,
            health,
            self.clock,
            self.events.append,
            lambda work: self.refusals.pop(0) if self.refusals else None,
        )

    def walk(self) -> list[str]:
        """The phases that the journal recorded for the only update."""
        (record,) = self.journal.history()
        return [row.name for row in record.rows]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def broken(cause: Cause = Cause.IMAGE) -> StepFailed:
    return StepFailed("it broke", cause)


FORWARD = ["PREPARE", "PRECHECK", "SNAPSHOT", "STAGE", "APPLY", "VERIFY", "COMMIT"]
# where it fails -> the phases after that one
AFTER_FAILURE = {
    "prepare": ["ABORTED"],
    "precheck": ["ABORTED"],
    "look old": ["ABORTED"],
    "snapshot": ["ABORTED"],
    "stage": ["CLEAN", "ABORTED"],
    "apply": ["ROLLBACK", "CONFIRM", "ROLLED_BACK"],
    "look new": ["ROLLBACK", "CONFIRM", "ROLLED_BACK"],
    "commit": ["SUCCEEDED"],
}
PHASE_OF = {"look old": "PRECHECK", "look new": "VERIFY"}


def test_good_update_walks_the_table_forward(bench: Bench) -> None:
    assert bench.executor.execute("u0", STEP) is Outcome.SUCCEEDED
    assert bench.walk() == [*FORWARD, "SUCCEEDED"]


def test_what_people_must_know_of_a_success_is_told_with_it() -> None:
    facts = {"verdict": {"reason": "stable for 30 s"}, "remarks": ["the next apply puts 1.0 back"]}
    assert ending(facts) == "stable for 30 s; the next apply puts 1.0 back"
    failed = {**facts, "failure": {"error": "it broke"}}
    assert ending(failed) == "it broke"


@pytest.mark.parametrize("also_fails", [[], ["commit"]])
def test_what_nobody_can_say_is_unverified_and_why(bench: Bench, also_fails: list[str]) -> None:
    bench.updater.unverified = "nothing of it runs"
    bench.updater.faults = {verb: [broken()] for verb in also_fails}

    assert bench.executor.execute("u0", STEP) is Outcome.UNVERIFIED

    assert bench.walk() == [*FORWARD, "UNVERIFIED"]
    (record,) = bench.journal.history()
    assert record.took_effect
    assert record.facts["verdict"] == {"proven": False, "reason": "nothing of it runs"}
    assert bench.events[-1].message == "unverified: nothing of it runs"


def test_an_unverified_update_that_died_in_commit_stays_unverified(bench: Bench) -> None:
    bench.journal.begin("u0", STEP)
    bench.journal.enter("u0", Phase.COMMIT, {"unverified": "nothing of it runs"})
    (record,) = bench.journal.unfinished()
    assert bench.executor.recover(record) is Outcome.UNVERIFIED


@pytest.mark.parametrize("verb", AFTER_FAILURE)
@pytest.mark.parametrize("error", [broken(), RuntimeError("a bug")], ids=["failed", "bug"])
def test_every_verb_that_fails_leads_where_the_table_says(
    bench: Bench, verb: str, error: Exception
) -> None:
    bench.updater.faults[verb] = [error]

    outcome = bench.executor.execute("u0", STEP)

    failed_in = PHASE_OF.get(verb, verb.upper())
    reached = FORWARD[: FORWARD.index(failed_in) + 1]
    assert bench.walk() == reached + AFTER_FAILURE[verb]
    assert outcome is Phase(AFTER_FAILURE[verb][-1]).outcome


@pytest.mark.parametrize("verb", ["rollback", "confirm"])
def test_a_way_back_that_fails_is_inconsistent_and_keeps_the_first_cause(
    bench: Bench, verb: str
) -> None:
    bench.updater.faults = {"apply": [broken(Cause.CONFIG)], verb: [broken(Cause.PLATFORM)]}

    assert bench.executor.execute("u0", STEP) is Outcome.INCONSISTENT

    (record,) = bench.journal.history()
    assert record.cause is Cause.CONFIG
    assert bench.walk()[-1] == "INCONSISTENT"


def test_old_version_that_is_not_well_after_rollback_is_inconsistent(bench: Bench) -> None:
    bench.updater.faults = {"apply": [broken()]}
    bench.updater.faults["look old"] = []
    original = bench.updater.look

    def look(work: Work, side: Side) -> Look:
        bench.updater.well[Side.OLD] = "rollback" not in bench.updater.asked
        return original(work, side)

    bench.updater.look = look  # type: ignore[method-assign]
    assert bench.executor.execute("u0", STEP) is Outcome.INCONSISTENT


def test_what_changes_while_it_is_prepared_aborts_it(bench: Bench) -> None:
    bench.refusals = ["a human holds it"]
    assert bench.executor.execute("u0", STEP) is Outcome.ABORTED
    (record,) = bench.journal.history()
    assert (record.cause, "snapshot" in bench.updater.asked) == (Cause.CONFLICT, False)
    assert "a human holds it" in record.facts["failure"]["error"]


def test_leftovers_of_commit_are_a_warning_and_no_failure(bench: Bench) -> None:
    bench.updater.faults = {"commit": [broken()]}

    assert bench.executor.execute("u0", STEP) is Outcome.SUCCEEDED

    (record,) = bench.journal.history()
    assert record.facts["warnings"] == ["it broke"]
    assert record.cause is None


DIES = {phase: TABLE[phase].died for phase in TABLE}


@pytest.mark.parametrize("phase", TABLE)
def test_an_update_that_died_goes_on_in_the_third_column(bench: Bench, phase: Phase) -> None:
    bench.journal.begin("u", STEP)
    bench.journal.enter("u", phase, {})
    (record,) = bench.journal.unfinished()

    bench.executor.recover(record)

    walk = bench.walk()
    assert walk[:2] == [phase.value, DIES[phase].value]
    assert Phase(walk[-1]) not in TABLE
    assert bench.journal.unfinished() == ()


def test_an_update_that_died_before_its_first_phase_is_aborted(bench: Bench) -> None:
    bench.journal.begin("u", STEP)
    (record,) = bench.journal.unfinished()
    assert bench.executor.recover(record) is Outcome.ABORTED
    assert bench.updater.asked == []


def test_a_phase_that_this_program_does_not_know_is_left_to_a_human(bench: Bench) -> None:
    bench.journal.begin("u", STEP)
    bench.journal._run(
        "INSERT INTO phases VALUES ('u', 1, 'TELEPORT', 0.0, '{}')", ()
    )  # what a newer program may have written
    (record,) = bench.journal.unfinished()

    assert bench.executor.recover(record) is Outcome.INCONSISTENT
    assert bench.updater.asked == []


def test_an_update_that_dies_again_and_again_is_given_up_to_a_human(bench: Bench) -> None:
    bench.journal.begin("u", STEP)
    for _ in range(executor.MOST_ENTRIES):
        bench.journal.enter("u", Phase.ROLLBACK, {})
    (record,) = bench.journal.unfinished()

    assert bench.executor.recover(record) is Outcome.INCONSISTENT


def test_way_back_that_the_platform_refuses_again_and_again_says_why(bench: Bench) -> None:
    refused = [PlatformError("the name is in use")] * executor.MOST_ENTRIES
    bench.updater.faults = {"apply": [broken()], "rollback": refused}

    assert bench.executor.execute("u0", STEP) is Outcome.INCONSISTENT

    (told,) = [event.message for event in bench.events if event.kind == "inconsistent"]
    assert "ROLLBACK was entered 8 times without an end, at last: the name is in use" in told


def test_question_that_the_platform_refuses_once_is_no_inconsistency(bench: Bench) -> None:
    bench.updater.faults = {"apply": [broken()], "confirm": [PlatformError("internal error")]}

    assert bench.executor.execute("u0", STEP) is Outcome.ROLLED_BACK

    assert bench.walk().count(Phase.CONFIRM) == 2


@pytest.mark.parametrize("verb", [*AFTER_FAILURE, "rollback", "confirm", "clean"])
def test_platform_that_goes_away_is_waited_for_and_the_update_ends(bench: Bench, verb: str) -> None:
    bench.updater.faults = {verb: [PlatformUnreachable("no answer")]}
    if verb in ("rollback", "confirm"):
        bench.updater.faults["apply"] = [broken()]
    if verb == "clean":
        bench.updater.faults["stage"] = [broken()]
    bench.updater.answers = [False, False, True]

    outcome = bench.executor.execute("u0", STEP)

    gone_in = Phase(PHASE_OF.get(verb, verb.upper()))
    walk = bench.walk()
    assert walk[walk.index(gone_in) + 1] == TABLE[gone_in].died
    assert outcome not in (Outcome.UNFINISHED, Outcome.INCONSISTENT)
    assert any(event.kind == "waiting" for event in bench.events)


def test_waiting_for_the_platform_is_not_counted_as_an_entry(bench: Bench) -> None:
    times = executor.MOST_ENTRIES * 2
    bench.updater.faults = {"look new": [PlatformUnreachable("no answer") for _ in range(times)]}

    assert bench.executor.execute("u0", STEP) is Outcome.SUCCEEDED


def test_platform_that_stays_away_leaves_the_update_unfinished_for_recover(bench: Bench) -> None:
    bench.updater.faults = {"apply": [PlatformUnreachable("no answer")]}
    bench.updater.answers = [False] * 100_000

    assert bench.executor.execute("u0", STEP) is Outcome.UNFINISHED

    bench.updater.answers = []
    (record,) = bench.journal.unfinished()
    assert bench.executor.recover(record) is Outcome.ROLLED_BACK


def losing(journal: Journal, phase: Phase) -> Callable[[str, Phase, Facts], None]:
    """`enter` of a journal whose disk fills up when `phase` is to be written."""
    enter = journal.enter
    lost = False

    def full(update: str, entered: Phase, facts: Facts) -> None:
        nonlocal lost
        lost = lost or entered is phase
        if lost:
            raise JournalError("the disk is full")
        enter(update, entered, facts)

    return full


UNRECORDED = {
    Phase.PREPARE: [],
    Phase.PRECHECK: ["prepare"],
    Phase.SNAPSHOT: ["prepare", "precheck", "look old"],
    Phase.STAGE: ["snapshot"],
    Phase.APPLY: ["stage", "clean"],
    Phase.VERIFY: ["apply", "rollback", "confirm"],
    Phase.COMMIT: ["look new", "rollback", "confirm"],
    Phase.SUCCEEDED: ["commit"],
}


@pytest.mark.parametrize("phase", UNRECORDED)
def test_a_journal_that_cannot_be_written_stops_forward_and_never_back(
    bench: Bench, phase: Phase
) -> None:
    bench.journal.enter = losing(bench.journal, phase)  # type: ignore[method-assign]

    assert bench.executor.execute("u0", STEP) is Outcome.UNFINISHED

    asked = list(dict.fromkeys(bench.updater.asked))
    expected = UNRECORDED[phase]
    assert [verb for verb in asked if verb in expected] == expected
    assert (phase.value.lower() in asked) == phase.may_run_unrecorded
    del bench.journal.enter  # the disk has room again
    (record,) = bench.journal.unfinished()
    assert bench.executor.recover(record) in (
        Outcome.ABORTED,
        Outcome.ROLLED_BACK,
        Outcome.SUCCEEDED,
    )


def test_the_snapshot_is_durable_before_anything_is_staged(bench: Bench) -> None:
    bench.executor.execute("u0", STEP)
    (record,) = bench.journal.history()
    entered = {row.name: row.facts for row in record.rows}
    assert entered["STAGE"] == {"snapshot_done": True}
    assert entered["APPLY"] == {"stage_done": True}


def test_every_event_of_an_update_carries_its_id(bench: Bench) -> None:
    bench.executor.execute("u0", STEP)
    assert {event.update for event in bench.events} == {"u0"}


def test_how_it_ended_carries_links_and_members(bench: Bench) -> None:
    linked = replace(STEP.changes[0], link="https://example.org/web")
    step = replace(STEP, changes=(linked,), members=(ASSET, "docker:local/db"))
    bench.executor.execute("u0", step)
    bench.executor.execute("u1", STEP)

    first, second = (event.details for event in bench.events if event.kind == "succeeded")
    assert first["links"] == ("https://example.org/web",)
    assert first["members"] == (ASSET, "docker:local/db")
    assert not {"links", "members"} & second.keys()
    (_, record) = bench.journal.history()
    assert record.step.links == ("https://example.org/web",)  # kept for `sau recover`
