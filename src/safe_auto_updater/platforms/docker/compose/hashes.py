"""The configuration hash of a container that takes another one's place.

Compose writes the hash of a service's configuration on its containers, and re-creates those whose
hash is another one. Where a service shares a namespace or volumes with another service, the hash is
made with the ID of that one's container in place of its name.
Source: docker/compose, pkg/compose/hash.go and convergence.go.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from safe_auto_updater.platforms.docker.compose.command import ComposeCommand
from safe_auto_updater.platforms.docker.compose.errors import Unclear
from safe_auto_updater.platforms.docker.compose.labels import ComposeService

Json = Mapping[str, Any]
_WITH_EXTENSIONS = ("services", "networks", "volumes", "configs", "secrets")
_SHARED = {"network_mode": "NetworkMode", "pid": "PidMode", "ipc": "IpcMode"}


def as_run(model: Json, service: str, host: Json, image: str | None = None) -> dict[str, Any]:
    """A model in which one service shares what a `HostConfig` says, and has an image. Pure."""
    found: dict[str, Any] = copy.deepcopy(dict(model))
    one = (found.get("services") or {}).get(service)
    if not isinstance(one, dict):
        raise Unclear(f"the files name no service {service} any more")
    for key, of_host in _SHARED.items():
        mode = str(host.get(of_host) or "")
        if str(one.get(key) or "").startswith("service:") and mode.startswith("container:"):
            one[key] = mode
    if one.get("volumes_from") and host.get("VolumesFrom"):
        one["volumes_from"] = [source.partition(":")[0] for source in host["VolumesFrom"]]
    if image is not None:
        one["image"] = image.replace("$", "$$")
    return found


def without_extensions(model: Json) -> dict[str, Any]:
    """A model without the `x-` keys, which mean nothing to Compose; anchors live there. Pure."""
    found = {key: one for key, one in model.items() if not key.startswith("x-")}
    for kind in _WITH_EXTENSIONS:
        for name, one in (found.get(kind) or {}).items():
            if isinstance(one, dict):
                kept = {key: value for key, value in one.items() if not key.startswith("x-")}
                found[kind] = {**found[kind], name: kept}
    return found


def shares(old: Json, host: Json) -> bool:
    """Whether a container has to share with others than the one whose place it takes."""
    keys = (*_SHARED.values(), "VolumesFrom")
    return any((old["HostConfig"].get(key) or None) != (host.get(key) or None) for key in keys)


def hash_after(
    command: ComposeCommand, service: ComposeService, old: Json, host: Json, image: str | None
) -> str:
    """The hash of the service on another image (None: the same), sharing what `host` says.

    Unclear where the files do not say what runs: then Compose re-creates it, update or not.
    """
    model = command.model(service)
    assert_as_labelled(command, service, model, old)
    return command.hashes(service, as_run(model, service.service, host, image))[service.service]


def assert_as_labelled(
    command: ComposeCommand, service: ComposeService, model: Json, old: Json
) -> None:
    """The files say of the service what is on its container, but for the image; else Unclear."""
    image = str(old["Config"]["Image"])
    now = command.hashes(service, as_run(model, service.service, old["HostConfig"], image))
    if now.get(service.service) != service.config_hash:
        if ((model.get("services") or {}).get(service.service) or {}).get("use_api_socket"):
            raise Unclear(
                f"service {service.service} has use_api_socket, with which only Compose itself can "
                "tell the hash of its configuration"
            )
        raise Unclear(
            f"what its files say of service {service.service} is not what runs (by the hash of its "
            "configuration): `docker compose up -d` would create it once more. Do that first"
        )
