"""A container as health checks see it: where it can be reached, and its raw attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.ports import Subject
from safe_auto_updater.core.updater import Work


def subject_of(work: Work, container: Mapping[str, Any]) -> Subject:
    """Addresses are those of the container's own networks, or loopback on the host's network."""
    if container.get("HostConfig", {}).get("NetworkMode") == "host":
        addresses: tuple[str, ...] = ("127.0.0.1",)
    else:
        networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
        addresses = tuple(e["IPAddress"] for e in networks.values() if e.get("IPAddress"))
    return Subject(work.step.asset, work.change.container, addresses, container)
