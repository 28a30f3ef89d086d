"""The HEALTHCHECK in force in a service's tasks, and how long it needs for its word. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.platforms.docker.swarm.view import container_spec

Json = Mapping[str, Any]
NANO = 1e9


def healthcheck_of(spec: Json, image: Json | None) -> Json | None:
    """The service's own over that of its image, key by key; None where there is none.

    `image` is the image's inspect JSON, None where this engine does not have it.
    """
    own = container_spec(spec).get("Healthcheck") or {}
    brought = ((image or {}).get("Config") or {}).get("Healthcheck") or {}
    check = {**brought, **{key: value for key, value in own.items() if value}}
    return check if (check.get("Test") or ["NONE"])[0] != "NONE" else None


def verdict_s(check: Json | None) -> float:
    """How long a task may need until its HEALTHCHECK has called it unhealthy for good."""
    if check is None:
        return 0.0
    tries = (seconds(check, "Interval") or 30.0) * (check.get("Retries") or 3)
    return float(seconds(check, "StartPeriod") + tries)


def seconds(config: Json, key: str) -> float:
    """A time that the engine counts in nanoseconds; 0 where there is none."""
    return float(config.get(key) or 0) / NANO
