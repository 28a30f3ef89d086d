"""What engines are asked for, and whether a proxy before them lets it through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.core.identity import docker_id, short_name
from safe_auto_updater.core.model import Step, UpdaterKind
from safe_auto_updater.core.policy import Settings, resolve
from safe_auto_updater.platforms.docker import api
from safe_auto_updater.platforms.docker.compose.labels import PROJECT
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.needs import name_of
from safe_auto_updater.platforms.docker.watchtower.labels import labels_of

Json = Mapping[str, Any]


class Permits:
    """Asks engines whether they may be asked. What was let through once is not asked again."""

    def __init__(self, settings: Settings, *, watches: bool = False) -> None:
        self._settings = settings
        self._watches = watches  # whether the service hears of changes between cycles
        self._allowed: dict[str, set[api.For]] = defaultdict(set)

    def refused_of(self, engine: DockerEngine) -> list[str]:
        """What anything on this engine may need and a proxy refuses, as far as it can be seen."""
        always = self._needed(engine, (), api.manages_services(engine))
        always |= {api.For.WATCH} if self._watches else set()
        refused = api.refused(engine, always)
        try:
            more = self._needed(engine, self._ours(engine), services=False) - always
        except PlatformError:
            return refused  # what they need besides cannot be asked for
        return refused + (api.refused(engine, more) if more else [])

    def refused_for(self, engine: DockerEngine, step: Step) -> str | None:
        """Which questions of a step a proxy before the engine refuses, or None."""
        if not engine.may_be_a_proxy:
            return None
        of_service = step.updater is UpdaterKind.SWARM
        names = () if of_service else map(short_name, step.assets)
        found = filter(None, map(Containers(engine).find, names))
        asked = self._needed(engine, found, of_service) - self._allowed[engine.name]
        refused = api.refused(engine, asked) if asked else []
        if not refused:
            self._allowed[engine.name] |= asked
        return "; ".join(refused) or None

    def _needed(
        self, engine: DockerEngine, containers: Iterable[Json], services: bool
    ) -> set[api.For]:
        needed = {api.For.LOOK, api.For.ACT}
        if services:
            needed.add(api.For.SERVICE)
        if any(spec.kind == "command" for spec in self._settings.checks):
            needed.add(api.For.COMMAND)
        for container in containers:
            if PROJECT in (container["Config"].get("Labels") or {}):
                needed.add(api.For.FILE)
            if self._has_hooks(engine, container):
                needed.add(api.For.COMMAND)
        return needed

    def _ours(self, engine: DockerEngine) -> list[Json]:
        """The containers that the inventory covers: what others carry is nobody's need."""
        listed = engine.get("/containers/json", all="true")
        found = filter(None, (Containers(engine).find(item["Id"]) for item in listed))
        covers = self._settings.covers
        return [one for one in found if covers(docker_id(engine.name, name_of(one)))]

    def _has_hooks(self, engine: DockerEngine, container: Json) -> bool:
        image = Images(engine, lambda host: {}).find(container["Image"]) or {}
        labels = labels_of(container, image, theirs_too=self._settings.watchtower_labels)
        asset = docker_id(engine.name, name_of(container))
        hooks = resolve(self._settings, asset, dict(labels)).hooks
        return bool(hooks.before or hooks.after)
