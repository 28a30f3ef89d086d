"""The three phases in which an update is judged: before it, after it, and after going back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from safe_auto_updater.core.errors import StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.updater import Facts, Patience, Side, Updater, Work
from safe_auto_updater.engine.health import HealthChecker, Verdict

PRECHECK_S = 120.0  # how long the old version may need to show that it is well


class Checks:
    """What the updater says of a side, and what its health checks say of it over a while."""

    def __init__(
        self,
        updater: Updater,
        health: HealthChecker,
        refusal: Callable[[Work], str | None],
        hurried: Callable[[], bool],
    ) -> None:
        self._updater = updater
        self._health = health
        self._refusal = refusal  # asked after PREPARE: a pull can take long enough for anything
        self._hurried = hurried  # whether the program is to end, and has little time left

    def precheck(self, work: Work) -> Facts:
        """The old one is what was planned from, and well; else StepFailed, and nothing changed."""
        refusal = "the program is to end" if self._hurried() else self._refusal(work)
        if refusal is not None:
            raise StepFailed(f"no longer as it was planned: {refusal}", Cause.CONFLICT)
        facts = self._updater.precheck(work)
        if work.step.undoes is not None:
            return {**facts, "unhealthy_before": True}  # a human takes it back, well or not
        now = work.with_facts(facts)
        patience = self._updater.patience(now, Side.OLD)
        brief = Patience(min(patience.timeout_s, PRECHECK_S), 0.0)
        verdict = self._health.watch(lambda: self._updater.look(now, Side.OLD), brief)
        if verdict.healthy:
            return facts
        if facts.get("fix_forward"):
            return {**facts, "unhealthy_before": True}
        fact = f"before the update it is {verdict.reason}; nothing was changed"
        raise StepFailed(fact, Cause.CONFLICT, _seen(verdict))

    def verify(self, work: Work) -> Facts:
        """The new one is well for as long as it must be; else StepFailed with the cause."""
        verdict = self._watch(work, Side.NEW)
        if not verdict.healthy:
            assert verdict.cause is not None
            cause = verdict.cause
            if cause.quarantines and {"waited", "interrupted"} & work.facts.keys():
                cause = Cause.PLATFORM  # an engine restart or a reboot may have ended it as well
            raise StepFailed(verdict.reason, cause, _seen(verdict))
        facts = {"verdict": {"proven": verdict.proven, "reason": verdict.reason}}
        return facts if verdict.unverified is None else {**facts, "unverified": verdict.unverified}

    def confirm(self, work: Work) -> Facts:
        """The old one is itself again, and well if it was well before; else StepFailed."""
        facts = self._updater.confirm(work)
        if work.facts.get("unhealthy_before"):
            return facts
        verdict = self._watch(work.with_facts(facts), Side.OLD)
        if not verdict.healthy:
            raise StepFailed(
                f"the old version runs again and is {verdict.reason}",
                Cause.UNKNOWN,
                _seen(verdict),
            )
        return facts

    def _watch(self, work: Work, side: Side) -> Verdict:
        """Where we are hurried the new one is given up, and of the old one a look will do."""
        patience = self._updater.patience(work, side)
        given_up: Callable[[], bool] = lambda: False  # noqa: E731  one word
        if side is Side.NEW:
            given_up = self._hurried
        elif self._hurried():
            patience = replace(patience, stable_for_s=0.0)
        return self._health.watch(lambda: self._updater.look(work, side), patience, given_up)


def _seen(verdict: Verdict) -> Facts:
    guilty = {} if verdict.guilty is None else {"member": verdict.guilty}
    return {"checks": verdict.evidence, **guilty}
