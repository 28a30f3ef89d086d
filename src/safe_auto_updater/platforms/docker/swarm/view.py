"""A service as it is: its image, how many tasks it is to have, and how they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from safe_auto_updater.core.errors import InvalidReference
from safe_auto_updater.core.model import Health, Image, Status
from safe_auto_updater.core.policy import LABEL_PREFIX
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.docker.state import instant

Json = Mapping[str, Any]
STACK = "com.docker.stack.namespace"
SERVICE_ID = "com.docker.swarm.service.id"
SERVICE_NAME = "com.docker.swarm.service.name"
GOING = ("updating", "rollback_started")
STUCK = ("paused", "rollback_paused")
ENDED = ("failed", "rejected", "complete")  # by themselves; who was told to end is "shutdown"


def container_spec(spec: Json) -> Json:
    """What the tasks' containers are made from; empty for a plugin's service."""
    return (spec.get("TaskTemplate") or {}).get("ContainerSpec") or {}


def image_of(spec: Json) -> Image:
    """The reference that somebody wrote and the digest that it was pinned to, apart."""
    written = str(container_spec(spec).get("Image", ""))
    try:
        reference = Reference.parse(written)
    except InvalidReference:
        return Image(written)
    if reference.digest is None or reference.tag is None:
        return Image(written, reference.tag, reference.digest)
    return Image(str(reference.with_tag(reference.tag)), reference.tag, reference.digest)


def pinned(image: Image) -> str:
    """An image as the spec of a service names it."""
    if image.digest is None or "@" in image.reference:
        return image.reference
    return f"{image.reference}@{image.digest}"


def runs_on(spec: Json) -> str:
    """The image of a spec, as `pinned` writes it."""
    return str(container_spec(spec).get("Image", ""))


def with_image(spec: Json, image: str) -> dict[str, Any]:
    """The same spec with another image, and nothing else."""
    changed = deepcopy(dict(spec))
    changed["TaskTemplate"]["ContainerSpec"]["Image"] = image
    return changed


def labels_of(spec: Json) -> tuple[tuple[str, str], ...]:
    """Our labels on the service and on its containers; those on the service come first.

    All of them are a user's: what an image brings stands in no spec.
    """
    both = {**(container_spec(spec).get("Labels") or {}), **(spec.get("Labels") or {})}
    ours = both.items()
    return tuple(sorted((k, v) for k, v in ours if k.strip().casefold().startswith(LABEL_PREFIX)))


def manager_of(spec: Json) -> str:
    """Whoever may write the service again: `stack:<namespace>`, else `swarm`."""
    stack = (spec.get("Labels") or {}).get(STACK)
    return f"stack:{stack}" if stack else "swarm"


def state_of(service: Json) -> str:
    """The engine's word about the last update; empty where there is none."""
    return str((service.get("UpdateStatus") or {}).get("State") or "")


def is_job(spec: Json) -> bool:
    """Whether its tasks are to end."""
    return bool({"ReplicatedJob", "GlobalJob"} & (spec.get("Mode") or {}).keys())


def wanted(spec: Json, tasks: Iterable[Json]) -> int:
    """How many tasks are to run; of a global service one on each node that it may use."""
    mode = spec.get("Mode") or {}
    if "Global" in mode:
        return len(
            {slot_of(task) for task in tasks if task["DesiredState"] in ("ready", "running")}
        )
    return int((mode.get("Replicated") or {}).get("Replicas", 1))


def slot_of(task: Json) -> str:
    """The place that a task has in its service: a number, or the node of a global one."""
    return str(task.get("Slot") or task.get("NodeID") or "")


def running(tasks: Iterable[Json]) -> list[Json]:
    """The tasks that are to run and do. With a health check that is: were healthy."""
    return [
        task
        for task in tasks
        if task["DesiredState"] == "running" and task["Status"]["State"] == "running"
    ]


def ended(tasks: Iterable[Json], image: str) -> list[Json]:
    """The tasks of an image that ended by themselves, the last one first."""
    found = [
        task
        for task in tasks
        if task["Status"]["State"] in ENDED and runs_on({"TaskTemplate": task["Spec"]}) == image
    ]
    return sorted(found, key=changed_at, reverse=True)


def changed_at(task: Json) -> float:
    """When a task came to be as it is, by its node's clock.

    Its `UpdatedAt` counts what the managers do with it long after its end, too.
    """
    return instant(str(task["Status"].get("Timestamp") or "")) or 0.0


def condition(service: Json, tasks: Sequence[Json], checked: bool) -> tuple[Status, Health]:
    """How the service is, all in all; `checked`: something says more than that a process runs."""
    spec = service["Spec"]
    many, well = wanted(spec, tasks), running(tasks)
    if many == 0:
        return Status.EXITED, Health.NONE
    if len(well) >= many:
        return Status.RUNNING, Health.HEALTHY if checked else Health.NONE
    filled = {slot_of(task) for task in well}
    if not any(slot_of(task) not in filled for task in ended(tasks, runs_on(spec))):
        return Status.RUNNING, Health.STARTING
    return Status.RUNNING if well else Status.RESTARTING, Health.UNHEALTHY


def turned_back(service: Json) -> bool:
    """Whether the engine took the last update back by itself: a task of it had failed.

    Of a rollback that has ended it no longer tells who asked for it.
    """
    message = str((service.get("UpdateStatus") or {}).get("Message", ""))
    return state_of(service).startswith("rollback_") and "manually" not in message
