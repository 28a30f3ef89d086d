"""How a service is: its spec, the engine's verdict on the rollout, and its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.errors import NotFound
from safe_auto_updater.core.identity import matches
from safe_auto_updater.core.model import Image
from safe_auto_updater.core.policy import Settings, resolve
from safe_auto_updater.core.ports import CheckState, Subject
from safe_auto_updater.core.updater import Look, Patience, Side, Work
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.state import instant
from safe_auto_updater.platforms.docker.subject import subject_of
from safe_auto_updater.platforms.docker.swarm.checking import healthcheck_of
from safe_auto_updater.platforms.docker.swarm.services import Services
from safe_auto_updater.platforms.docker.swarm.view import ended, pinned, running, wanted
from safe_auto_updater.platforms.docker.swarm.watching import judge, patience_for

Json = dict[str, Any]


class Observer:
    """One look at a service, and how long looking goes on."""

    def __init__(
        self, services: Services, containers: Containers, images: Images, settings: Settings
    ) -> None:
        self._services = services
        self._containers = containers
        self._images = images
        self._settings = settings

    def look(self, work: Work, side: Side) -> Look:
        """Identity first: the spec has this side's image; the engine's verdict; then the tasks."""
        image = image_of(work, side)
        service = self._services.find(work.facts["service"])
        tasks = [] if service is None else self._services.tasks(service["ID"])
        check = None if service is None else self._check(service, image)
        tasks = [self._with_memory(task, image) for task in tasks]
        since = None if service is None else _completed(service, side)
        results = judge(service, tasks, image, since, check is not None)
        nothing = service is not None and wanted(service["Spec"], tasks) == 0
        why = "nothing of it runs: it is scaled to 0" if nothing else None
        calm = all(result.state is CheckState.PASSED for result in results)
        subjects = self._subjects(work, tasks) if calm and not nothing else ()
        return Look(tuple(results), subjects, why)

    def patience(self, work: Work, side: Side) -> Patience:
        """By the engine's own pace (parallelism, delay, monitor), the HEALTHCHECK, the settings."""
        checked = any(matches(spec.pattern, work.step.asset) for spec in self._settings.checks)
        service = self._services.find(work.facts["service"])
        health = resolve(self._settings, work.step.asset, work.facts.get("labels", {})).health
        if service is None:
            return patience_for({}, None, (), health, checked, side)
        check = self._check(service, image_of(work, side))
        tasks = self._services.tasks(service["ID"])
        return patience_for(service["Spec"], check, tasks, health, checked, side)

    def _check(self, service: Json, image: str) -> Json | None:
        check = healthcheck_of(service["Spec"], self._images.find(image))
        return None if check is None else dict(check)

    def _with_memory(self, task: Json, image: str) -> Json:
        """A task that ended here, with whether its container ran out of memory."""
        container = self._container(task) if ended([task], image) else None
        if container is None or not container["State"].get("OOMKilled"):
            return task
        status = {**task["Status"], "Err": "killed: out of memory"}
        status["ContainerStatus"] = {**status["ContainerStatus"], "OOMKilled": True}
        return {**task, "Status": status}

    def _subjects(self, work: Work, tasks: list[Json]) -> tuple[Subject, ...]:
        """The tasks of this node, for configured checks; else the service without address.

        Asked once all tasks run: while some are replaced, those of the other side are here too.
        """
        found = [container for task in running(tasks) if (container := self._container(task))]
        mine = tuple(subject_of(work, container) for container in found)
        return mine or (Subject(work.step.asset, work.change.container),)

    def _container(self, task: Mapping[str, Any]) -> Json | None:
        """The container of a task, if it is one of this node's."""
        container = (task["Status"].get("ContainerStatus") or {}).get("ContainerID")
        try:
            return self._containers.find(container) if container else None
        except NotFound:
            return None


def new_image(work: Work) -> Image:
    """What the service shall run."""
    assert work.change.candidate is not None
    return work.change.candidate


def image_of(work: Work, side: Side) -> str:
    """What a service's spec says on one side of an update."""
    return pinned(new_image(work)) if side is Side.NEW else str(work.facts["old_image"])


def _completed(service: Json, side: Side) -> float | None:
    """When the engine called the update completed. An old task may stumble once on the way back."""
    status = service.get("UpdateStatus") or {}
    return instant(str(status.get("CompletedAt") or "")) if side is Side.NEW else None
