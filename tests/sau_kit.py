"""The real program as a person runs it: `sau` in a process of its own, against one world."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safe_auto_updater.engine.journal import Journal, Record
from safe_auto_updater.engine.state import open_state
from tests import spawner
from tests.lab_kit import World

SOAK = "stable_for: 1s"


@dataclass(frozen=True)
class Said:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on standard output."""
        assert self.out, self.err
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def update(self) -> dict[str, Any]:
        """The one update that was made."""
        (only,) = self.json["updates"]
        found: dict[str, Any] = only
        return found

    def step(self, name: str) -> dict[str, Any]:
        """A plan's step for the container of this name."""
        (only,) = [step for step in self.json["steps"] if step["asset"].endswith(f"/{name}")]
        found: dict[str, Any] = only
        return found


class Program:
    """`sau` with a state folder and a configuration of its own."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.config = folder / "sau.yml"

    @property
    def command(self) -> list[str]:
        """The command with its global options."""
        return [spawner.SAU, "--config", str(self.config), "--state", str(self.state)]

    def __call__(self, *words: str, json_output: bool = True, timeout_s: float = 90) -> Said:
        """Run one command to its end."""
        form = ["--output", "json"] if json_output else []
        done = spawner.run([*self.command, *words, *form], os.environ, timeout_s)
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def journal(self) -> tuple[Record, ...]:
        """What the journal says, newest first."""
        if not (self.state / "state.db").exists():
            return ()
        connection = open_state(self.state)
        try:
            return Journal(connection, time.time).history()
        finally:
            connection.close()

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Run one command beside us."""
        return subprocess.Popen(
            [*self.command, *words, "--output", "json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=os.environ,
        )


class Sau(Program):
    """`sau` with a state folder and a configuration that sees only one world's containers."""

    def __init__(self, world: World, folder: Path, health: str = SOAK, extra: str = "") -> None:
        super().__init__(folder)
        self.world = world
        self.configure(health, extra)

    def configure(self, health: str = SOAK, extra: str = "") -> None:
        """Write the configuration: `health` as keys of execution.health, `extra` as more YAML."""
        self.config.write_text(
            f'inventory:\n  include: ["*/{self.world.prefix}-*"]\n'
            f"execution:\n  health: {{timeout: 15s, {health}}}\n{extra}"
        )
