"""UpdateExecutor: drives one update through the table, journal first, then act.

It knows no platform. Everything it decides is in `core.phases.TABLE`; recovery is the same drive,
entered through the table's third column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.errors import (
    Halted,
    JournalError,
    PlatformError,
    PlatformUnreachable,
    StepFailed,
)
from safe_auto_updater.core.events import Emit, Event
from safe_auto_updater.core.model import Step
from safe_auto_updater.core.outcome import Cause, Outcome
from safe_auto_updater.core.phases import TABLE, Phase, ended
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.core.updater import Facts, Updater, Work
from safe_auto_updater.engine.checks import Checks
from safe_auto_updater.engine.health import HealthChecker
from safe_auto_updater.engine.in_words import ending, in_short, references
from safe_auto_updater.engine.journal import Journal, Record

_LAST_WAY_BACK = (Phase.ROLLBACK, Phase.CONFIRM)
MOST_ENTRIES = 8  # of one phase by one update, waits for the platform not counted
MOST_WAITS = 20  # for the platform, in one run: one that fails each act but answers is no platform
RETRY_S = 1.0  # between two tries of the way back
PATIENCE_S = 600.0  # how long an engine that does not answer is waited for


@dataclass(frozen=True)
class _Next:
    """Where the update goes, and what it knows besides."""

    phase: Phase
    facts: Facts


class UpdateExecutor:
    """Runs steps and recovers what was interrupted. One instance serves one platform."""

    def __init__(
        self,
        journal: Journal,
        updater: Updater,
        health: HealthChecker,
        clock: Clock,
        emit: Emit,
        refusal: Callable[[Work], str | None],
        hurried: Callable[[], bool] = lambda: False,
    ) -> None:
        self._journal = journal
        self._updater = updater
        self._checks = Checks(updater, health, refusal, hurried)
        self._clock = clock
        self._emit = emit

    def execute(self, update: str, step: Step) -> Outcome:
        """Carry out one step of a plan. Raises JournalError when not even its start can be written.

        Returns the outcome; UNFINISHED means the journal or the platform left us, and
        `recover` goes on from there.
        """
        work = Work(update, step)
        self._journal.begin(work.update, step)
        self._tell("started", work, references(step), changes=in_short(step))
        return self._drive(work, _Next(Phase.PREPARE, {}), entries={})

    def reachable(self) -> bool:
        """Whether the platform answers now."""
        return self._updater.reachable()

    def recover(self, record: Record) -> Outcome:
        """Finish or undo an update that was interrupted, by the table's third column."""
        work, entries = record.work, _entries(record)
        if not record.rows:
            return self._drive(work, _Next(Phase.ABORTED, _interrupted(work, "the start")), entries)
        name = record.rows[-1].name
        if name not in TABLE:
            fact = f"the journal says phase {name!r}, which this program does not know"
            trouble = _failed(work, Cause.UNKNOWN, fact)
            return self._drive(work, _Next(Phase.INCONSISTENT, trouble), entries)
        phase = Phase(name)
        facts = {"interrupted": True} if TABLE[phase].died is phase else _interrupted(work, name)
        return self._drive(work, _Next(TABLE[phase].died, facts), entries)

    def _drive(self, work: Work, following: _Next, entries: dict[str, int]) -> Outcome:
        came_from: Phase | None = None
        waits = 0
        while True:
            work = work.with_facts(following.facts)
            phase = ended(following.phase, unverified="unverified" in work.facts)
            if phase in TABLE:
                entries[phase] = entries.get(phase, 0) + 1
                if entries[phase] > MOST_ENTRIES:
                    fact = f"{phase.value} was entered {MOST_ENTRIES} times without an end"
                    if "met" in following.facts:
                        fact += f", at last: {following.facts['met']}"
                    following = _Next(Phase.INCONSISTENT, _failed(work, Cause.UNKNOWN, fact))
                    continue
            problem = self._record(work, phase, following.facts)
            if phase not in TABLE:
                return self._end(work, phase, problem)
            if problem is not None and not phase.may_run_unrecorded:
                if came_from is None:
                    return self._end(work, phase, problem)  # nothing was done; nothing is claimed
                retreat = TABLE[came_from].failed
                following = _Next(retreat, _failed(work, Cause.PLATFORM, problem))
                came_from = phase
                continue
            came_from = phase
            self._tell("phase", work, phase.value, phase=phase.value)
            reached = self._attempt(phase, work)
            if reached is None:
                return self._end(work, phase, "the platform does not answer")
            following = reached
            if following.facts.get("waited"):
                entries[phase] -= 1
                waits += 1
            if waits > MOST_WAITS:
                last = following.facts["waited"]
                return self._end(work, phase, f"after {waits} tries, at last: {last}")

    def _attempt(self, phase: Phase, work: Work) -> _Next | None:
        """Act once. None when the platform did not answer for as long as we may wait."""
        exits = TABLE[phase]
        try:
            return _Next(exits.ok, self._act(phase, work))
        except PlatformUnreachable as error:
            if not self._wait(work, error):
                return None
            facts = {} if exits.died is phase else _failed(work, Cause.PLATFORM, str(error))
            return _Next(exits.died, {**facts, "waited": str(error)})
        except Halted as error:
            trouble = _failed(work, error.cause, str(error), error.evidence)
            return _Next(Phase.HALTED, trouble)
        except StepFailed as error:
            trouble = _failed(work, error.cause, str(error), error.evidence)
        except PlatformError as error:
            if phase is Phase.CLEAN:
                return _Next(exits.ok, self._left_over(work, str(error)))
            if phase in _LAST_WAY_BACK:  # tried until that is enough
                self._tell("warning", work, f"the way back met {error}; it is tried again")
                self._clock.sleep(RETRY_S)
                return _Next(phase, {"met": str(error)})
            trouble = _failed(work, Cause.UNKNOWN, str(error))
        except Exception as error:  # whatever it is, the way back is in the table
            fact = f"{type(error).__name__}: {error}"
            trouble = _failed(work, Cause.UNKNOWN, fact)
        if exits.failed is exits.ok:
            trouble = self._left_over(work, next(iter(trouble.values()))["error"])
        return _Next(exits.failed, trouble)

    def _left_over(self, work: Work, warning: str) -> Facts:
        self._tell("warning", work, f"left over: {warning}")
        return {"warnings": [warning]}

    def _act(self, phase: Phase, work: Work) -> Facts:
        updater = self._updater
        match phase:
            case Phase.PREPARE:
                return updater.prepare(work)
            case Phase.PRECHECK:
                return self._checks.precheck(work)
            case Phase.SNAPSHOT:
                return updater.snapshot(work)
            case Phase.STAGE:
                return updater.stage(work)
            case Phase.APPLY:
                return updater.apply(work)
            case Phase.VERIFY:
                return self._checks.verify(work)
            case Phase.COMMIT:
                return updater.commit(work)
            case Phase.ROLLBACK:
                return updater.rollback(work)
            case Phase.CONFIRM:
                return self._checks.confirm(work)
            case Phase.CLEAN:
                return updater.clean(work)
            case _:
                raise AssertionError(f"{phase} is an end, not an act")

    def _record(self, work: Work, phase: Phase, facts: Facts) -> str | None:
        try:
            self._journal.enter(work.update, phase, facts)
        except JournalError as error:
            self._tell("warning", work, str(error))
            return str(error)
        return None

    def _wait(self, work: Work, error: PlatformUnreachable) -> bool:
        """Wait until the platform answers again; False when patience is used up."""
        self._tell("waiting", work, str(error))
        began, pause = self._clock.monotonic(), 0.2
        while self._clock.monotonic() - began < PATIENCE_S:
            self._clock.sleep(pause)
            if self._updater.reachable():
                return True
            pause = min(pause * 1.5, 10.0)
        return False

    def _end(self, work: Work, phase: Phase, problem: str | None) -> Outcome:
        outcome = phase.outcome
        if outcome is None or problem is not None:
            text = f"stopped in {phase.value}: {problem}; `sau recover` goes on from there"
            self._tell("unfinished", work, text, changes=in_short(work.step))
            return Outcome.UNFINISHED
        text = f"{outcome.value.replace('_', ' ')}: {ending(work.facts)}"
        told = {"downtime_s": work.facts.get("downtime_s"), "changes": in_short(work.step)}
        if work.step.links:
            told["links"] = work.step.links
        if "failure" in work.facts:
            told["cause"] = work.facts["failure"]["cause"]
        self._tell(outcome.value, work, text, **told)
        return outcome

    def _tell(self, kind: str, work: Work, message: str, **details: Any) -> None:
        if work.step.members:
            details["members"] = work.step.members
        event = Event(kind, message, self._clock.now(), work.step.asset, work.update, details)
        self._emit(event)


def _failed(work: Work, cause: Cause, error: str, evidence: Facts | None = None) -> Facts:
    """The first failure is what the update failed of; a later one is trouble on the way back."""
    word = "trouble" if "failure" in work.facts else "failure"
    return {word: {"cause": cause.value, "error": error, "evidence": dict(evidence or {})}}


def _interrupted(work: Work, where: str) -> Facts:
    if "failure" in work.facts:
        return {}
    return _failed(work, Cause.UNKNOWN, f"interrupted in {where}")


def _entries(record: Record) -> dict[str, int]:
    """How often each phase was entered, for the bound that survives restarts."""
    names = [row.name for row in record.rows if not row.facts.get("waited")]
    return {name: names.count(name) for name in set(names)}
