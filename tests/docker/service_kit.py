"""`sau run` beside a test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.lab_kit import eventually
from tests.sau_kit import Program

ENABLED = {"Labels": {"safe-auto-updater.enable": "true"}}


class Service:
    """The service on one state folder; its log is JSON."""

    def __init__(self, sau: Program, folder: Path) -> None:
        self.sau = sau
        self._log = folder / "service.log"
        self._read = 0  # bytes of it that are in _told
        self._told: list[dict[str, Any]] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it does."""
        return self._process is not None and self._process.poll() is None

    def start(self, *words: str) -> None:
        """Start it, and wait until it has begun."""
        before = len(self.events("service"))
        command = [*self.sau.command, "--log", "json", "run", *words]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, env=os.environ)
        eventually(lambda: len(self.events("service")) > before or not self.runs, 60)
        assert self.runs or "--once" in words, self._log.read_text()

    def cycles(self) -> int:
        """How many have ended."""
        return len(self.events("cycle"))

    def next_cycle(self, timeout_s: float = 60) -> None:
        """Wait until one more has ended."""
        seen = self.cycles()
        eventually(lambda: self.cycles() > seen, timeout_s)

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """What it has told of these kinds, oldest first."""
        if self._log.exists():
            with self._log.open("rb") as log:
                log.seek(self._read)
                for line in log:
                    if not line.endswith(b"\n"):
                        break  # it is being written
                    self._read += len(line)
                    if line.startswith(b"{"):
                        self._told.append(json.loads(line))
        return [one for one in self._told if one["kind"] in kinds]

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self, timeout_s: float = 60) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None
        return self._process.wait(timeout_s)

    def kill(self) -> None:
        """SIGKILL."""
        self.signal(signal.SIGKILL)
        self.ended()

    def end(self) -> None:
        """After the test: it may not have failed in a way of its own."""
        if self.runs:
            self.kill()
        text = self._log.read_text() if self._log.exists() else ""
        assert "Traceback" not in text, text
