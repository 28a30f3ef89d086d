"""Metrics: everything counted, and the text in which Prometheus reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.memory import Memory
from safe_auto_updater.core.model import Plan
from safe_auto_updater.core.registries import Asked
from safe_auto_updater.engine.cycle import Checked
from safe_auto_updater.metrics.cycles import Cycles
from safe_auto_updater.metrics.listening import Listening
from safe_auto_updater.metrics.people import People
from safe_auto_updater.metrics.registries import Registries
from safe_auto_updater.metrics.updates import Updates


class Metrics:
    """A listener for events, and whom the service tells the rest. Thread-safe; never raises.

    It has a registry of its own, and knows nothing of what an earlier process counted.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # twice the series, nothing new
        self.registry = registry = CollectorRegistry()
        info = Gauge(
            "safe_auto_updater_build_info",
            "1, labelled with the version of the program.",
            ["version"],
            registry=registry,
        )
        info.labels(version("safe-auto-updater")).set(1)
        self._updates = Updates(registry)
        self._people = People()
        registry.register(self._people)
        self._cycles = Cycles()
        registry.register(self._cycles)
        self._listening = Listening()
        registry.register(self._listening)
        self._registries = Registries(registry)
        ProcessCollector(registry=registry)

    def __call__(self, event: Event) -> None:
        """Count an event."""
        self._updates.heard(event)
        self._people.heard(event)

    def asked(self, asked: Asked) -> None:
        """Count a question to a registry: the `observe` of `App`."""
        self._registries.asked(asked)

    def cycle_due(self, at: float, every_s: float) -> None:
        """When the next cycle is to begin, and how long it is from one to the next at most.

        To be told at the start and after each cycle; `at` in seconds since the epoch.
        """
        self._cycles.due(at, every_s)

    def cycle_ended(self, checked: Checked, plan: Plan, seconds: float, at: float) -> None:
        """What a whole cycle (of every asset, not of some by name) saw, and that it has ended.

        `plan` is as it was made, before anything was done; `at` in seconds since the epoch.
        """
        self._cycles.ended(checked, plan, seconds, at)

    def looked(self, checked: Checked, plan: Plan) -> None:
        """What is known of every asset after a look between two cycles, which is none itself."""
        self._cycles.looked(checked, plan)

    def watched_by(self, watched: Callable[[], Mapping[str, bool]]) -> None:
        """Who is to be asked, with each scrape, which sources are listened to."""
        self._listening.watched = watched

    def remembered(self, memory: Memory) -> None:
        """What is remembered: who waits for a human by now, and what is in quarantine.

        To be told at the start after recovery, after each cycle, and after each request by which a
        human could have cleared something. Never while updates are under way: they would count.
        """
        self._people.remembered(memory)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self.registry)
