"""Asking Watchtower, and waiting for it: busy, slow, cut off or gone."""

from __future__ import annotations

from collections.abc import Callable

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable, StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.core.updater import Work
from safe_auto_updater.platforms.docker.watchtower.api import (
    Answer,
    Busy,
    Done,
    Line,
    NoAnswer,
    Selection,
    Unclear,
    WatchtowerApi,
)

IDLE_S = 120.0  # for one question whether it is at work
QUIET_S = 240.0  # before the engine and it are looked at again
AGAIN_S = 1.0  # between a question that was cut off and the next


class Asking:
    """One Watchtower, with the patience that is configured for it."""

    def __init__(
        self, api: WatchtowerApi | None, clock: Clock, tell: Callable[[Work, str], None]
    ) -> None:
        self._configured = api
        self._clock = clock
        self._tell = tell

    def until_idle(self, work: Work) -> Done:
        """Wait until it works on nothing. StepFailed where it is not there, or refuses."""
        return self._idle(work, self._api.timeout_s)

    def for_update(self, work: Work, selection: Selection) -> Done | None:
        """Ask once for an update and wait for its end; None where it cannot say how it went."""
        until = self._clock.monotonic() + self._api.timeout_s
        while True:
            match _answer(lambda: self._api.update(selection, self._left_s(until))):
                case Done() as done:
                    return done
                case Busy(again_s):
                    self._pause(work, again_s, until)
                case Unclear(fact):
                    self._tell(work, f"Watchtower: {fact}; looking at what it did")
                    self.until_quiet(work)
                    return None

    def until_quiet(self, work: Work) -> tuple[str, ...]:
        """Wait until nothing that was asked for is under way any more; a warning if unsure.

        PlatformUnreachable where it is still at work after all patience: what it is about to do
        cannot be undone yet. One that is gone does nothing any more.
        """
        try:
            self._idle(work, QUIET_S)
        except StepFailed as error:
            if error.evidence.get("busy"):
                raise PlatformUnreachable(str(error)) from error
            return (f"gone back without knowing whether Watchtower is at work: {error}",)
        return ()

    @staticmethod
    def known(work: Work) -> Done:
        """What it said of itself in PREPARE."""
        said = work.facts["watchtower"]
        return Done(Line(said["line"]), by_name=said["by_name"])

    @property
    def _api(self) -> WatchtowerApi:
        if self._configured is None:
            raise StepFailed("execution.watchtower is not configured any more", Cause.PLATFORM)
        return self._configured

    def _idle(self, work: Work, patience_s: float) -> Done:
        until = self._clock.monotonic() + patience_s
        while True:
            match _answer(lambda: self._api.idle(min(IDLE_S, self._left_s(until)))):
                case Done() as done:
                    return done
                case Busy(again_s):
                    self._pause(work, again_s, until)
                case Unclear():
                    self._pause(work, AGAIN_S, until)

    def _pause(self, work: Work, pause_s: float, until: float) -> None:
        left_s = self._left_s(until)
        if left_s <= AGAIN_S:
            fact = (
                f"Watchtower at {self._api.url} is busy and stays so; look at its log, or raise "
                "execution.watchtower.timeout"
            )
            raise StepFailed(fact, Cause.PLATFORM, {"busy": True})
        self._tell(work, "Watchtower is busy; waiting for it")
        self._clock.sleep(min(pause_s, left_s))

    def _left_s(self, until: float) -> float:
        return max(until - self._clock.monotonic(), AGAIN_S)


def _answer(ask: Callable[[], Answer]) -> Answer:
    """What it says, if it does; StepFailed where nobody is there, or it refuses."""
    try:
        return ask()
    except NoAnswer as error:
        if not error.heard:
            raise StepFailed(str(error), Cause.PLATFORM) from error
        return Unclear(str(error))
    except PlatformError as error:
        raise StepFailed(str(error), Cause.PLATFORM) from error
