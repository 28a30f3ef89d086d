"""Whether the addresses of an engine's containers mean them, as seen from where we run.

Engines on other machines, and rootless ones, give their containers the same private addresses, and
the loopback of the host's network is ours only where that network is ours too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.errors import NotFound
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.own import Own, is_here

Json = Mapping[str, Any]


class Nearness:
    """Asks each engine once where it is."""

    def __init__(self, own: Own) -> None:
        self._own = own
        self._told: dict[str, tuple[str | None, bool]] = {}

    def elsewhere(self, engine: DockerEngine, container: Json) -> str | None:
        """Why a container's addresses may be another's; None where they are its own.

        Raises what the engine raises.
        """
        if engine.name not in self._told:
            self._told[engine.name] = self._seen(engine)
        far, on_hosts_network = self._told[engine.name]
        if far is not None or on_hosts_network or not uses_hosts_network(container):
            return far
        return "it uses its host's network, and the program runs in a container that does not"

    def _seen(self, engine: DockerEngine) -> tuple[str | None, bool]:
        """Why an engine's containers are far from here, and whether its host's network is ours."""
        if self._own.id is None:
            if not is_here(engine, self._own):
                return f"engine {engine.name} runs on another machine, real or virtual", True
            options = engine.get("/info").get("SecurityOptions") or ()
            is_rootless = any("rootless" in option for option in options)
            return "its engine is rootless, with networks of its own" if is_rootless else None, True
        try:
            us = engine.get(f"/containers/{self._own.id.id}/json")
        except NotFound:
            return f"the program runs in a container that engine {engine.name} does not know", True
        return None, uses_hosts_network(us)


def uses_hosts_network(container: Json) -> bool:
    """Whether it has no network of its own, but that of the machine."""
    return bool((container.get("HostConfig") or {}).get("NetworkMode") == "host")
