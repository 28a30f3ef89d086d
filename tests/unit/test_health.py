"""HealthChecker: what it takes to be called healthy, and when it stops waiting."""

from __future__ import annotations

import json
from typing import Any

import pytest

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckResult, CheckState, HealthCheck, Subject
from safe_auto_updater.core.updater import Look, Patience
from safe_auto_updater.engine.health import HealthChecker, Verdict
from tests.clock import FakeClock

PATIENCE = Patience(timeout_s=10.0, stable_for_s=3.0)
SUBJECT = Subject("docker:local/web", "web")


def watch(
    states: str, patience: Patience = PATIENCE, checks: tuple[tuple[str, HealthCheck], ...] = ()
) -> Verdict:
    """Watch looks spelled by a letter each, half a second apart; the last one lasts."""
    looks = iter(states)
    last = states[-1]
    words = {
        "p": CheckState.PASSED, "w": CheckState.FAILING, "f": CheckState.FAILED,
        "u": CheckState.UNKNOWN,
    }  # fmt: skip

    def look() -> Look:
        return Look((CheckResult("own", words[next(looks, last)], "said"),), (SUBJECT,))

    return HealthChecker(lambda asset: checks, FakeClock()).watch(look, patience)


# looks, healthy, seconds watched, cause
CASES = [
    ("p", True, 3.0, None),
    ("wwp", True, 4.0, None),
    ("ppwp", True, 4.5, None),  # the soak starts anew
    ("f", False, 0.0, Cause.IMAGE),
    ("pppf", False, 1.5, Cause.IMAGE),  # ready, then crashing within the soak
    ("w", False, 10.0, Cause.IMAGE),
    ("pw" * 40, False, 10.5, Cause.IMAGE),  # flaps for ever: the deadline fires
    ("u", False, 10.0, Cause.PLATFORM),  # inconclusive is never success
    ("up", True, 3.5, None),
]


@pytest.mark.parametrize(("states", "healthy", "seconds", "cause"), CASES)
def test_verdict(states: str, healthy: bool, seconds: float, cause: Cause | None) -> None:
    verdict = watch(states)
    assert (verdict.healthy, verdict.watched_s, verdict.cause) == (healthy, seconds, cause)


def test_slow_start_within_the_deadline_is_not_failed() -> None:
    assert watch("w" * 19 + "p").healthy


def rollout(*looks: tuple[str, str, int], cap_s: float | None = None) -> Verdict:
    """Watch looks of a letter, what was seen, and how far it had come; the last one lasts."""
    coming = iter(looks)
    words = {"p": CheckState.PASSED, "w": CheckState.FAILING}

    def look() -> Look:
        state, seen, progress = next(coming, looks[-1])
        results = (CheckResult("own", words[state], "said"),)
        return Look(results, (SUBJECT,), seen=seen, progress=progress)

    patience = Patience(timeout_s=10.0, stable_for_s=3.0, cap_s=cap_s)
    return HealthChecker(lambda asset: (), FakeClock()).watch(look, patience)


def test_process_that_is_another_one_is_watched_anew() -> None:
    verdict = rollout(*[("p", "a", 1)] * 5, ("p", "b", 1))
    assert (verdict.healthy, verdict.watched_s) == (True, 5.5)


def test_process_that_is_never_the_same_is_not_well() -> None:
    verdict = rollout(*[("p", str(number), 1) for number in range(100)])
    assert (verdict.healthy, verdict.cause) == (False, Cause.IMAGE)
    assert "starts again and again" in verdict.reason


def test_rollout_that_goes_on_is_waited_for_up_to_the_cap() -> None:
    slow = [("w", "", number // 18) for number in range(200)]  # one step further each 9 s
    assert rollout(*slow[:90], ("p", "a", 9), cap_s=60.0).healthy
    stopped = rollout(*slow, cap_s=60.0)
    assert (stopped.healthy, stopped.watched_s) == (False, 60.0)
    stalled = rollout(*slow[:30], ("w", "", 1), cap_s=60.0)
    assert (stalled.healthy, stalled.watched_s) == (False, 19.0)


class Says:
    def __init__(self, answer: object) -> None:
        self.answer = answer

    def check(self, subject: Subject) -> CheckResult:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]


@pytest.mark.parametrize("answer", [RuntimeError("boom"), None, "healthy"])
def test_check_that_breaks_is_unknown_and_named(answer: object) -> None:
    verdict = watch("p", checks=(("mine", Says(answer)),))
    assert (verdict.healthy, verdict.cause) == (False, Cause.PLATFORM)
    assert "mine" in verdict.reason


def test_verdict_says_which_check_said_what() -> None:
    bad = CheckResult("http", CheckState.FAILING, "503")
    verdict = watch("p", checks=(("http", Says(bad)),))
    assert verdict.evidence == [
        {"check": "own", "state": "passed", "detail": "said"},
        {"check": "http", "state": "failing", "detail": "503"},
    ]
    assert "http: 503" in verdict.reason


@pytest.mark.parametrize(
    ("part", "value"),
    [("detail", OSError("gone")), ("check", None), ("state", "passed"), ("cause", "image"),
     ("proves", None)],
)  # fmt: skip
def test_answer_with_a_part_of_another_kind_is_unknown_and_can_be_told(
    part: str, value: object
) -> None:
    parts: dict[str, Any] = {"check": "mine", "state": CheckState.FAILED, "detail": "", part: value}
    verdict = watch("p", checks=(("mine", Says(CheckResult(**parts))),))
    assert (verdict.healthy, verdict.cause) == (False, Cause.PLATFORM)
    assert f"answered with a {part} that is {type(value).__name__}" in verdict.reason
    assert json.loads(json.dumps(verdict.evidence)) == verdict.evidence


def test_checks_are_told_what_addresses_mean_from_here() -> None:
    seen = []

    class Sees:
        def check(self, subject: Subject) -> CheckResult:
            seen.append(subject.elsewhere)
            return CheckResult("sees", CheckState.PASSED)

    def look() -> Look:
        return Look((), (SUBJECT,))

    checker = HealthChecker(
        lambda _: [("sees", Sees())], FakeClock(), lambda one: f"not {one.asset}"
    )
    assert checker.watch(look, PATIENCE).healthy
    assert set(seen) == {"not docker:local/web"}


def test_existence_alone_is_not_proof() -> None:
    seen = CheckResult("running", CheckState.PASSED, "running", proves=False)

    def look() -> Look:
        return Look((seen,), (SUBJECT,))

    verdict = HealthChecker(lambda asset: (), FakeClock()).watch(look, PATIENCE)
    assert verdict.healthy
    assert not verdict.proven
    assert "not proven healthy" in verdict.reason
