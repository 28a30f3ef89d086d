"""A container that a Watchtower looks after, new content behind its tag, and `sau` beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any

import pytest

from lab import images
from safe_auto_updater.platforms.docker.networks import endpoints
from tests.docker.watchtower.forward import Forward
from tests.docker.watchtower.real import PROGRAM, RealWatchtower, line_of
from tests.docker.watchtower.standin import LINES, StandIn, Ways
from tests.lab_kit import World, eventually
from tests.sau_kit import SOAK, Said, Sau

TOKEN = "a-token-for-tests"
# The original reads names as engines without containerd's store do, and no newer ones.
_WHERE = {"original": [pytest.mark.engines(lambda lab: not lab.containerd_store)], "fork": []}
PARAMS = [
    pytest.param(line, marks=_WHERE[line]) for line in ([line_of(PROGRAM)] if PROGRAM else LINES)
]


class Scene:
    """One world with a Watchtower in it."""

    def __init__(self, world: World, sau: Sau, registry: str, line: str, ways: Ways) -> None:
        self.world, self.sau, self.registry, self.line = world, sau, registry, line
        self.repository = f"{registry}/{world.name}"
        self.reference = f"{self.repository}:1.0.0"
        self.token_file = world.state_dir / "token"
        self.token_file.write_text(f"{TOKEN}\n")
        ours = f"{world.prefix}-.*" if ways.watches == ".*" else ways.watches
        if PROGRAM:
            log = world.state_dir / "watchtower.log"
            self.watchtower: RealWatchtower | StandIn = RealWatchtower(
                world.lab, TOKEN, log, ours, ways.cleanup
            )
        else:
            ways.watches = ours
            self.watchtower = StandIn(world.lab, line, TOKEN, ways)
        self.before: dict[str, Any] = {}
        self.configure()

    @cached_property
    def network(self) -> str:
        """One of its own.

        Engines before 28 make a MAC address of the IP address, and the original copies it: on a
        network that others use too, somebody else's container would be given the same.
        """
        return self.world.network("watched")

    def configure(self, health: str = SOAK, more: str = "", timeout: str = "20s") -> None:
        """`more` is YAML on the top level."""
        self.sau.configure(
            health,
            "  docker_updater: watchtower\n"
            f"  watchtower: {{url: '{self.watchtower.url}', token_file: {self.token_file}, "
            f"timeout: {timeout}}}\n"
            "detection:\n  policy: digest\n"
            f"  registries: [{{host: {self.registry}, plain_http: true}}]\n{more}",
        )

    def publish(self, text: str, tag: str = "1.0.0", **recipe: Any) -> images.Published:
        """New content behind a tag; it serves `text`."""
        return self.world.publish(tag, version=f"{self.world.prefix} {text}", **recipe)

    def run(self, name: str = "web", **body: Any) -> dict[str, Any]:
        """A container on what is published now."""
        host = {"NetworkMode": self.network, **body.pop("HostConfig", {})}
        container = self.world.run(self.reference, name, HostConfig=host, **body)
        self.world.text(container)
        return self.world.get(container)

    def serves(self, text: str, name: str = "web") -> bool:
        """Whether a container serves this text, at once or in a moment."""
        wanted = f"{self.world.prefix} {text}"
        return bool(eventually(lambda: self.world.http(name) == wanted))

    def apply(self, name: str = "web") -> Said:
        """The update that it is all about."""
        return self.sau("apply", "--yes", f"{self.world.prefix}-{name}")

    def plan(self, name: str = "web") -> dict[str, Any]:
        """The plan's step for a container."""
        return self.sau("plan").step(f"{self.world.prefix}-{name}")

    def shown(self, said: Said) -> str:
        """What `sau show` tells of the update, on one line."""
        told = self.sau("show", said.update["id"], json_output=False)
        return " ".join(told.out.split())


@contextmanager
def scene_on(world: World, sau: Sau, line: str, ways: Ways) -> Iterator[Scene]:
    """A scene, and its end."""
    with ExitStack() as closing:
        registry = world.lab.registry
        if not world.lab.containerd_store:
            registry = closing.enter_context(Forward(registry)).host
        scene = Scene(world, sau, registry, line, ways)
        closing.callback(scene.watchtower.close)
        yield scene


def only_standin() -> None:
    """Leave out what a real one does not do on demand."""
    if PROGRAM:
        pytest.skip("a real Watchtower does not do this on demand")


def assert_equivalent(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Everything a user set is as it was; only what is new with any container differs."""
    assert now["Name"] == before["Name"]
    assert now["Image"] == before["Image"]
    assert now["HostConfig"] == before["HostConfig"]
    assert now["Mounts"] == before["Mounts"]
    assert endpoints(now) == endpoints(before)
    assert _config(now) == _config(before)


def _config(container: dict[str, Any]) -> dict[str, Any]:
    """What was set, without our labels and the host name, which the engine makes from the ID."""
    config = dict(container["Config"])
    del config["Hostname"]
    labels = config["Labels"] or {}
    return config | {"Labels": {k: v for k, v in labels.items() if "safe-auto-updater." not in k}}
