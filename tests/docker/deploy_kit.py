"""What `deploy/compose` ships, brought up on the lab with the image that is built here."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from lab import built_image, images, wire
from tests.docker.compose_kit import Project
from tests.lab_kit import World, eventually

SHIPPED = Path(__file__).parents[2] / "deploy" / "compose"
FORWARD = str(Path(__file__).with_name("forward.py"))
HURRY = {"interval": "3s"}
ENABLED = {"safe-auto-updater.enable": "true"}


def hurried(world: World, detection: Mapping[str, Any], execution: Mapping[str, Any]) -> str:
    """The shipped configuration with what a test must say besides."""
    said = yaml.safe_load((SHIPPED / "config/sau.yml").read_text())
    said["detection"]["registries"] = [{"host": world.lab.registry, "plain_http": True}]
    said["detection"] |= detection
    said["execution"]["health"] = {"timeout": "90s", "stable_for": "1s"}
    said["execution"] |= execution
    said = {"inventory": {"include": [f"*/{world.prefix}-*"]}} | said
    return str(yaml.safe_dump(said, sort_keys=False))


class Deployment(Project):
    """The shipped files in a folder; only names of images, and where the socket is, are others."""

    def __init__(
        self, world: World, program: Path, folder: Path, image: str, *files: str, **names: str
    ) -> None:
        options = [word for file in files for word in ("-f", file)]
        shutil.copytree(SHIPPED, folder)
        super().__init__(world, program, folder, *options)
        socket = world.lab.socket
        names |= {"SAU_IMAGE": image, "PROXY_IMAGE": built_image.BASE, "DOCKER_SOCKET": str(socket)}
        names["DOCKER_GID"] = str(socket.stat().st_gid)
        self.write("".join(f"{key}={value}\n" for key, value in names.items()), ".env")
        self.configure()

    def configure(self, detection: Mapping[str, Any] = HURRY, **execution: Any) -> None:
        """The shipped configuration, of this test's containers alone, and in a hurry."""
        self.write(hurried(self.world, detection, execution), "config/sau.yml")

    def start(self) -> None:
        """As its page says; until the service is healthy."""
        self("up", "-d", "--wait")

    @property
    def service(self) -> dict[str, Any]:
        """Our own container; while it hands over nobody has the name for a moment."""

        def named() -> dict[str, Any] | None:
            try:
                return self.container("safe-auto-updater")
            except wire.EngineError:
                return None

        found = eventually(named)
        assert found is not None
        return found

    def sau(self, *words: str) -> Any:
        """What the program says in JSON."""
        return json.loads(
            self.docker("exec", self.service["Id"], "sau", *words, "--output", "json")
        )

    def outcomes(self) -> list[tuple[str, str | None]]:
        """Asset's name and outcome of each update, newest first."""
        told = self.sau("history")["updates"]
        return [(one["asset"].rpartition("/")[2], one["outcome"]) for one in told]

    def refused(self) -> list[str]:
        """What the socket proxy has let nobody ask."""
        lines = self("logs", "--no-log-prefix", "socket-proxy").splitlines()
        return [line for line in lines if line.startswith("403 ")]

    @contextmanager
    def registry(self) -> Iterator[None]:
        """The lab's registry on the loopback of our own container, as it is on the engine's."""
        found = self.service
        networks = found["NetworkSettings"]["Networks"]
        gateway = networks[f"{self.name}_outside"]["Gateway"]
        port = self.world.lab.registry.rpartition(":")[2]
        inside = ["nsenter", f"--net=/proc/{found['State']['Pid']}/ns/net"]
        outer = [sys.executable, FORWARD, "5999", "127.0.0.1", port, gateway]
        inner = [*inside, sys.executable, FORWARD, port, gateway, "5999", "127.0.0.1"]
        with ExitStack() as ending:
            for words in (outer, inner):
                process = subprocess.Popen(words)
                ending.callback(process.wait)
                ending.callback(process.kill)
            time.sleep(0.5)
            yield

    def push(self, image: str, name: str) -> str:
        """An image of the engine under a name in this test's part of the registry."""
        reference = f"{self.world.lab.registry}/{self.world.prefix}/{name}"
        for words in (("tag", image, reference), ("push", "--quiet", reference)):
            self.docker(*words)
        return reference

    def publish_next(self, image: str) -> None:
        """Let `sau:0.1` in the registry lead to another image; the engine learns it by pulling."""
        self.push(image, "sau:next")
        images.tag(self.world.lab.registry, f"{self.world.prefix}/sau", "next", "0.1")

    def docker(self, *words: str) -> str:
        """A command of the `docker` program."""
        lab = self.world.lab
        done = subprocess.run(
            [lab.docker, "--host", lab.docker_host, *words], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def forget_images(self) -> None:
        """Take away what `push` and `another` have made."""
        listed = self.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
        for name in listed:
            if self.world.prefix in name and "<none>" not in name:
                self.docker("image", "rm", "--force", name)

    def another(self, image: str, folder: Path, *lines: str) -> str:
        """A newer version of our own image: the same with these lines at its end."""
        folder.mkdir()
        (folder / "Dockerfile").write_text("\n".join([f"FROM {image}", *lines]) + "\n")
        tag = f"safe-auto-updater:{self.world.prefix}-{folder.name}"
        built_image.build(self.world.lab.docker, self.world.lab.layout, tag, folder)
        return tag


def serves(world: World, text: str) -> bool:
    """Whether the container has the name and serves this; for a moment nobody has, or does."""
    try:
        return world.http("web") == text
    except (wire.EngineError, http.client.HTTPException):
        return False


def labelled(world: World, **recipe: Any) -> str:
    """A container that the service may update by itself."""
    world.publish("1.0.0", **recipe)
    container = world.run(f"{world.repository}:1.0.0", Labels=ENABLED)
    world.text("web")
    return container
