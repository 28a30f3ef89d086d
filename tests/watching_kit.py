"""A service that watches, beside a test: what it has heard of, told and shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.docker.remote_kit import free_port
from tests.docker.service_kit import Service
from tests.lab_kit import eventually, fetch

FAR = "12h"  # until its second cycle


class Watching:
    """A service whose second cycle is far away. `write` writes its usual configuration."""

    def __init__(self, service: Service, write: Callable[[], None]) -> None:
        self.service, self.sau = service, service.sau
        self.port = free_port()
        self._write = write

    def start(self, watch: str = "true") -> None:
        """Begin, and wait for the cycle."""
        self.configure(watch)
        self.go()

    def go(self) -> None:
        """With the configuration that is there, and wait for the cycle."""
        self.listen()
        eventually(lambda: self.service.cycles() == 1, 120)

    def listen(self) -> None:
        """Start it, with its metrics."""
        self.service.start("--listen", f"127.0.0.1:{self.port}")

    def configure(self, watch: str = "true") -> None:
        """Write the configuration."""
        self._write()
        text, mine = self.sau.config.read_text(), f"  interval: {FAR}\n  watch: {watch}\n"
        if "detection:\n" not in text:
            text += "detection:\n"
        self.sau.config.write_text(text.replace("detection:\n", f"detection:\n{mine}"))

    def metrics(self) -> Mapping[str, float]:
        """What it shows now, by name and labels."""
        text = fetch(f"http://127.0.0.1:{self.port}/metrics", 10) or ""
        told = [line for line in text.splitlines() if not line.startswith("#")]
        found = (line.removeprefix("safe_auto_updater_").rpartition(" ") for line in told)
        return {name: float(value) for name, _, value in found}

    def shows(self, name: str, value: float) -> None:
        """Wait until it does."""
        eventually(lambda: self.metrics().get(name, 0) == value, 90)

    def asked(self) -> float:
        """How many questions have gone to registries."""
        told = self.metrics().items()
        return sum(value for name, value in told if name.startswith("registry_requests_total"))

    def said(self, kind: str, word: str) -> list[str]:
        """What it has told with this word in it."""
        told = (str(one["message"]) for one in self.service.events(kind))
        return [text for text in told if word in text]

    def seen(self, word: str = "") -> list[str]:
        """What it has told as seen between two cycles."""
        return self.said("service", f"seen between two cycles: {word}")
