"""Listens to sources that tell of their changes, each line in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from random import SystemRandom

from safe_auto_updater.core.errors import PlatformError, SafeAutoUpdaterError
from safe_auto_updater.core.heard import Heard
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.core.watches import Line, Watch

AGAIN_S, AGAIN_MOST_S = 1.0, 60.0  # from a line that broke to the next, twice as long each time
STOOD_S = 30.0  # a line that stood for as long has come to its end, or shows that it can stand
SURE = 3  # refusals in a row: a server that has just begun does not know yet who may what
_PATIENCE = (408, 429)  # of HTTP: later, not never
_LEAVE_S = 2.0  # for all lines to end


class Lookout:
    """Hears of changes until it is ended. No line keeps another waiting, and none its owner.

    `warn` gets one sentence, from a thread, for each source that refuses to be watched, which is
    left alone from then on, and for each line that fails as none should. What does not answer is
    told by those who scan it.
    """

    def __init__(self, watches: Sequence[Watch], clock: Clock, warn: Callable[[str], None]) -> None:
        self.sources = tuple(dict.fromkeys(watch.source for watch in watches))
        self._clock = clock
        self._warn = warn
        self._lock = threading.Lock()
        self._heard: Heard | None = None
        self._ended = threading.Event()
        self._refused: set[str] = set()
        self._lines: dict[Watch, Line] = {}
        self._threads = [
            threading.Thread(
                target=self._run, args=(watch,), name=f"watches {watch.source}", daemon=True
            )
            for watch in watches
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Hear no more. One that hangs in a connection is left to end by itself."""
        self._ended.set()
        with self._lock:
            lines = list(self._lines.values())
        for line in lines:
            line.end()
        until = self._clock.monotonic() + _LEAVE_S
        for thread in self._threads:
            thread.join(max(0.0, until - self._clock.monotonic()))

    def watched(self) -> dict[str, bool]:
        """Each source, and whether it lets itself be watched."""
        return {source: source not in self._refused for source in self.sources}

    def due(self) -> frozenset[str]:
        """The sources to look at, once it is time to; told once."""
        with self._lock:
            if self._heard is None or self._clock.monotonic() < self._heard.due:
                return frozenset()
            sources, self._heard = self._heard.sources, None
        return sources

    def forget(self) -> None:
        """Everything is looked at from now on: what was heard up to now is no reason any more."""
        with self._lock:
            self._heard = None

    def _run(self, watch: Watch) -> None:
        try:
            self._listen(watch)
        finally:
            watch.close()

    def _listen(self, watch: Watch) -> None:
        pause, refusals, odd = AGAIN_S, 0, False
        while not self._is_over(watch):
            began = self._clock.monotonic()
            try:
                if not self._followed(watch):
                    return
                refusals, broke = 0, False
            except SafeAutoUpdaterError as error:
                refusals, broke = (refusals + 1 if _refuses(error) else 0), True
                if refusals == SURE:
                    self._leave(watch.source, error)
            except Exception as error:  # whatever it is: a thread that died would hear nothing
                refusals, broke = 0, True
                if not odd and not self._is_over(watch):
                    fact = f"{type(error).__name__}: {error}"
                    self._warn(f"{watch.source} is watched anew, again and again: {fact}")
                odd = True
            stood = self._clock.monotonic() - began >= STOOD_S
            pause = AGAIN_S if stood else pause
            if broke or not stood:
                self._ended.wait(pause * (0.5 + SystemRandom().random()))
                pause = min(2 * pause, AGAIN_MOST_S)

    def _followed(self, watch: Watch) -> bool:
        """Follow one line to its end; whether there was one."""
        line = watch.open()
        if line is None:
            return False
        try:
            with self._lock:
                self._lines[watch] = line
            if self._is_over(watch):
                return False
            if line.missed:
                self._hear(watch.source)
            for _ in line.changes():
                self._hear(watch.source)
        finally:
            with self._lock:
                del self._lines[watch]
            line.close()
        return True

    def _hear(self, source: str) -> None:
        now = self._clock.monotonic()
        with self._lock:
            heard = self._heard or Heard(frozenset(), now, now)
            self._heard = heard.also(source, now)

    def _is_over(self, watch: Watch) -> bool:
        return self._ended.is_set() or watch.source in self._refused

    def _leave(self, source: str, error: Exception) -> None:
        """A source that is not told of whole is not watched: half of it would be no news."""
        with self._lock:
            if source in self._refused or self._ended.is_set():
                return
            self._refused.add(source)
            lines = [line for watch, line in self._lines.items() if watch.source == source]
        for line in lines:
            line.end()
        self._warn(f"{source} is not watched, its changes are seen by the schedule alone: {error}")


def _refuses(error: Exception) -> bool:
    """Whether asking again is in vain until somebody changes something."""
    status = error.status if isinstance(error, PlatformError) else None
    return status is not None and 400 <= status < 500 and status not in _PATIENCE
