"""Strangers' code that hangs: nobody waits for it for ever, and it is not asked again meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from safe_auto_updater.core.errors import PluginError
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.ports import CheckResult, CheckState, Scan, Subject
from safe_auto_updater.core.updater import Look, Patience
from safe_auto_updater.engine.health import HealthChecker
from safe_auto_updater.engine.in_time import CheckInTime, InTime, ScannerInTime, Silent
from safe_auto_updater.engine.inventory import take_inventory
from tests.clock import FakeClock

SUBJECT = Subject("docker:local/web", "web")


class Hangs:
    """A scanner and a check that answer once they are let go."""

    name = "plugin slow"

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = 0

    def check(self, subject: Subject) -> CheckResult:
        self._wait()
        return CheckResult("slow", CheckState.PASSED)

    def scan(self) -> Scan:
        self._wait()
        return Scan(())

    def _wait(self) -> None:
        self.asked += 1
        self.go.wait(60)


def test_update_whose_check_hangs_is_not_well_when_its_time_is_up() -> None:
    slow = Hangs()
    check = CheckInTime(slow, 0.02)
    running = CheckResult("running", CheckState.PASSED)
    checker = HealthChecker(lambda _: [("slow", check)], FakeClock())
    verdict = checker.watch(lambda: Look((running,), (SUBJECT,)), Patience(10.0, 3.0))
    slow.go.set()
    assert not verdict.healthy
    assert "health unknown after 10 s: slow: " in verdict.reason
    assert "has still not answered the last question" in verdict.reason
    assert slow.asked == 1


def test_source_whose_scanner_hangs_could_not_be_seen() -> None:
    slow = Hangs()
    (failure,) = take_inventory([ScannerInTime(slow, 0.02)], Settings()).failures
    slow.go.set()
    assert failure[0] == "plugin slow"
    assert "gave no answer within 0.02 s" in failure[1]


def test_one_that_has_answered_at_last_is_asked_again() -> None:
    slow, in_time = Hangs(), InTime(0.02)
    with pytest.raises(Silent):
        in_time.ask(slow.scan)
    slow.go.set()
    for thread in threading.enumerate():
        if thread.daemon and "_answer" in thread.name:
            thread.join(10)
    assert in_time.ask(slow.scan) == Scan(())


def raising(error: BaseException) -> Callable[[], None]:
    def ask() -> None:
        raise error

    return ask


@pytest.mark.parametrize("error", [TimeoutError("its own"), PluginError("bad"), ValueError("x")])
def test_what_it_raises_comes_out(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        InTime(5).ask(raising(error))
    assert caught.value is error


def test_it_cannot_end_the_program() -> None:
    with pytest.raises(PluginError, match="SystemExit: 3"):
        InTime(5).ask(raising(SystemExit(3)))
