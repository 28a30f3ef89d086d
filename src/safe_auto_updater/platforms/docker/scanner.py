"""DockerScanner: every container and image of one engine, and what stands in the way of updates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from safe_auto_updater.core.errors import InvalidReference, NotFound, SafeAutoUpdaterError
from safe_auto_updater.core.identity import docker_id
from safe_auto_updater.core.model import Asset, Image, ImageUse, Obstacle
from safe_auto_updater.core.ports import Scan
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.stateful import is_stateful
from safe_auto_updater.engine.behind import declared_version
from safe_auto_updater.platforms.docker.configured import configuration
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.exclusive import exclusive_in
from safe_auto_updater.platforms.docker.marks import MARK, PARKED, STAGED
from safe_auto_updater.platforms.docker.needs import Everyone, name_of
from safe_auto_updater.platforms.docker.obstacles import manager_of, obstacles_of
from safe_auto_updater.platforms.docker.origins import Origin, in_containerd, origin
from safe_auto_updater.platforms.docker.ours import lifeline
from safe_auto_updater.platforms.docker.own import Own
from safe_auto_updater.platforms.docker.state import health_of, status_of
from safe_auto_updater.platforms.docker.swarm.scanner import Swarm
from safe_auto_updater.platforms.docker.watchtower.labels import depends_on, labels_of
from safe_auto_updater.platforms.docker.watchtower.obstacles import in_its_way

Json = Mapping[str, Any]
AT_ONCE = 8


class DockerScanner:
    """Scans one engine. An engine that does not answer is a failure in the result."""

    def __init__(self, engine: DockerEngine, own: Own, watchtower_labels: bool = False) -> None:
        self._engine = engine
        self._swarm = Swarm(engine, own)
        self._own = own
        self._theirs_too = watchtower_labels
        self.name = f"docker:{engine.name}"

    def scan(self) -> Scan:
        """Containers and images now; a container that vanishes meanwhile is left out."""
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                listing = pool.submit(self._engine.get, "/images/json")
                ids = [item["Id"] for item in self._engine.get("/containers/json", all="true")]
                found = [c for c in pool.map(self._inspect, ids) if c is not None]
                stored = listing.result()
                listed = {image["Id"]: image for image in stored}
                images = list(pool.map(lambda c: self._image(c, listed), found))
        except SafeAutoUpdaterError as error:
            return Scan((), (), ((self.name, str(error)),))
        asked = {
            container["Id"]: depends_on(container, image)
            for container, image in zip(found, images, strict=True)
            if self._theirs_too
        }
        everyone = Everyone(self._engine.name, found, asked)
        engine = self._engine
        ours = lifeline(found, everyone, engine.name, self._own.id, engine.host, engine.peer)
        helpers, services = _helpers(found), self._swarm.seen(found, ours)
        assets = tuple(
            self._asset(container, image, everyone, ours.get(container["Id"]))
            for container, image in zip(found, images, strict=True)
            if container["Name"] not in helpers and container["Id"] not in services.tasks
        )
        users = _users(found)
        images_told = tuple(_stored(image, users) for image in stored)
        return Scan((*assets, *services.assets), images_told, services.failures)

    def _inspect(self, container: str) -> Json | None:
        try:
            answer: Json = self._engine.get(f"/containers/{container}/json")
        except NotFound:
            return None
        return answer

    def _image(self, container: Json, listed: Mapping[str, Json]) -> Json:
        """What the list says of a container's image, if that is all there is to know.

        The list has labels and no environment, in which known products state their version, and
        no origin of what containerd keeps; and it leaves out images that only serve as the
        beginning of others.
        """
        image_id = container["Image"]
        enough = not in_containerd(container) and is_stateful(container["Config"]["Image"]) is None
        if image_id in listed and enough:
            known = listed[image_id]
            return {**known, "Config": {"Labels": known.get("Labels")}}
        try:
            answer: Json = self._engine.get(f"/images/{image_id}/json")
        except NotFound:
            return {"Id": image_id, "RepoDigests": [], "Config": {}}
        return answer

    def _asset(
        self, container: Json, image: Json, everyone: Everyone, ours: Obstacle | None
    ) -> Asset:
        name = name_of(container)
        return Asset(
            id=docker_id(self._engine.name, name),
            platform="docker",
            kind="container",
            name=name,
            images=(_use(name, container, image, self._engine.api(), self._theirs_too),),
            status=status_of(container),
            health=health_of(container),
            managed_by=manager_of(container, image),
            obstacles=(
                *filter(None, [ours]),
                *obstacles_of(container, image, self._own),
                *everyone.gone(container),
                *in_its_way(container),
            ),
            needs=everyone.needs_of(container),
            exclusive=exclusive_in(container),
            own=self._own.is_it(container),
            configuration=configuration(container),
        )


def _helpers(everyone: Iterable[Json]) -> set[str]:
    """Those that exist only for an update that is under way: staged by us, or parked."""
    marked = {one["Name"]: MARK in (one["Config"].get("Labels") or {}) for one in everyone}
    found = set()
    for name, is_marked in marked.items():
        if name.endswith(STAGED):
            served = name.removesuffix(STAGED)
            if is_marked and (served in marked or served + PARKED in marked):
                found.add(name)
        elif name.endswith(PARKED):
            served = name.removesuffix(PARKED)
            if marked.get(served, False) or marked.get(served + STAGED, False):
                found.add(name)
    return found


def _use(
    name: str, container: Json, image: Json, api: tuple[int, int], theirs_too: bool
) -> ImageUse:
    written = container["Config"]["Image"]
    try:
        reference = Reference.parse(written)
    except InvalidReference:
        tag, found = None, Origin()
    else:
        tag, found = reference.tag, origin(reference, container, image, api)
    return ImageUse(
        container=name,
        image=Image(
            reference=written,
            version=tag,
            digest=next(iter((*found.digests, *found.claimed)), None),
            image_id=container["Image"],
        ),
        digests=found.digests,
        claimed=found.claimed,
        declared=declared_version(written, image.get("Config") or {}),
        policy_labels=labels_of(container, image, theirs_too=theirs_too),
    )


def _users(containers: Iterable[Json]) -> Mapping[str, list[str]]:
    """Names of the containers of each image."""
    found: dict[str, list[str]] = {}
    for container in containers:
        found.setdefault(container["Image"], []).append(container["Name"].lstrip("/"))
    return found


def _stored(image: Json, users: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        "id": image["Id"],
        "references": [
            tag for tag in image.get("RepoTags") or () if "@" not in tag and "<" not in tag
        ],
        "size": image.get("Size"),
        "used_by": sorted(users.get(image["Id"], ())),
    }
