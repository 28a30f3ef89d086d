"""Everything that drives Docker engines: who scans, compares and updates, on which engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from safe_auto_updater.config import Config
from safe_auto_updater.config.contexts import Address
from safe_auto_updater.core.diff import DiffAnalyzer
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.events import Emit, Event
from safe_auto_updater.core.model import Step, UpdaterKind
from safe_auto_updater.core.ports import Clock, Comparer, Subject
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.updater import Updater, Work
from safe_auto_updater.engine.cycle import Detector
from safe_auto_updater.engine.health import HealthChecker
from safe_auto_updater.engine.journal import Record
from safe_auto_updater.engine.past import Past
from safe_auto_updater.engine.unit import Unit
from safe_auto_updater.platforms.docker.compose.command import ComposeCommand, Elsewhere
from safe_auto_updater.platforms.docker.compose.file import ComposeFile
from safe_auto_updater.platforms.docker.compose.planned import PlannedEdits
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.dialling import Tls
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.latecomers import remove_latecomers
from safe_auto_updater.platforms.docker.nearness import Nearness
from safe_auto_updater.platforms.docker.own import Own, is_here
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
from safe_auto_updater.platforms.registry import ImageLookup
from safe_auto_updater.wiring.driver import of_images
from safe_auto_updater.wiring.permits import Permits
from safe_auto_updater.wiring.registries import Registries


class Docker:
    """The configured engines, and what works on them."""

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        state: Path,
        registries: Registries,
        clock: Clock,
        emit: Emit,
        leaving: Callable[[], None],
    ) -> None:
        self.engines = engines_of(config, environ)
        self._config, self._settings = config, config.settings()
        self._registries = registries
        self._clock = clock
        self._emit = emit
        self._own = Own(own_container_id(), state.absolute(), leaving)
        self._nearness = Nearness(self._own)
        self._environ, self._state = environ, state
        self._one_edit_at_a_time = threading.Lock()  # two updates may be about one file
        self.permits = Permits(self._settings, watches=config.service.watch)

    def close(self) -> None:
        """Hang up on all engines."""
        for engine in self.engines.values():
            engine.close()

    def engine(self, asset: str) -> DockerEngine:
        """The engine that an asset lives on. UsageError where none of that name is configured."""
        try:
            return self.engines[_host_of(asset)]
        except KeyError:
            remedy = "no Docker host of this name is configured; add it to inventory.docker"
            if not asset.startswith("docker:"):  # what scanners of plugins see
                remedy = "seen only: this program has no updater for it"
            raise UsageError(f"{asset}: {remedy}") from None

    def scanners(self) -> list[DockerScanner]:
        """One per engine."""
        theirs_too = self._settings.watchtower_labels
        return [DockerScanner(engine, self._own, theirs_too) for engine in self.engines.values()]

    def hands_over_to_us(self, facts: Mapping[str, Any]) -> bool:
        """Whether the update with these facts makes this container the program's next one."""
        return bool(facts.get("hands_over")) and self._own.is_it({"Id": facts.get("new_id", "")})

    def watchtower(self) -> WatchtowerApi | None:
        """The Watchtower that may be asked, if one is configured."""
        access = self._config.watchtower
        if access is None:
            return None
        return WatchtowerApi(access.url, Path(access.token_file), access.timeout_s)

    def planned_edits(self) -> PlannedEdits:
        """What Compose files would have to say."""
        return PlannedEdits(
            lambda asset: Containers(self.engine(asset)),
            lambda asset: self._compose_file(self.engine(asset)),
        )

    def lookup(self, asset: str) -> ImageLookup:
        """What registries are asked about an asset."""
        return self._registries.lookup(self.engine(asset).platform())

    def detector(self, asset: str, past: Past) -> Detector:
        """Who knows newer images of an asset."""
        return of_images(self.lookup(asset), past)

    def analyzer(self) -> DiffAnalyzer:
        """Who judges what another image means."""
        return DiffAnalyzer()

    def comparer(self, asset: str) -> Comparer:
        """Who looks at both sides of a change to an asset."""
        engine = self.engine(asset)
        described = self.lookup(asset).described
        return DockerComparer(Containers(engine), self._images(engine), described)

    def updater(self, step: Step, health: HealthChecker) -> Updater:
        """Who carries a step out."""
        engine = self.engine(step.asset)
        containers, images = Containers(engine), self._images(engine)
        if step.updater is UpdaterKind.SWARM:
            services = Services(engine, self._registries.pull_headers)
            swarm = SwarmUpdater(services, containers, images, self._settings, self._clock.sleep)
            return Unit(swarm, swarm, health) if step.members else swarm
        takeover = Takeover(containers, self._clock.sleep, self._own)
        alone = DockerUpdater(
            containers,
            images,
            self._settings,
            self._progress,
            takeover,
            health,
            self._compose_file(engine),
            self._own,
        )
        if step.updater is UpdaterKind.WATCHTOWER:
            published = self._registries.anew()  # tags move between a plan and its last step
            return WatchtowerUpdater(
                alone,
                Asking(self.watchtower(), self._clock, self._progress),
                containers,
                images,
                lambda reference: published.head(Reference.parse(reference)),
                self._warn,
                takeover,
            )
        if not step.members:
            return alone
        return Unit(alone, Restarter(containers, images, self._settings, takeover), health)

    def elsewhere(self, subject: Subject) -> str | None:
        """Why its addresses may be those of something else from here."""
        return self._nearness.elsewhere(self.engine(subject.asset), subject.attributes)

    def not_permitted(self, step: Step) -> str | None:
        """Which questions of this step a proxy before the engine refuses, or None."""
        return self.permits.refused_for(self.engine(step.asset), step)

    def remove_latecomers(self, records: Sequence[Record]) -> None:
        """Remove what engines staged after recovery had looked for it."""
        for engine in self.engines.values():
            remove_latecomers(Containers(engine), self._images(engine), records)

    def sweep(self, records: Sequence[Record]) -> list[str]:
        """Remove the images that the retention rule lets go; the references that went."""
        removed = []
        for name, engine in self.engines.items():
            mine = [record for record in records if _host_of(record.asset) == name]
            gone = expired(mine, self._settings.keep, self._clock.now())
            removed += sweep(engine, self._images(engine), gone)
        return removed

    def _compose_file(self, engine: DockerEngine) -> ComposeFile:
        """What edits the files of an engine's projects: they lie where the engine runs."""

        def command() -> ComposeCommand:
            here = is_here(engine, self._own)
            return ComposeCommand(self._environ) if here else Elsewhere(engine.name)

        return ComposeFile(command, self._state / "compose", self._one_edit_at_a_time)

    def _images(self, engine: DockerEngine) -> Images:
        return Images(engine, self._registries.pull_headers)

    def _warn(self, work: Work, text: str) -> None:
        self._emit(Event("warning", text, self._clock.now(), work.step.asset, work.update))

    def _progress(self, work: Work, text: str) -> None:
        self._emit(Event("progress", text, self._clock.now(), work.step.asset, work.update))


def engines_of(config: Config, environ: Mapping[str, str]) -> dict[str, DockerEngine]:
    """The configured engines by their names; nothing is asked yet."""
    return {entry.name: _engine(entry.name, entry.at) for entry in config.docker_hosts(environ)}


def _engine(name: str, at: Address) -> DockerEngine:
    tls = Tls(at.ca_file, at.cert_file, at.key_file)
    return DockerEngine(at.host, name, None if tls == Tls() else tls)


def _host_of(asset: str) -> str:
    """The name of the engine that an asset lives on; empty for what lives on none."""
    platform, _, place = asset.partition(":")
    return place.partition("/")[0] if platform == "docker" else ""
