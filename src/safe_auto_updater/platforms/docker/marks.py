"""Labels and names: which are ours, and which of them a user set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.policy import LABEL_PREFIX

Json = Mapping[str, Any]
MARK = LABEL_PREFIX + "update"  # proves which update made a container
STAGED, PARKED = ".sau-next", ".sau-previous"  # fixed names: create answers 409 to a second actor


def policy_labels(container: Json, image: Json) -> tuple[tuple[str, str], ...]:
    """Our labels that a user set on the container; those the image brought set no policy."""
    brought = (image.get("Config") or {}).get("Labels") or {}
    labels = container["Config"].get("Labels") or {}
    return tuple(
        sorted(
            (key, value)
            for key, value in labels.items()
            if key.startswith(LABEL_PREFIX) and key != MARK and brought.get(key) != value
        )
    )
