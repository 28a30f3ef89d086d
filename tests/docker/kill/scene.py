"""A container worth keeping, an update for it, and `sau` started so that it can be hit."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab import wire
from lab.behaviours import HEALTHCHECK, SECOND
from safe_auto_updater.engine.journal import Journal, Record
from safe_auto_updater.engine.state import open_state
from tests import spawner
from tests.docker.kill.killable import BOTH_RUN
from tests.lab_kit import Lab, World

KILL = ("unwritten", "written", "unasked", "sent", "answered", "streamed", "unseen")
"""Kinds of instants at which the process is killed."""
ENGINE = ("sent", "answered", "streamed", "unseen")
"""Kinds at which the engine is: a journal row is nothing to the engine."""


@dataclass(frozen=True)
class Scenario:
    """One update: what the new image is, and whether it is a newer tag or the same one, moved."""

    name: str
    instants: int  # how many there are at most, of KILL; held against an undisturbed run
    engine_instants: int  # the same, of ENGINE
    image: Mapping[str, Any] = field(default_factory=dict)
    old_image: Mapping[str, Any] = field(default_factory=dict)
    restart: str = "always"
    stop_timeout_s: int = 2  # recovery waits it out where a stop may be under way
    moved: bool = False
    published: bool = False
    ends: str = "rolled_back"


QUICK = HEALTHCHECK | {"Interval": SECOND // 10}
SCENARIOS = (
    Scenario("good", 51, 23, ends="succeeded"),
    Scenario("crash", 78, 40, {"behaviour": "crash"}, published=True),
    Scenario("unhealthy", 87, 46, {"behaviour": "unhealthy", "healthcheck": QUICK}, moved=True),
    Scenario("refused", 27, 9, {"entrypoint": ()}, published=True, ends="aborted"),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
AT_ONCE = (1, 44)
"""From this API on a container is in all its networks when it is created: one call less."""


def instants(scenario: Scenario, lab: Lab, kinds: Sequence[str] = KILL) -> int:
    """How many instants of these kinds, KILL or ENGINE, an update has on this engine."""
    most = scenario.instants if kinds == KILL else scenario.engine_instants
    if lab.engine_api < AT_ONCE or scenario.ends == "aborted":
        return most
    return most - sum(kind in kinds for kind in ("unasked", "sent", "answered"))


def every(lab: Lab, kinds: Sequence[str] = KILL) -> list[tuple[str, int]]:
    """Every instant of every scenario on this engine, as the scenario's name and its number."""
    return [(s.name, at) for s in SCENARIOS for at in range(1, instants(s, lab, kinds) + 1)]


def instants_anywhere(kinds: Sequence[str] = KILL, each: int = 1) -> list[Any]:
    """Parameters `name` and `at` for each of them; one that an engine has not is left out there."""

    def there(name: str, at: int) -> Callable[[Lab], bool]:
        return lambda lab: at <= instants(BY_NAME[name], lab, kinds)

    most = [(s, s.instants if kinds == KILL else s.engine_instants) for s in SCENARIOS]
    return [
        pytest.param(s.name, at, marks=pytest.mark.engines(there(s.name, at)))
        for s, last in most
        for at in range(1, last + 1, each)
    ]


@dataclass(frozen=True)
class Said:
    """How one run of `sau` ended."""

    code: int
    text: str
    reached: tuple[str, ...] = ()


class Scene:
    """The container as it was before, and everything to run `sau` on it."""

    def __init__(self, world: World, scenario: Scenario, state: Path | None = None) -> None:
        self.world, self.scenario = world, scenario
        self.folder = world.state_dir
        self.state = state or self.folder / "state"
        self.old_tag, self.new_tag = "1.0.0", "1.0.0" if scenario.moved else "1.1.0"
        self.old_text, self.new_text = f"{world.prefix} old", f"{world.prefix} new"
        old = world.publish(
            self.old_tag, version=self.old_text, volumes=("/data",), **scenario.old_image
        )
        container = world.run(old.reference, **self._body())
        other = world.network("back")
        joined = {"Container": container, "EndpointConfig": {"Aliases": ["web-back"]}}
        world.call("POST", f"/networks/{other}/connect", joined)
        # /lab/www is a volume of the new image only: it carries the text, which proves whose it is.
        self.new = world.publish(
            self.new_tag,
            **{"version": self.new_text, "volumes": ("/data", "/lab/www"), **scenario.image},
        )
        world.text(container)
        self.before = world.get(container)
        self.data = next(m for m in self.before["Mounts"] if m["Destination"] == "/data")
        (Path(self.data["Source"]) / "kept").write_text(world.prefix)
        self.tags = self.tags_now()
        self.volumes = self.volumes_now()
        self.config = self.folder / "config.yml"
        self.config.write_text(self._config())

    def _body(self) -> dict[str, Any]:
        front = self.world.network("front")
        policy = {"Name": self.scenario.restart}
        host: dict[str, Any] = {"RestartPolicy": policy, "NetworkMode": front}
        if self.scenario.published:
            port = str(random.SystemRandom().randrange(20000, 32000))
            host["PortBindings"] = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": port}]}
        endpoint = {front: {"Aliases": ["web-front"]}}
        return {
            "StopTimeout": self.scenario.stop_timeout_s,
            "HostConfig": host,
            "NetworkingConfig": {"EndpointsConfig": endpoint},
        }

    def _config(self) -> str:
        return json.dumps(
            {
                "inventory": {
                    "docker": [{"name": "local", "host": self.world.lab.docker_host}],
                    "include": [f"*/{self.world.prefix}-*"],
                },
                "detection": {
                    "registries": [{"host": self.world.lab.registry, "plain_http": True}]
                },
                "execution": {"health": {"timeout": "5s", "stable_for": "300ms"}},
            }
        )

    @property
    def container(self) -> str:
        """The asset's name on the command line."""
        return str(self.before["Name"].lstrip("/"))

    @property
    def apply(self) -> tuple[str, ...]:
        """The update that everything is about."""
        return ("apply", "--yes", self.container)

    def sau(self, *words: str) -> Said:
        """The program as a user starts it."""
        return self._run([spawner.SAU], words)

    def hit(self, *words: str, action: str, at: int | str | None, **more: Any) -> Said:
        """The program, with `action` at instant `at`; what it reached is told."""
        trace = self.folder / f"trace-{time.monotonic_ns()}"
        spec = self.folder / "spec.json"
        told = {"trace": str(trace), "kinds": KILL, "action": action, "at": at, **more}
        spec.write_text(json.dumps(told))
        said = self._run([spawner.KILLABLE, str(spec), "--"], words)
        reached = trace.read_text().splitlines() if trace.exists() else []
        assert BOTH_RUN not in reached, f"old and new ran together: {said.text}"
        return Said(said.code, said.text, tuple(reached))

    def _run(self, program: list[str], words: tuple[str, ...]) -> Said:
        options = ["--state", str(self.state), "--config", str(self.config)]
        command = [*program, *options, *words]
        done = spawner.run(command, self._environment(), timeout_s=120, one_stream=True)
        return Said(done.returncode, done.stdout)

    def _environment(self) -> dict[str, str]:
        """As a user has it: the program's bytecode is kept from run to run."""
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return kept | {"PYTHONPYCACHEPREFIX": str(self.world.lab.layout.clone / ".lab/pycache")}

    def journal(self) -> tuple[Record, ...]:
        """What the journal says, newest first."""
        if not (self.state / "state.db").exists():
            return ()
        connection = open_state(self.state)
        try:
            return Journal(connection, time.time).history()
        finally:
            connection.close()

    def tags_now(self) -> dict[str, str]:
        """Where the local tags of this repository point."""
        listed = self.world.call("GET", "/images/json")
        return {
            tag: image["Id"]
            for image in listed
            for tag in image["RepoTags"] or ()
            if tag.startswith(f"{self.world.repository}:")
        }

    def volumes_now(self) -> set[str]:
        """Every volume that is provably of this scene; on an engine of our own, every volume."""
        listed = self.world.call("GET", "/volumes")["Volumes"] or []
        if self.world.lab.layout.instance:
            return {one["Name"] for one in listed}
        return {one["Name"] for one in listed if self._is_ours(Path(one["Mountpoint"]))}

    def _is_ours(self, folder: Path) -> bool:
        for file in ("kept", "index.html"):
            try:
                if self.world.prefix in (folder / file).read_text():
                    return True
            except OSError:
                pass  # not there, or gone while we looked
        return False

    def read(self, container: str, path: str) -> str:
        """What a file in a container says, as that container sees it."""
        try:
            return str(self.world.call("GET", f"/containers/{container}/archive?path={path}"))
        except wire.EngineError as error:
            return str(error)
