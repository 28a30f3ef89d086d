"""What waits for people, because the program must not go on by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.memory import Memory

_CALLS = ("halted", "inconsistent")


class People(Collector):
    """Which assets are left alone, as the newest word of memory and the events since have it.

    The only label that names an asset: they are few, and whoever is woken must know which.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocked: frozenset[str] = frozenset()
        self._quarantined = 0

    def heard(self, event: Event) -> None:
        """Take up at once what ended badly."""
        if event.kind in _CALLS and event.asset is not None:
            with self._lock:
                self._blocked |= {event.asset}

    def remembered(self, memory: Memory) -> None:
        """Replace it all by what is remembered."""
        with self._lock:
            self._blocked = frozenset(one.asset for one in memory.blocked)
            self._quarantined = len({(one.asset, one.content) for one in memory.quarantine})

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        with self._lock:
            blocked, quarantined = sorted(self._blocked), self._quarantined
        needs = GaugeMetricFamily(
            "safe_auto_updater_needs_human",
            "1 for each asset that is left alone until a human (or recovery) clears it.",
            labels=["asset"],
        )
        for asset in blocked:
            needs.add_metric([asset], 1)
        yield needs
        yield GaugeMetricFamily(
            "safe_auto_updater_quarantined_versions",
            "Versions that failed on an asset by their own fault and are not tried again there.",
            value=quarantined,
        )
