"""A container as health checks see it: where it can be reached, and its raw attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.ports import Subject
from safe_auto_updater.core.updater import Work
from safe_auto_updater.platforms.docker.nearness import uses_hosts_network


def subject_of(work: Work, container: Mapping[str, Any]) -> Subject:
    """Addresses are those of the container's own networks, or loopback on the host's network."""
    if uses_hosts_network(container):
        addresses: tuple[str, ...] = ("127.0.0.1",)
    else:
        networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
        told = (e.get("IPAddress") or e.get("GlobalIPv6Address") for e in networks.values())
        addresses = tuple(address for address in told if address)
    return Subject(work.step.asset, work.change.container, addresses, container)
