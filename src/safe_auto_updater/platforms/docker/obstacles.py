"""Why a container must not be updated, and who manages it. Pure, over raw inspect JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.model import Obstacle
from safe_auto_updater.platforms.docker.compose.labels import CONFIG_HASH, PROJECT
from safe_auto_updater.platforms.docker.foreign import owner_of, ownership
from safe_auto_updater.platforms.docker.own import Own
from safe_auto_updater.platforms.docker.swarm.view import SERVICE_NAME

Json = Mapping[str, Any]


def manager_of(container: Json, image: Json) -> str | None:
    """Whoever may create the container again: its owner, `swarm:<service>`, `compose:<project>`."""
    owner = owner_of(container, image)
    if owner is not None:
        return owner.word
    labels = container["Config"].get("Labels") or {}
    if SERVICE_NAME in labels:
        return f"swarm:{labels[SERVICE_NAME]}"
    if PROJECT in labels and CONFIG_HASH in labels:  # images that Compose built bring the first
        return f"compose:{labels[PROJECT]}"
    return None


def obstacles_of(container: Json, image: Json, own: Own) -> tuple[Obstacle, ...]:
    """Every reason in itself to leave this container alone, each with its remedy."""
    found = [*ownership(container, image)]
    labels = container["Config"].get("Labels") or {}
    if own.is_it(container) and (why := own.hindrances(container)):
        fact = "this is the program's own container and cannot hand over to a new one"
        found.append(Obstacle("self", f"{fact}: {'; '.join(why)}. Update it from outside"))
    if container["HostConfig"].get("AutoRemove"):
        found.append(
            Obstacle("auto-remove", "started with --rm: stopping it would delete the way back")
        )
    if SERVICE_NAME in labels:
        found.append(
            Obstacle("swarm", f"a task of Swarm service {labels[SERVICE_NAME]}; update the service")
        )
    return tuple(found)
