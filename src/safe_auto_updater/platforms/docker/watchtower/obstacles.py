"""Why a container must not be left to Watchtower, whatever our own updater could do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.model import Obstacle
from safe_auto_updater.platforms.docker.watchtower.changes import anonymous_volumes
from safe_auto_updater.platforms.docker.watchtower.selection import PREFIX, go_bool, left_alone

Json = Mapping[str, Any]
WATCHTOWER = "watchtower"


def in_its_way(container: Json) -> tuple[Obstacle, ...]:
    """Each with its remedy."""
    found = []
    volumes = anonymous_volumes(container)
    if volumes:
        found.append(
            f"Watchtower would leave what is in {', '.join(volumes)} behind, volumes without a "
            "name: name them, or docker_updater native"
        )
    if container["HostConfig"].get("AutoRemove"):
        found.append("started with --rm, which Watchtower cannot keep: docker_updater native")
    label = left_alone(container)
    if label is not None:
        found.append(f"Watchtower leaves it alone (label {label}): docker_updater native")
    if go_bool((container["Config"].get("Labels") or {}).get(PREFIX)):
        found.append("this is Watchtower itself: docker_updater native")
    return tuple(Obstacle(WATCHTOWER, reason, only_by=WATCHTOWER) for reason in found)
