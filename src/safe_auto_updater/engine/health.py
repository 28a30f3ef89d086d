"""HealthChecker: watch one side until it has been well for long enough, has failed, or time is up.

Unknown is never healthy: at the deadline an inconclusive check fails the update, cause platform.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckResult, CheckState, Clock, HealthCheck, Subject
from safe_auto_updater.core.updater import Look, Patience

LOOK_EVERY_S = 0.5
_PARTS = {"check": str, "state": CheckState, "detail": str, "cause": Cause, "proves": bool}


@dataclass(frozen=True)
class Verdict:
    """What watching found. `proven` is false where only the process's existence was seen."""

    healthy: bool
    proven: bool
    reason: str
    cause: Cause | None
    results: tuple[CheckResult, ...]
    watched_s: float
    guilty: str | None = None  # whose check decided, where several assets are watched as one
    unverified: str | None = None  # why it is as it was told to be, and nobody can say more

    @property
    def evidence(self) -> list[dict[str, str]]:
        """Which check said what."""
        return [
            {
                "check": _whose(result, self.results),
                "state": result.state.value,
                "detail": result.detail,
            }
            for result in self.results
        ]


class HealthChecker:
    """Judges by the platform's look and by the checks configured for the asset."""

    def __init__(
        self,
        checks_for: Callable[[str], Sequence[tuple[str, HealthCheck]]],
        clock: Clock,
        elsewhere: Callable[[Subject], str | None] = lambda _: None,
    ) -> None:
        self._checks_for = checks_for
        self._clock = clock
        self._elsewhere = elsewhere

    def watch(
        self,
        look: Callable[[], Look],
        patience: Patience,
        given_up: Callable[[], bool] = lambda: False,
    ) -> Verdict:
        """Look until stable for `stable_for_s`, failed, `timeout_s` spent observing, or given up.

        The soak starts anew whenever a look is not well, or meets other processes; the time-out
        whenever a rollout has come further. PlatformUnreachable passes through.
        """
        started = progressed = self._clock.monotonic()
        cap_s = patience.timeout_s if patience.cap_s is None else patience.cap_s
        good_since: float | None = None
        met, furthest = "", 0
        while True:
            seen = look()
            results = seen.results + self._configured(seen)
            now = self._clock.monotonic()
            watched = now - started
            failed = [result for result in results if result.state is CheckState.FAILED]
            if failed:
                return _bad(failed, results, watched, "")
            pending = [result for result in results if result.state is not CheckState.PASSED]
            if seen.progress > furthest:
                furthest, progressed = seen.progress, now
            if pending:
                good_since = None
            elif good_since is None or seen.seen != met:
                good_since = now
            met = seen.seen
            if good_since is not None and now - good_since >= patience.stable_for_s:
                return _good(results, watched, patience, seen.unverified)
            if given_up():
                fact = "the program is to end before it was seen well for long enough"
                return Verdict(False, False, fact, Cause.PLATFORM, results, watched)
            late = now - progressed >= patience.timeout_s or watched >= cap_s
            if pending and late:
                return _bad(pending, results, watched, f" after {watched:.0f} s")
            if watched >= cap_s + 2 * patience.stable_for_s:
                return _bad(list(_restless(results)), results, watched, "")
            self._clock.sleep(LOOK_EVERY_S)

    def _configured(self, seen: Look) -> tuple[CheckResult, ...]:
        if any(result.state is CheckState.FAILED for result in seen.results):
            return ()
        return tuple(
            replace(_ask(name, check, placed), asset=subject.asset)
            for subject in seen.subjects
            if (checks := self._checks_for(subject.asset))
            for placed in [replace(subject, elsewhere=self._elsewhere(subject))]
            for name, check in checks
        )


def _ask(name: str, check: HealthCheck, subject: Subject) -> CheckResult:
    """One configured check, whose own failure is *unknown* and never an exception."""
    try:
        result = check.check(subject)
    except Exception as error:  # a stranger's code: anything may come out of it
        fact = f"the check itself failed: {type(error).__name__}: {error}"
        return CheckResult(name, CheckState.UNKNOWN, fact, Cause.PLATFORM)
    wrong = _wrong_in(result)
    if wrong is not None:
        return CheckResult(name, CheckState.UNKNOWN, f"the check {wrong}", Cause.PLATFORM)
    return result


def _wrong_in(result: object) -> str | None:
    """Why something is no answer of a check: what is journaled must be what it says it is."""
    if not isinstance(result, CheckResult):
        return f"answered {type(result).__name__}, not CheckResult"
    for name, kind in _PARTS.items():
        value = getattr(result, name)
        if not isinstance(value, kind):
            return f"answered with a {name} that is {type(value).__name__}, not {kind.__name__}"
    return None


def _restless(results: tuple[CheckResult, ...]) -> tuple[CheckResult, ...]:
    """Each look was well and met other processes than the one before."""
    fact = "it is well at each look, and never the same for long enough: it starts again and again"
    return (replace(results[-1], state=CheckState.FAILED, detail=fact),)


def _good(
    results: tuple[CheckResult, ...], watched_s: float, patience: Patience, unverified: str | None
) -> Verdict:
    if unverified is not None:
        return Verdict(True, False, unverified, None, results, watched_s, unverified=unverified)
    proven = any(result.proves for result in results)
    reason = f"stable for {patience.stable_for_s:g} s"
    if patience.stable_for_s <= 0 and results:
        reason = f"{results[0].check}: {results[0].detail}"
    if not proven:
        reason += ", not proven healthy: it has no health check"
    return Verdict(True, proven, reason, None, results, watched_s)


def _bad(
    guilty: list[CheckResult], results: tuple[CheckResult, ...], watched_s: float, when: str
) -> Verdict:
    known = [result for result in guilty if result.state is not CheckState.UNKNOWN]
    worst = (known or guilty)[0]
    cause = worst.cause if known else Cause.PLATFORM
    word = "not healthy" if known else "health unknown"
    reason = f"{word}{when}: {_whose(worst, results)}: {worst.detail}"
    return Verdict(False, False, reason, cause, results, watched_s, worst.asset)


def _whose(result: CheckResult, results: tuple[CheckResult, ...]) -> str:
    """The check's name, with the asset's before it where several are watched as one."""
    several = len({one.asset for one in results if one.asset is not None}) > 1
    return (
        f"{short_name(result.asset)}: {result.check}" if several and result.asset else result.check
    )
