"""What others tell the service: SIGTERM and SIGINT to end, SIGHUP to read its file anew."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_END = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Remembers what was asked, and wakes whoever rests."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._stop_since: float | None = None
        self._reload = False
        self._leaving = False
        self._woken = threading.Event()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals; the old handlers come back afterwards."""
        numbers = (*_END, signal.SIGHUP)
        kept = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    def end(self) -> None:
        """Have it end, as SIGTERM does."""
        if self._stop_since is None:
            self._stop_since = self._monotonic()
        self._woken.set()

    def stopping(self) -> bool:
        """Whether to begin nothing more."""
        return self._stop_since is not None

    def stopping_for(self) -> float:
        """Seconds since the service was asked to end; 0 where it was not."""
        return 0.0 if self._stop_since is None else self._monotonic() - self._stop_since

    def leave(self) -> None:
        """From now on the signal to end ends the program at once: its successor does the rest."""
        self._leaving = True

    def wants_reload(self) -> bool:
        """Whether the configuration is to be read anew; asked once per signal."""
        wanted, self._reload = self._reload, False
        return wanted

    def rest(self, seconds: float) -> None:
        """Wait, at most until the next signal."""
        self._woken.wait(seconds)
        self._woken.clear()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._leaving and number in _END:
            os._exit(0)  # whoever asked the engine for our end waits for it, in whichever thread
        if number == signal.SIGHUP:
            self._reload = True
            self._woken.set()
        else:
            self.end()
