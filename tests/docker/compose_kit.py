"""A Docker Compose project of a test, with the real `docker compose` at work on it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lab_kit import Lab, World, eventually
from tests.lacking import lacking

PREFIX = "com.docker.compose."


@pytest.fixture
def program(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real plugin, where `sau` finds it as on any machine: in Docker's configuration folder."""
    found = Path(lab.compose)
    if not lab.compose:
        why = "needs docker compose, which comes with the lab's newer engines"
        lacking(why)
    folder = tmp_path / "docker"
    (folder / "cli-plugins").mkdir(parents=True)
    (folder / "cli-plugins/docker-compose").symlink_to(found)
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return found


class Project:
    """Compose files in a folder, and the project that was made from them."""

    def __init__(self, world: World, program: Path, folder: Path, *options: str) -> None:
        self.world, self.name = world, world.prefix
        self.program, self.folder = program, folder
        self.options = options
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, text: str, file: str = "compose.yml") -> Path:
        """Write one file; its path."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    def read(self, file: str = "compose.yml") -> str:
        """One file."""
        return (self.folder / file).read_bytes().decode()

    def __call__(self, *words: str) -> str:
        """One command, as a person gives it in the folder; what it said on both streams."""
        done = subprocess.run(
            [str(self.program), "-p", self.name, "--ansi", "never", *self.options, *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
            env=os.environ
            | {"DOCKER_HOST": f"unix://{self.world.lab.socket}", "PWD": str(self.folder)},
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def up(self, *words: str) -> str:
        """`up -d`; what it did with containers and networks, pulling left out."""
        lines = self("up", "-d", *words).splitlines()
        return "\n".join(line for line in lines if re.match(r"\s*(Container|Network|Volume)", line))

    def settle(self) -> None:
        """Wait until each container that has a health check is healthy."""
        eventually(lambda: "starting" not in {self.world.health(one) for one in self.world.ids()})

    def container(self, service: str, number: int = 1) -> dict[str, Any]:
        """Inspect a service's container."""
        return self.world.get(f"{self.name}-{service}-{number}")

    def labels(self, service: str) -> dict[str, str]:
        """What Compose's labels on a service's container say."""
        labels = self.container(service)["Config"]["Labels"]
        return {k.removeprefix(PREFIX): v for k, v in labels.items() if k.startswith(PREFIX)}

    def sh(self, script: str, *words: str, service: str = "web") -> str:
        """What a script says that root runs in a service's container."""
        shell = ("/bin/busybox", "sh", "-c", script)
        return self("exec", "-T", "-u", "0", service, *shell, *words)

    def ps(self) -> dict[str, tuple[str, str]]:
        """State and image of each service, as `ps` tells them."""
        lines = self("ps", "--all", "--format", "json").splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return {one["Service"]: (one["State"], one["Image"]) for one in found}

    def assert_settled(self) -> None:
        """`up -d` finds everything running and makes nothing anew; `ps` knows every service."""
        before = self.world.ids()
        said = self.up()
        assert self.world.ids() == before, said
        assert not re.search(r"Recreat|Creat|Start|Stop|Remov", said), said
        assert said.count("Running") == len(self.ps()), said
        assert {state for state, _ in self.ps().values()} == {"running"}
