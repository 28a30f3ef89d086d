"""Services of one test: made, changed by somebody else, and looked at."""

from __future__ import annotations

import contextlib
import copy
import json
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from lab import wire
from lab.behaviours import SECOND
from lab.images import Published
from tests.lab_kit import Lab, World, eventually

Json = dict[str, Any]
UPDATE: Json = {"FailureAction": "rollback", "Monitor": SECOND, "Parallelism": 1}
BACK: Json = {"Monitor": SECOND, "Parallelism": 0}
TASK_OF = "com.docker.swarm.service.name"
UNDER_WAY = ("updating", "rollback_started")


def manager(lab: Lab, *, leave: bool = False) -> None:
    """Make the lab's engine a manager, or no longer; fine where it is so already."""
    wanted = {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"}
    ask = ("/swarm/leave?force=1", None) if leave else ("/swarm/init", wanted)
    try:
        wire.call(lab.socket, "POST", *ask, timeout_s=60)
    except wire.EngineError as error:
        if error.status != 503:  # "is already part of a swarm", or is part of none
            raise
    eventually(
        lambda: wire.call(lab.socket, "GET", "/info")["Swarm"]["ControlAvailable"] is not leave, 30
    )


def pinned(image: Published) -> str:
    """An image as `docker service create` writes it."""
    return f"{image.reference}@{image.digest}"


class Services:
    """The services of one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def create(
        self, image: str, name: str = "web", replicas: int = 2, running: bool = True, **spec: Any
    ) -> str:
        """A service of this world and its tasks, running; its full name."""
        called = f"{self.world.prefix}-{name}"
        container = {"Image": image, **spec.pop("container", {})}
        wanted = {
            "Name": called,
            "TaskTemplate": {"ContainerSpec": container},
            "Mode": {"Replicated": {"Replicas": replicas}},
            "UpdateConfig": UPDATE,
            "RollbackConfig": BACK,
            **spec,
        }
        self.world.call("POST", "/services/create", wanted)
        if running:
            eventually(lambda: len(self.running(called)) >= min(replicas, 1) and self.settled(), 60)
        return called

    def get(self, name: str | None = None) -> Json:
        """The service as the engine tells it."""
        found: Json = self.world.call("GET", f"/services/{name or self.world.prefix + '-web'}")
        return found

    def spec(self) -> Json:
        """The spec of the one service."""
        found: Json = self.get()["Spec"]
        return found

    def image(self) -> str:
        """The image of the one service."""
        return str(self.spec()["TaskTemplate"]["ContainerSpec"]["Image"])

    def tasks(self, name: str | None = None) -> list[Json]:
        """All tasks that the engine remembers."""
        wanted = {"service": [name or f"{self.world.prefix}-web"]}
        query = urllib.parse.quote(json.dumps(wanted))
        found: list[Json] = self.world.call("GET", f"/tasks?filters={query}")
        return found

    def running(self, name: str | None = None) -> list[str]:
        """The image of each task that is to run and does."""
        return [
            task["Spec"]["ContainerSpec"]["Image"]
            for task in self.tasks(name)
            if task["DesiredState"] == task["Status"]["State"] == "running"
        ]

    def state(self) -> str | None:
        """The engine's word about the last update; None right after it was asked for one."""
        told: str | None = self.get().get("UpdateStatus", {}).get("State")
        return told

    def settled(self) -> bool:
        """Whether all that is to run does, and no update is under way."""
        state = self.state()
        waiting = [
            task
            for task in self.tasks()
            if task["DesiredState"] in ("ready", "running") and task["Status"]["State"] != "running"
        ]
        return state not in UNDER_WAY and not waiting

    def change(self, **more: Any) -> None:
        """Somebody's own `docker service update`: a change of the spec, deep in it."""

        def merged(old: Any, new: Any) -> Any:
            if not isinstance(new, Mapping):
                return new
            return {**(old or {}), **{k: merged((old or {}).get(k), v) for k, v in new.items()}}

        self._write(lambda spec: merged(copy.deepcopy(spec), more))

    def scale(self, replicas: int) -> None:
        """Somebody's own `docker service scale`."""
        self.change(Mode={"Replicated": {"Replicas": replicas}})

    def set_image(self, image: str) -> None:
        """Somebody's own `docker service update --image`."""
        self.change(TaskTemplate={"ContainerSpec": {"Image": image}})

    def go_back(self) -> None:
        """Somebody's own `docker service rollback`."""
        self._write(lambda spec: spec, "&rollback=previous")

    def _write(self, change: Callable[[Json], Json], more: str = "") -> None:
        """Again where the engine itself has written the service meanwhile."""
        for last in (False, False, True):
            service = self.get()
            where = f"/services/{service['ID']}/update?version={service['Version']['Index']}{more}"
            try:
                self.world.call("POST", where, change(service["Spec"]))
                return
            except wire.EngineError as error:
                if last or "out of sequence" not in str(error):
                    raise

    def clean(self) -> None:
        """Remove every service of this world, and wait for its tasks to end."""
        for service in self.world.call("GET", "/services"):
            if service["Spec"]["Name"].startswith(self.world.prefix):
                self.world.call("DELETE", f"/services/{service['ID']}")
        eventually(self._gone, 60)

    def _gone(self) -> bool:
        """Whether no container of our tasks is left; the engine keeps those of jobs."""
        left = [
            one
            for one in self.world.call("GET", "/containers/json?all=1")
            if one["Labels"].get(TASK_OF, "").startswith(self.world.prefix)
        ]
        for one in left:
            if one["State"] == "exited":
                with contextlib.suppress(wire.EngineError):  # the engine was faster
                    self.world.call("DELETE", f"/containers/{one['Id']}?force=1")
        return not left
