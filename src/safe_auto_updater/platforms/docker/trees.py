"""DockerComparer: what an image says, and what it means for one container, before and after.

Pure functions over the engine's and the registry's JSON, and a thin class that asks for both.
Of what the user set only names leave this module, never values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from safe_auto_updater.core.errors import InvalidReference, NotFound
from safe_auto_updater.core.image_tree import clean_path, environment, from_config, image_tree
from safe_auto_updater.core.model import Asset, Change, Image
from safe_auto_updater.core.ports import Trees
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.stateful import is_stateful, version_from
from safe_auto_updater.core.versions import Bump
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.recreate import user_config, volume_of
from safe_auto_updater.platforms.docker.swarm.settings import as_container, user_settings

Json = Mapping[str, Any]

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
# What is bound from here is the machine, not data: sockets, devices, the time.
_NO_DATA = ("/dev", "/proc", "/sys", "/run", "/var/run", "/etc/localtime", "/etc/timezone")
_DISKS = ("/run/media", "/var/run/media")  # where desktops mount what is plugged in


class DockerComparer:
    """Compares what a container runs with what its candidate would make of it.

    `config_of` gives the image configuration of a candidate as the registry tells it, with the
    bytes of its layers as `layer_sizes`; it is asked only where the engine has no such image yet.
    """

    def __init__(
        self, containers: Containers, images: Images, config_of: Callable[[Image], Json]
    ) -> None:
        self._containers = containers
        self._images = images
        self._config_of = config_of

    def trees(self, asset: Asset, change: Change) -> Trees:
        """Both sides of one change. Raises RegistryError or PlatformError: *unknown*."""
        candidate = change.candidate
        if candidate is None:
            raise ValueError(f"{asset.id}: nothing to compare with")
        if asset.kind == "service":
            return self._service_trees(asset, change, candidate)
        container = self._containers.find(change.container)
        if container is None:
            raise NotFound(f"{asset.name}: the container is gone from the engine; plan again")
        old = self._images.find(container["Image"])
        if old is None:
            raise NotFound(
                f"{asset.name}: its own image {container['Image'][:19]} is gone from the engine; "
                "nobody can say what the user set. Pull it again or recreate the container."
            )
        new = self._seen(candidate)
        return trees(container, old, new, change.current.reference, candidate.reference)

    def _service_trees(self, asset: Asset, change: Change, candidate: Image) -> Trees:
        """A service's spec says what the user set; its image may be on other nodes only."""
        spec = self._containers.engine.get(f"/services/{asset.name}")["Spec"]
        return compared(
            as_container(spec),
            user_settings(spec),
            self._seen(change.current),
            self._seen(candidate),
            change.current.reference,
            candidate.reference,
        )

    def _seen(self, image: Image) -> dict[str, Any]:
        """What an image says of itself, here or else in the registry."""
        found = self._here(image)
        return from_config(self._config_of(image)) if found is None else from_engine(found)

    def _here(self, candidate: Image) -> Json | None:
        names = [candidate.image_id]
        try:
            name = Reference.parse(candidate.reference).pull_by_digest
            names += [name(digest) for digest in (candidate.digest, candidate.content) if digest]
        except InvalidReference:
            pass  # then only its ID names it
        found = (self._images.find(name) for name in names if name)
        return next((image for image in found if image is not None), None)


def trees(container: Json, old: Json, new: Json, reference: str, candidate: str) -> Trees:
    """From a container's inspect JSON, its image's, and the `image` of the candidate."""
    user = user_config(container, old.get("Config") or {})
    return compared(container, user, from_engine(old), new, reference, candidate)


def compared(
    container: Json, user: Json, before: Json, new: Json, reference: str, candidate: str
) -> Trees:
    """From what a user set, and both images as `from_engine` or `from_config` tell them."""
    layers = before["layers"], new["layers"]
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*layers, strict=False)))
    return Trees(
        _tree(container, user, before, reference, len(layers[0])),
        _tree(container, user, new, candidate, shared),
    )


def from_engine(inspect: Json) -> dict[str, Any]:
    """An image as the engine inspects it."""
    return image_tree(
        inspect.get("Config") or {},
        os=inspect.get("Os"),
        architecture=inspect.get("Architecture"),
        created=inspect.get("Created"),
        size=inspect.get("Size"),
        layers=list((inspect.get("RootFS") or {}).get("Layers") or ()),
    )


def _tree(container: Json, user: Json, image: Json, reference: str, shared: int) -> dict[str, Any]:
    mounts = [_mount(mount) for mount in container.get("Mounts") or ()]
    temporary = (container["HostConfig"].get("Tmpfs") or {}).keys()
    series = _series(reference, image["env"])
    return {
        "image": {
            **image,
            "layers": {"count": len(image["layers"]), "shared": shared},
            **({"series": series} if series else {}),
        },
        "container": {
            "inherited": _inherited(user, image),
            "set": _set(user),
            "ports": _ports(container, image["ports"]),
            "mounts": mounts,
            "mounted": sorted({*(mount["path"] for mount in mounts), *temporary}),
            "data": sorted(mount["path"] for mount in mounts if mount["data"]),
        },
    }


def _set(user: Json) -> dict[str, Any]:
    """Names of what the user set."""
    single = {"user": "User", "workdir": "WorkingDir", "stop_signal": "StopSignal"}
    return {
        "env": sorted(environment(user.get("Env"))),
        "entrypoint": "Entrypoint" in user,
        "cmd": bool(user.get("Cmd")),
        "healthcheck": "Test" in (user.get("Healthcheck") or {}),
        **{name: bool(user.get(key)) for name, key in single.items()},
    }


def _inherited(user: Json, image: Json) -> dict[str, Any]:
    """The image's settings as far as they reach the container."""
    given = _set(user)
    names = ("entrypoint", "cmd", "user", "workdir", "stop_signal", "healthcheck")
    found = {name: image[name] for name in names if name in image and not given[name]}
    if user.get("Entrypoint"):
        found.pop("cmd", None)  # a user's entrypoint switches the image's command off
    env = {name: value for name, value in image["env"].items() if name not in given["env"]}
    return {**found, "env": env}


def _ports(container: Json, exposed: Sequence[str]) -> dict[str, list[str]]:
    """The image's ports: those that are reached from outside, and the others."""
    host = container["HostConfig"]
    everything = host.get("PublishAllPorts") or host.get("NetworkMode") == "host"
    bound = host.get("PortBindings") or {}
    published = [port for port in exposed if everything or port in bound]
    return {
        "published": published,
        "unpublished": [port for port in exposed if port not in published],
    }


def _mount(mount: Json) -> dict[str, Any]:
    kind, source = mount.get("Type", ""), str(mount.get("Source", ""))
    writable = bool(mount.get("RW", True))
    machine = kind == "bind" and _below(source, _NO_DATA) and not _below(source, _DISKS)
    return {
        "type": kind,
        "path": clean_path(mount["Destination"]),
        "writable": writable,
        "anonymous": bool(_ANONYMOUS.fullmatch(volume_of(mount) or "")),
        "data": writable and kind != "tmpfs" and not machine,
    }


def _below(source: str, folders: Sequence[str]) -> bool:
    return any(f"{source}/".startswith(f"{folder}/") for folder in folders)


def _series(reference: str, env: Mapping[str, str]) -> str | None:
    """The part of a known image's stated version within which its data moves both ways."""
    known, version = is_stateful(reference), version_from(reference, env)
    if known is None or version is None:
        return None
    numbers = version.split(".")[: 1 if known.one_way is Bump.MAJOR else 2]
    return ".".join(numbers)
