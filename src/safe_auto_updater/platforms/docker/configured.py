"""How a person set a container up, as a hash: another one, and what failed by it is tried anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.codec import hash_of
from safe_auto_updater.platforms.docker.marks import MARK, USERS

Json = Mapping[str, Any]
_GIVEN = ("Hostname", "Image", "MacAddress", "Labels")  # by the engine, by an update, or in part


def configuration(container: Json) -> str:
    """Of raw inspect JSON what was asked for, without image, address and our own marks."""
    config = container["Config"]
    labels = config.get("Labels") or {}
    return hash_of(
        {
            "config": {key: value for key, value in config.items() if key not in _GIVEN},
            "labels": {key: labels[key] for key in labels if key not in (MARK, USERS)},
            "host": container["HostConfig"],
        }
    )
