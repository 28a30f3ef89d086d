"""What outlives a cycle: the configuration that holds, who is told, and what is counted."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from safe_auto_updater.app import NOTICES_S, App
from safe_auto_updater.config import Config
from safe_auto_updater.core.events import Emit, Event
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.core.watches import Watch
from safe_auto_updater.metrics import Metrics
from safe_auto_updater.service.signals import Signals
from safe_auto_updater.service.timetable import Cron, Every, Timetable
from safe_auto_updater.wiring.notices import notifications


class Wired:
    """Makes the program of each cycle. `load` reads the configuration: it raises ConfigError."""

    def __init__(
        self,
        folder: Path,
        load: Callable[[], Config],
        environ: Mapping[str, str],
        log: Emit,
        signals: Signals,
        clock: Clock,
    ) -> None:
        self.folder = folder
        self.signals = signals
        self.clock = clock
        self.metrics = Metrics()
        self._load = load
        self._environ = environ
        self._log = log
        self.config = load()
        self._notices = notifications(self.config, clock, self._problem)

    def reload(self) -> None:
        """Go by the file as it is now. ConfigError: all stays as it was."""
        config = self._load()
        self._notices.close(NOTICES_S)
        self.config = config
        self._notices = notifications(config, self.clock, self._problem)

    def close(self) -> None:
        """Deliver what waits."""
        self._notices.close(NOTICES_S)

    def app(self) -> App:
        """The program as the configuration is now, for one cycle."""
        return App(
            self.config,
            self.folder,
            self._environ,
            [self._log, self.metrics, self._notices],
            self.clock,
            observe=self.metrics.asked,
            hurried=self._hurried,
            leaving=self.signals.leave,
            notices=False,
        )

    def watches(self) -> tuple[Watch, ...]:
        """What hears of changes between cycles; none where nobody wants that."""
        if not self.config.service.watch:
            return ()
        from safe_auto_updater.wiring.watches import watches  # here: most services have none

        return watches(self.config, self._environ)

    def timetable(self) -> Timetable:
        """When cycles begin."""
        service = self.config.service
        if service.schedule is not None:
            return Cron(*service.schedule)
        return Every(service.interval_s, random.SystemRandom().random)

    def tell(self, kind: str, text: str, **details: object) -> None:
        """What the service itself has to say."""
        event = Event(kind, text, self.clock.now(), details=details)
        for listener in (self._log, self.metrics, self._notices):
            with suppress(Exception):  # a terminal that is gone must not end the service
                listener(event)

    def _hurried(self) -> bool:
        signals = self.signals
        return signals.stopping() and signals.stopping_for() >= self.config.service.stop_grace_s

    def _problem(self, text: str) -> None:
        self._log(Event("warning", text, self.clock.now()))
