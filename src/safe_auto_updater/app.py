"""The program, wired for one run: from configuration and state folder to what can do things."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from safe_auto_updater import plugins
from safe_auto_updater.config import Config
from safe_auto_updater.core.case import FileEdit
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.events import Emit, Event
from safe_auto_updater.core.model import Asset, Change, Step
from safe_auto_updater.core.phases import Phase
from safe_auto_updater.core.ports import Clock, Foreseen, Scanner
from safe_auto_updater.core.spelling import ComposeChange
from safe_auto_updater.core.updater import Work
from safe_auto_updater.engine.cycle import Cycle, Detector
from safe_auto_updater.engine.decisions import Decisions
from safe_auto_updater.engine.evaluation import Evaluation
from safe_auto_updater.engine.executor import UpdateExecutor
from safe_auto_updater.engine.health import HealthChecker
from safe_auto_updater.engine.in_time import ScannerInTime
from safe_auto_updater.engine.incidents import Incidents
from safe_auto_updater.engine.journal import Journal, Record
from safe_auto_updater.engine.past import Past
from safe_auto_updater.engine.policies import PluginPolicies
from safe_auto_updater.engine.recovery import Recovery
from safe_auto_updater.engine.state import open_state
from safe_auto_updater.engine.telling import Telling
from safe_auto_updater.notify.dispatch import Notifications
from safe_auto_updater.platforms.registry.observed import Observe, by_nobody
from safe_auto_updater.wiring.docker import Docker
from safe_auto_updater.wiring.driver import Driver
from safe_auto_updater.wiring.helm import Helm
from safe_auto_updater.wiring.judges import Judges, prometheus
from safe_auto_updater.wiring.kubernetes import Kubernetes
from safe_auto_updater.wiring.notices import notifications
from safe_auto_updater.wiring.once import once
from safe_auto_updater.wiring.registries import Registries

if TYPE_CHECKING:
    from safe_auto_updater.platforms.charts.sources import ChartSources

NOTICES_S = 30.0  # how long leaving waits for notices to be delivered


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class App:
    """Everything, wired for one run. Use as a context manager: leaving it delivers the notices.

    `listeners` get each event, `observe` each question that goes to a registry.
    `hurried` says whether the program is to end soon; `leaving` is told right before it asks an
    engine for its own end. Without `notices` what the configuration says of notifications is some
    listener's to do.
    """

    def __init__(
        self,
        config: Config,
        state: Path,
        environ: Mapping[str, str],
        listeners: Sequence[Emit],
        clock: Clock | None = None,
        observe: Observe = by_nobody,
        hurried: Callable[[], bool] = lambda: False,
        leaving: Callable[[], None] = lambda: None,
        notices: bool = True,
    ) -> None:
        self.state, self.settings = state, config.settings()
        self.clock = clock or SystemClock()
        self._closing = ExitStack()
        self._listeners = list(listeners)
        self._notifications: list[Notifications] = []
        self._hurried = hurried
        if notices:
            self._tell_by(notifications(config, self.clock, self._problem))
        connection = open_state(state)
        self._closing.callback(connection.close)
        self.journal = Journal(connection, self.clock.now)
        self.decisions = Decisions(connection, self.clock.now)
        registries = Registries(config, state, self.clock, self._closing, observe)
        self.registry = registries.client
        self.docker = Docker(config, environ, state, registries, self.clock, self.emit, leaving)
        self._closing.callback(self.docker.close)
        self._edits = self.docker.planned_edits()
        self.kubernetes = Kubernetes(config, environ, registries, self.clock)
        self._tell_by(Notifications(self.kubernetes.handlers(), self._problem, self.clock))
        self.charts = once(
            lambda: _chart_sources(config, environ, registries, self.clock, self._closing)
        )
        self.helm = Helm(config, self.kubernetes, self.charts, self.journal.get, self.clock)
        self._drivers: dict[str, Driver] = {
            "kubernetes": self.kubernetes,
            "helm": self.helm,
        }
        self._judges = Judges(
            self.settings, self.docker.engine, self.kubernetes.cluster, self.clock.monotonic
        )
        self.telling = Telling(self.decisions, self.clock, self.emit)
        scanners = self._scanners()
        self._recovery = Recovery(
            self.journal, self._executor_for, self.telling, alone=len(scanners) == 1
        )
        self.cycle = Cycle(
            scanners,
            self.settings,
            lambda memory: Past(connection, memory.denied, memory.left, self.clock.now),
            self._detector_for,
            Evaluation(
                lambda asset: self._driver(asset).comparer(asset),
                lambda asset: self._driver(asset).analyzer(),
                PluginPolicies(self._judges.policies_for),
                self._planned_edit,
                self._foreseen,
            ),
            Incidents(self.settings.blocks, prometheus),
            self._executor_for,
            self.journal,
            self.decisions,
            self.clock,
            self.telling,
            lambda: secrets.token_hex(4),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.close()

    def emit(self, event: Event) -> None:
        """Hand an event to the log, to whoever shows progress, and to the notifications."""
        for listener in self._listeners:
            with suppress(Exception):  # a terminal that is gone must not stop the way back
                listener(event)
        for told in self._notifications:
            told(event)

    def recover(self, stopping: Callable[[], bool], wait: bool = True) -> tuple[Record, ...]:
        """Finish or undo what was interrupted; what the engine staged too late goes too.

        Without `wait` an engine that does not answer keeps no other waiting.
        """
        recovered = self._recovery.run(stopping, wait)
        self.remove_latecomers()
        return recovered

    def remove_latecomers(self) -> None:
        """What engines made for updates that had been aborted by then."""
        self.docker.remove_latecomers(self.journal.history())

    def adopt(self, asset: str) -> None:
        """Make another client's broken-off work on a release an update of ours, to be recovered.

        UsageError where it is none, where that client may still be at work, or where it is held.
        """
        if any(asset in record.step.assets for record in self.journal.unfinished()):
            return
        if not asset.startswith("helm:"):
            raise UsageError(f"{asset}: only what others left of a Helm release can be named here")
        held = self.cycle.in_the_way(asset, but="pending")
        if held is not None:
            raise UsageError(f"{asset}: {held}")
        step, facts = self.helm.abandoned(asset, self.clock.now())
        update = secrets.token_hex(4)
        self.journal.begin(update, step)
        self.journal.enter(update, Phase.APPLY, facts)

    def sweep(self) -> list[str]:
        """Remove the images that the retention rule lets go; the references that went."""
        return self.docker.sweep(self.journal.history())

    def _tell_by(self, notifications: Notifications) -> None:
        """Each tells in a thread of its own: who is slow keeps no other waiting."""
        self._notifications.append(notifications)
        self._closing.callback(notifications.close, NOTICES_S)

    def _scanners(self) -> list[Scanner]:
        theirs = [
            ScannerInTime(plugins.LazyScanner(name)) for name in plugins.known(plugins.SCANNERS)
        ]
        return [*self.docker.scanners(), *self.kubernetes.scanners(), *theirs]

    def _driver(self, asset: str) -> Driver:
        return self._drivers.get(asset.partition(":")[0], self.docker)

    def _planned_edit(self, asset: Asset, change: Change, rule: ComposeChange) -> FileEdit | None:
        """Only containers are made from Compose files."""
        return None if asset.is_declared else self._edits(asset, change, rule)

    def _detector_for(self, asset: str, past: Past) -> Detector:
        return self._driver(asset).detector(asset, past)

    def _foreseen(self, asset: Asset, changes: tuple[Change, ...]) -> Foreseen:
        """Only a cluster can be asked what it would make of a change."""
        if asset.platform != "kubernetes":
            return Foreseen()
        return self.kubernetes.foreseen(asset, changes)

    def _executor_for(self, step: Step) -> UpdateExecutor:
        driver = self._driver(step.asset)
        health = HealthChecker(self._judges.checks_for, self.clock, driver.elsewhere)
        return UpdateExecutor(
            self.journal,
            driver.updater(step, health),
            health,
            self.clock,
            self.emit,
            self._refusal,
            self._hurried,
        )

    def _refusal(self, work: Work) -> str | None:
        """Why an update may not go on, asked right before anything visible changes."""
        no = self._driver(work.step.asset).not_permitted(work.step)
        return no or self.cycle.refusal(work.step, work.update)

    def _problem(self, text: str) -> None:
        self.emit(Event("warning", text, self.clock.now()))


def _chart_sources(
    config: Config,
    environ: Mapping[str, str],
    registries: Registries,
    clock: Clock,
    closing: ExitStack,
) -> ChartSources:
    from safe_auto_updater.wiring.charts import chart_sources  # here: most hosts run no charts

    return chart_sources(config, environ, registries, clock, closing)


def default_state(environ: Mapping[str, str]) -> Path:
    """Where state is kept when nobody says: /var/lib for root, else the user's state folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/safe-auto-updater")
    base = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return Path(base) / "safe-auto-updater"
