"""Services as assets, on an engine that is a manager of a Swarm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from safe_auto_updater.core.errors import SafeAutoUpdaterError
from safe_auto_updater.core.identity import docker_id
from safe_auto_updater.core.model import Asset, Image, ImageUse, Obstacle
from safe_auto_updater.engine.behind import declared_version
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.foreign import ownership_of_service
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.own import Own
from safe_auto_updater.platforms.docker.swarm.checking import healthcheck_of
from safe_auto_updater.platforms.docker.swarm.obstacles import obstacles_of
from safe_auto_updater.platforms.docker.swarm.services import Services
from safe_auto_updater.platforms.docker.swarm.view import (
    SERVICE_ID,
    condition,
    container_spec,
    image_of,
    labels_of,
    manager_of,
    running,
)

Json = Mapping[str, Any]
_NONE: Mapping[str, Obstacle] = MappingProxyType({})


@dataclass(frozen=True)
class Seen:
    """The services of one engine, and the containers that are told with them, by ID."""

    assets: tuple[Asset, ...] = ()
    tasks: frozenset[str] = frozenset()
    failures: tuple[tuple[str, str], ...] = ()


class Swarm:
    """The services that one engine manages; none where it is no manager."""

    def __init__(self, engine: DockerEngine, own: Own) -> None:
        self._engine = engine
        self._own = own
        self._services = Services(engine, lambda host: {})
        self._images = Images(engine, lambda host: {})

    def seen(self, containers: Sequence[Json], ours: Mapping[str, Obstacle] = _NONE) -> Seen:
        """Every service; `containers` are those of the engine, raw, `ours` what we live on."""
        try:
            if not (self._engine.get("/info").get("Swarm") or {}).get("ControlAvailable"):
                return Seen()
            services = self._services.listed()
            tasks: dict[str, list[Json]] = {service["ID"]: [] for service in services}
            for task in self._services.tasks() if services else ():
                tasks.setdefault(task["ServiceID"], []).append(task)
            assets = tuple(
                replace(asset, obstacles=(*asset.obstacles, *self._lifeline(one, containers, ours)))
                for one in services
                for asset in [self._asset(one, tasks[one["ID"]], containers)]
            )
        except SafeAutoUpdaterError as error:
            fact = f"its Swarm services could not be read: {error}"
            return Seen(failures=((f"docker:{self._engine.name}", fact),))
        names = {f"/{asset.name}" for asset in assets}
        told = [c for c in containers if _service_of(c) in tasks or c["Name"] in names]
        return Seen(assets, frozenset(container["Id"] for container in told))

    def _asset(self, service: Json, tasks: Sequence[Json], containers: Sequence[Json]) -> Asset:
        spec, name = service["Spec"], service["Spec"]["Name"]
        image = image_of(spec)
        digests = (image.digest,) if image.digest else self._digests(image, tasks, containers)
        found = self._found(spec)
        check = healthcheck_of(spec, found)
        status, health = condition(service, tasks, check is not None)
        use = ImageUse(
            container=name,
            image=Image(image.reference, image.version, digests[0] if digests else None),
            digests=digests,
            declared=declared_version(image.reference, (found or {}).get("Config") or {}),
            policy_labels=labels_of(spec),
        )
        return Asset(
            id=docker_id(self._engine.name, name),
            platform="docker",
            kind="service",
            name=name,
            images=(use,),
            status=status,
            health=health,
            managed_by=manager_of(spec),
            obstacles=(
                *ownership_of_service(name),
                *obstacles_of(service, check, digests),
                *_namesake(name, containers),
                *self._itself(service, containers),
            ),
        )

    def _itself(self, service: Json, containers: Iterable[Json]) -> list[Obstacle]:
        tasks = [one for one in containers if _service_of(one) == service["ID"]]
        if not any(map(self._own.is_it, tasks)):
            return []
        fact = "the program itself runs as a task of it, and would be stopped in the middle"
        return [Obstacle("self", f"{fact}: update it from outside")]

    def _lifeline(
        self, service: Json, containers: Iterable[Json], ours: Mapping[str, Obstacle]
    ) -> list[Obstacle]:
        """That it is our way to the engine: by a task that is here, its name, or its address."""
        known = (ours.get(one["Id"]) for one in containers if _service_of(one) == service["ID"])
        found = [obstacle for obstacle in known if obstacle is not None][:1]
        host, peer = urlsplit(self._engine.host), self._engine.peer
        is_by_name = self._own.id is not None and host.hostname in _names(service["Spec"])
        is_by_address = peer is not None and peer[0] in _addresses(service)
        if found or host.scheme != "tcp" or not (is_by_name or is_by_address):
            return found
        fact = f"the program speaks to the engine through it, at {self._engine.host}"
        return [Obstacle("proxy", f"{fact}; update it from outside")]

    def _found(self, spec: Json) -> Json | None:
        """The image, where this node happens to have it; the others' nobody can see from here."""
        written = container_spec(spec).get("Image")
        try:
            return self._images.find(written) if written else None
        except SafeAutoUpdaterError:
            return None

    def _digests(
        self, image: Image, tasks: Sequence[Json], containers: Iterable[Json]
    ) -> tuple[str, ...]:
        """What an unpinned image is on this node, if all tasks that run are here and agree."""
        here = {container["Id"]: container["Image"] for container in containers}
        known = {
            here.get((task["Status"].get("ContainerStatus") or {}).get("ContainerID"))
            for task in running(tasks)
        }
        if len(known) != 1 or None in known:
            return ()
        found = self._images.find(str(known.pop())) or {}
        name = image.reference.rpartition(":")[0] if image.version else image.reference
        told = [str(digest).rpartition("@") for digest in found.get("RepoDigests") or ()]
        return tuple(digest for repository, _, digest in told if repository == name)


def _service_of(container: Json) -> str | None:
    """The ID of the service that a container is a task of."""
    return (container["Config"].get("Labels") or {}).get(SERVICE_ID)


def _names(spec: Json) -> set[str]:
    """What a service is called on its networks."""
    joined = spec["TaskTemplate"].get("Networks") or spec.get("Networks") or ()
    return {str(spec["Name"]), *(alias for one in joined for alias in one.get("Aliases") or ())}


def _addresses(service: Json) -> set[str]:
    """Those under which the engine passes on to whichever task."""
    virtual = (service.get("Endpoint") or {}).get("VirtualIPs") or ()
    return {str(one.get("Addr") or "").partition("/")[0] for one in virtual} - {""}


def _namesake(name: str, containers: Iterable[Json]) -> list[Obstacle]:
    if all(container["Name"] != f"/{name}" for container in containers):
        return []
    fact = "a container of this engine has the same name, and shares its history with the service"
    return [Obstacle("swarm", f"{fact}: rename the container")]
