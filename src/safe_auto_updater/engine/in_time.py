"""Asking strangers' code: one that hangs is left to itself, and not asked again meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from safe_auto_updater.core.errors import PluginError
from safe_auto_updater.core.ports import CheckResult, HealthCheck, Scan, Scanner, Subject

DEADLINE_S = 60.0

T = TypeVar("T")


class Silent(PluginError):
    """No answer in time."""


class InTime:
    """Asks one stranger. Thread-safe."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._hanging: threading.Thread | None = None

    def ask(self, question: Callable[[], T]) -> T:
        """Its answer, or the exception that it raised. Silent where none comes in time."""
        hanging = self._hanging
        if hanging is not None and hanging.is_alive():
            raise Silent("has still not answered the last question; ask its author")
        answer: Future[T] = Future()
        # A daemon: one that hangs must not keep the program from ending.
        thread = threading.Thread(target=_answer, args=(question, answer), daemon=True)
        thread.start()
        try:
            return answer.result(self._deadline_s)
        except TimeoutError:
            if answer.done():
                raise  # its own
            self._hanging = thread
            fact = f"gave no answer within {self._deadline_s:g} s; ask its author"
            raise Silent(fact) from None


class ScannerInTime:
    """A scanner of a plugin."""

    def __init__(self, scanner: Scanner, deadline_s: float = DEADLINE_S) -> None:
        self.name = scanner.name
        self._scanner = scanner
        self._in_time = InTime(deadline_s)

    def scan(self) -> Scan:
        """What it sees. Raises what it raises, and Silent."""
        return self._in_time.ask(self._scanner.scan)


class CheckInTime:
    """A health check of a plugin."""

    def __init__(self, check: HealthCheck, deadline_s: float = DEADLINE_S) -> None:
        self._check = check
        self._in_time = InTime(deadline_s)

    def check(self, subject: Subject) -> CheckResult:
        """One look. Raises what it raises, and Silent."""
        return self._in_time.ask(lambda: self._check.check(subject))


def _answer(question: Callable[[], T], answer: Future[T]) -> None:
    try:
        answer.set_result(question())
    except Exception as error:
        answer.set_exception(error)
    except BaseException as error:  # a stranger's code must not end the program either
        answer.set_exception(PluginError(f"{type(error).__name__}: {error}"))
