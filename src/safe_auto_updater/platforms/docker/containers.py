"""Containers on one engine: small idempotent acts, each of which looks at what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.errors import NotFound, PlatformError, SafeAutoUpdaterError
from safe_auto_updater.core.model import Status
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.state import instant, status_of

Json = dict[str, Any]
LAST_WITH_MAC = (1, 51)
CREATE_S = 600.0  # an image may have much in the volumes that it declares
START_S = 120.0
STOP_GRACE_S = 10.0
STOP_FOREVER_S = 86400.0  # "wait for ever" (-1) ends for us after a day
_STOPPED = (Status.EXITED, Status.CREATED, Status.DEAD)


class Containers:
    """The container verbs of one engine."""

    def __init__(self, engine: DockerEngine) -> None:
        self.engine = engine

    def inspect(self, container: str) -> Json:
        """Raw inspect JSON. NotFound where there is none."""
        found: Json = self.engine.get(f"/containers/{container}/json")
        return found

    def settings(self, container: str) -> Json:
        """Inspect JSON, and the MAC address that was chosen for the main network.

        From API 1.52 on an engine tells that to older clients only.
        """
        found = self.inspect(container)
        if self.engine.api() <= LAST_WITH_MAC:
            return found
        chosen = self.engine.get_as(LAST_WITH_MAC, f"/containers/{container}/json")
        if chosen["Config"].get("MacAddress"):
            found["Config"]["MacAddress"] = chosen["Config"]["MacAddress"]
        return found

    def find(self, container: str) -> Json | None:
        """Raw inspect JSON by exact name or whole ID, or None."""
        try:
            found = self.inspect(container)
        except NotFound:
            return None
        exact = container in (found["Id"], found["Name"].lstrip("/"))
        return found if exact else None  # the engine also accepts beginnings of IDs

    def create(self, name: str, body: Mapping[str, Any]) -> Json:
        """Create under a name; PlatformError 409 where it is taken."""
        made = self.engine.post("/containers/create", body, name=name, timeout_s=CREATE_S)
        return self.inspect(made["Id"])

    def join(self, container: Json, wanted: Mapping[str, Mapping[str, Any]]) -> Json:
        """Connect a container to exactly these networks, with these endpoint settings."""
        if container["State"]["Running"]:
            return container
        joined = set(container["NetworkSettings"]["Networks"] or {})
        if joined == set(wanted):
            return container
        for network in joined - set(wanted):
            self.engine.post(f"/networks/{network}/disconnect", {"Container": container["Id"]})
        for network in [name for name in wanted if name not in joined]:
            body = {"Container": container["Id"], "EndpointConfig": wanted[network]}
            self.engine.post(f"/networks/{network}/connect", body)
        return self.inspect(container["Id"])

    def stop(self, container: Json) -> None:
        """Stop by the container's own signal and timeout, and wait for it."""
        if status_of(container) in _STOPPED:
            return
        timeout_s = stop_grace_s(container) + 60
        self.engine.post(f"/containers/{container['Id']}/stop", timeout_s=timeout_s)

    def retire(self, container: Json) -> None:
        """Stop it so that an engine that restarts, now or later, does not bring it back."""
        ran = status_of(container) not in _STOPPED
        self.stop(container)
        if ran and policy_name(container) in ("", "no", "unless-stopped"):
            return  # stopped on request, which the engine remembers: nothing brings it back
        self.restart_policy(container, {"Name": "no"})
        self.stop(self.inspect(container["Id"]))  # brought back between the two

    def start(self, container: Json) -> None:
        """Start; nothing happens where it runs already."""
        self.engine.post(f"/containers/{container['Id']}/start", timeout_s=START_S)

    def rename(self, container: Json, name: str) -> None:
        """Give it a name, unless it has it."""
        if container["Name"].lstrip("/") != name:
            self.engine.post(f"/containers/{container['Id']}/rename", name=name)
            container["Name"] = f"/{name}"

    def restart_policy(self, container: Json, policy: Mapping[str, Any]) -> None:
        """Set the restart policy, unless it is in force; everything else of the container stays."""
        current = container["HostConfig"]["RestartPolicy"]
        if (current["Name"] or "no") == (policy["Name"] or "no"):
            return  # the engine spells "never" in two ways and cannot go back to the empty one
        body = {"RestartPolicy": dict(policy)}
        self.engine.post(f"/containers/{container['Id']}/update", body)
        container["HostConfig"]["RestartPolicy"] = dict(policy)

    def remove(self, container: str, *, volumes: bool) -> None:
        """Remove a stopped container, with its own anonymous volumes or without any."""
        try:
            self.engine.delete(f"/containers/{container}", v="true" if volumes else "false")
        except NotFound:
            return
        except PlatformError as error:
            if error.status != 409 or "already in progress" not in str(error):
                raise


def policy_name(container: Json) -> str:
    """Its restart policy; empty and `no` are the same."""
    return str(container["HostConfig"]["RestartPolicy"]["Name"])


def stop_grace_s(container: Json) -> float:
    """How long the engine waits for a container to stop by itself before it kills it."""
    asked = float(container["Config"].get("StopTimeout") or STOP_GRACE_S)
    return asked if asked >= 0 else STOP_FOREVER_S


def out_of_service_s(stopped: Json, started: Json) -> float | None:
    """Seconds between one container's end and another's (or its own) next start, by the engine.

    0 where it never stopped; None where the engine's times do not tell.
    """
    end, begin = instant(stopped["State"]["FinishedAt"]), instant(started["State"]["StartedAt"])
    if end is None:
        return 0.0
    if begin is None or begin < end:
        return None
    return round(begin - end, 6)


def last_words(containers: Containers, container: Json, lines: int = 10) -> list[str]:
    """How a container ended and the end of its log, for whoever asks why it failed."""
    try:
        state = containers.inspect(container["Id"])["State"]
        told = f"exit code {state['ExitCode']}"
        words = [f"{told}: {state['Error']}" if state.get("Error") else told]
        log = containers.engine.text(
            f"/containers/{container['Id']}/logs", stdout="true", stderr="true", tail=str(lines)
        )
    except SafeAutoUpdaterError as error:
        return [f"its log could not be read: {error}"]
    return words + log.splitlines()[-lines:]
