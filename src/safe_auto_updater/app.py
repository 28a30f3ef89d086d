"""The only wiring: from configuration and state folder to a program that can do things."""

from __future__ import annotations

import os
import random
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from safe_auto_updater import plugins
from safe_auto_updater.config import Config
from safe_auto_updater.config.contexts import Address
from safe_auto_updater.core.diff import DiffAnalyzer
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.events import Emit, Event
from safe_auto_updater.core.model import Step, matches
from safe_auto_updater.core.policy import CheckSpec
from safe_auto_updater.core.ports import (
    Clock,
    Comparer,
    HealthCheck,
    Notifier,
    Policy,
    Scanner,
    Updater,
    Work,
)
from safe_auto_updater.core.semver import SemVerEvaluator
from safe_auto_updater.engine.answers import Answers, open_answers
from safe_auto_updater.engine.cycle import Cycle
from safe_auto_updater.engine.decisions import Decisions
from safe_auto_updater.engine.detection import ChangeDetector
from safe_auto_updater.engine.evaluation import Evaluation
from safe_auto_updater.engine.executor import UpdateExecutor
from safe_auto_updater.engine.health import HealthChecker
from safe_auto_updater.engine.journal import Journal, Record
from safe_auto_updater.engine.past import Past
from safe_auto_updater.engine.policies import PluginPolicies
from safe_auto_updater.engine.state import open_state
from safe_auto_updater.engine.unit import Unit
from safe_auto_updater.notify.dispatch import DEFAULT_EVENTS, Handler, Notifications
from safe_auto_updater.platforms.docker import api
from safe_auto_updater.platforms.docker.command_check import CommandCheck
from safe_auto_updater.platforms.docker.compose.command import ComposeCommand
from safe_auto_updater.platforms.docker.compose.file import ComposeFile
from safe_auto_updater.platforms.docker.compose.planned import PlannedEdits
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.dialling import Tls
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.images import Images, auth_header
from safe_auto_updater.platforms.docker.latecomers import remove_latecomers
from safe_auto_updater.platforms.docker.own import Own
from safe_auto_updater.platforms.docker.restarter import Restarter
from safe_auto_updater.platforms.docker.retention import expired, sweep
from safe_auto_updater.platforms.docker.scanner import DockerScanner
from safe_auto_updater.platforms.docker.self_id import own_container_id
from safe_auto_updater.platforms.docker.swarm.services import Services
from safe_auto_updater.platforms.docker.swarm.updater import SwarmUpdater
from safe_auto_updater.platforms.docker.takeover import Takeover
from safe_auto_updater.platforms.docker.trees import DockerComparer
from safe_auto_updater.platforms.docker.updater import DockerUpdater
from safe_auto_updater.platforms.docker.watchtower.api import WatchtowerApi
from safe_auto_updater.platforms.docker.watchtower.asking import Asking
from safe_auto_updater.platforms.docker.watchtower.updater import WatchtowerUpdater
from safe_auto_updater.platforms.probes.tcp import TcpCheck
from safe_auto_updater.platforms.registry import (
    Credentials,
    HostSettings,
    ImageLookup,
    Platform,
    RegistryClient,
)
from safe_auto_updater.platforms.registry.credentials import IdentityToken, Password

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
    """Everything, wired for one run. Use as a context manager: leaving it delivers the notices."""

    def __init__(
        self,
        config: Config,
        state: Path,
        environ: Mapping[str, str],
        listeners: Sequence[Emit],
        clock: Clock | None = None,
    ) -> None:
        self.config, self.state = config, state
        self.settings = config.settings()
        self.clock = clock or SystemClock()
        self._own = Own(own_container_id(), state.absolute())
        self._closing = ExitStack()
        self._listeners = list(listeners)
        self._notifications = self._handlers()
        connection = open_state(state)
        self._closing.callback(connection.close)
        self.journal = Journal(connection, self.clock.now)
        self.decisions = Decisions(connection, self.clock.now)
        self.registry = self._registry()
        self.engines = engines_of(config, environ)
        self._allowed: dict[str, set[api.For]] = defaultdict(set)  # what engines let through
        self._checks = [(s.pattern, s.kind, self._check(s)) for s in self.settings.checks]
        self._policies = [
            (s.pattern, s.kind, plugins.load_or_broken(plugins.POLICIES, s.kind, s.options))
            for s in self.settings.policies
        ]
        self._compose = ComposeFile(ComposeCommand(environ), state / "compose")
        self.cycle = Cycle(
            self._scanners(),
            self.settings,
            lambda memory: Past(connection, memory.denied, memory.left, self.clock.now),
            self._detector_for,
            Evaluation(
                self._comparer_for,
                DiffAnalyzer(),
                PluginPolicies(self._policies_for),
                PlannedEdits(lambda asset: Containers(self.engine(asset)), self._compose),
            ),
            self._executor_for,
            self.journal,
            self.decisions,
            self.clock,
            self.emit,
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
        self._notifications(event)

    def recover(self, stopping: Callable[[], bool], wait: bool = True) -> tuple[Record, ...]:
        """Finish or undo what was interrupted; what the engine staged too late goes too.

        Without `wait` an engine that does not answer keeps no other waiting.
        """
        recovered = self.cycle.recover(stopping, wait)
        for engine in self.engines.values():
            remove_latecomers(Containers(engine), self._images(engine), self.journal.history())
        return recovered

    def sweep(self) -> list[str]:
        """Remove the images that the retention rule lets go; the references that went."""
        removed = []
        for name, engine in self.engines.items():
            mine = [r for r in self.journal.history() if _host_of(r.asset) == name]
            gone = expired(mine, self.settings.keep, self.clock.now())
            removed += sweep(engine, self._images(engine), gone)
        return removed

    def _handlers(self) -> Notifications:
        handlers = []
        for spec in self.config.notifications:
            if spec.kind == "webhook":
                # Here, as for HTTP probes: the library behind it takes its time.
                from safe_auto_updater.notify.webhook import WebhookNotifier

                notifier: Notifier = WebhookNotifier(**spec.options, sleep=self.clock.sleep)
            else:
                notifier = plugins.load_or_broken(plugins.NOTIFIERS, spec.kind, spec.options)
            handlers.append(Handler(spec.kind, notifier, spec.events or DEFAULT_EVENTS))
        notifications = Notifications(handlers, self._problem)
        self._closing.callback(notifications.close, NOTICES_S)
        return notifications

    def _problem(self, text: str) -> None:
        self.emit(Event("warning", text, self.clock.now()))

    def _registry(self) -> RegistryClient:
        settings = {
            entry.host: HostSettings(
                entry.host,
                entry.plain_http,
                Path(entry.ca_file) if entry.ca_file else None,
                entry.username,
                Path(entry.password_file) if entry.password_file else None,
                entry.mirror,
            )
            for entry in self.config.registries
        }
        self._credentials = Credentials(settings)
        kept = open_answers(self.state)
        self._closing.callback(kept.close)
        answers = Answers(kept, self.clock.now)
        self._closing.callback(answers.keep)
        client = RegistryClient(
            settings, self._credentials, self.clock, random.random, answers=answers
        )
        self._closing.callback(client.close)
        return client

    def _scanners(self) -> list[Scanner]:
        theirs_too = self.settings.watchtower_labels
        found: list[Scanner] = [
            DockerScanner(e, self._own, theirs_too) for e in self.engines.values()
        ]
        return found + [plugins.LazyScanner(name) for name in plugins.known(plugins.SCANNERS)]

    def engine(self, asset: str) -> DockerEngine:
        """The engine that an asset lives on. UsageError where none of that name is configured."""
        try:
            return self.engines[_host_of(asset)]
        except KeyError:
            remedy = "no Docker host of this name is configured; add it to inventory.docker"
            if not asset.startswith("docker:"):
                remedy = "seen only: this program has no updater for it"
            raise UsageError(f"{asset}: {remedy}") from None

    def watchtower(self) -> WatchtowerApi | None:
        """The Watchtower that may be asked, if one is configured."""
        access = self.config.watchtower
        if access is None:
            return None
        return WatchtowerApi(access.url, Path(access.token_file), access.timeout_s)

    def _images(self, engine: DockerEngine) -> Images:
        return Images(engine, self._pull_headers)

    def _pull_headers(self, host: str) -> Mapping[str, str]:
        match self._credentials.for_host(host):
            case Password() as known:
                return auth_header({"username": known.username, "password": known.password})
            case IdentityToken() as known:
                return auth_header({"identitytoken": known.token})
            case None:
                return {}

    def _lookup(self, asset: str) -> ImageLookup:
        return ImageLookup(self.registry, Platform(*self.engine(asset).platform()))

    def _detector_for(self, asset: str, past: Past) -> ChangeDetector:
        return ChangeDetector(self._lookup(asset), SemVerEvaluator(), past)

    def _comparer_for(self, asset: str) -> Comparer:
        engine = self.engine(asset)
        described = self._lookup(asset).described
        return DockerComparer(Containers(engine), self._images(engine), described)

    def _executor_for(self, step: Step) -> UpdateExecutor:
        health = HealthChecker(self._checks_for, self.clock)
        return UpdateExecutor(
            self.journal,
            self._updater_for(step, health),
            health,
            self.clock,
            self.emit,
            self._refusal,
        )

    def _updater_for(self, step: Step, health: HealthChecker) -> Updater:
        engine = self.engine(step.asset)
        containers = Containers(engine)
        if step.updater == "swarm":
            swarm = SwarmUpdater(
                Services(engine, self._pull_headers),
                containers,
                self._images(engine),
                self.settings,
                self.clock.sleep,
            )
            return Unit(swarm, swarm, health) if step.members else swarm
        takeover = Takeover(containers, self.clock.sleep, self._own)
        alone = DockerUpdater(
            containers,
            self._images(engine),
            self.settings,
            self._progress,
            takeover,
            health,
            self._compose,
            self._own,
        )
        if step.updater == "watchtower":
            return WatchtowerUpdater(
                alone,
                Asking(self.watchtower(), self.clock, self._progress),
                containers,
                self._images(engine),
                self.settings,
                self._lookup(step.asset).digest,
                self._warn,
                takeover,
            )
        if not step.members:
            return alone
        return Unit(alone, Restarter(containers, self.settings), health)

    def _refusal(self, work: Work) -> str | None:
        """Why an update may not go on, asked right before anything visible changes."""
        engine = self.engine(work.step.asset)
        asked = self.what_for(services=work.step.updater == "swarm") - self._allowed[engine.name]
        if engine.may_be_a_proxy and asked:
            refused = api.refused(engine, asked)
            if refused:
                return "; ".join(refused)
            self._allowed[engine.name] |= asked
        return self.cycle.refusal(work.step, work.update)

    def what_for(self, services: bool) -> set[api.For]:
        """What an engine is asked for, by this configuration."""
        rules = self.settings.rules
        runs = any(rule.before_update or rule.after_update for rule in rules)
        runs |= any(spec.kind == "command" for spec in self.settings.checks)
        wanted = {api.For.COMMAND: runs, api.For.SERVICE: services, api.For.FILE: False}
        return {one for one in api.For if wanted.get(one, True)}

    def _checks_for(self, asset: str) -> list[tuple[str, HealthCheck]]:
        return [(kind, check) for pattern, kind, check in self._checks if matches(pattern, asset)]

    def _policies_for(self, asset: str) -> list[tuple[str, Policy]]:
        return [
            (name, policy) for pattern, name, policy in self._policies if matches(pattern, asset)
        ]

    def _check(self, spec: CheckSpec) -> HealthCheck:
        match spec.kind:
            case "http":
                from safe_auto_updater.platforms.probes.http import HttpCheck

                return HttpCheck(**spec.options)
            case "tcp":
                return TcpCheck(**spec.options)
            case "command":
                return CommandCheck(self.engine, **spec.options)
            case plugin:
                made: HealthCheck = plugins.load_or_broken(
                    plugins.HEALTH_CHECKS, plugin, spec.options
                )
                return made

    def _warn(self, work: Work, text: str) -> None:
        self.emit(Event("warning", text, self.clock.now(), work.step.asset, work.update))

    def _progress(self, work: Work, text: str) -> None:
        self.emit(Event("progress", text, self.clock.now(), work.step.asset, work.update))


def engines_of(config: Config, environ: Mapping[str, str]) -> dict[str, DockerEngine]:
    """The configured engines by their names; nothing is asked yet."""
    return {entry.name: _engine(entry.name, entry.at) for entry in config.docker_hosts(environ)}


def _engine(name: str, at: Address) -> DockerEngine:
    tls = Tls(at.ca_file, at.cert_file, at.key_file)
    return DockerEngine(at.host, name, None if tls == Tls() else tls)


def _host_of(asset: str) -> str:
    return asset.partition(":")[2].partition("/")[0]


def default_state(environ: Mapping[str, str]) -> Path:
    """Where state is kept when nobody says: /var/lib for root, else the user's state folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/safe-auto-updater")
    base = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return Path(base) / "safe-auto-updater"
