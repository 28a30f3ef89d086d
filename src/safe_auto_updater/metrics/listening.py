"""Which sources are listened to between cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class Listening(Collector):
    """Asks with each scrape whoever listens; nobody does at first."""

    def __init__(self) -> None:
        self.watched: Callable[[], Mapping[str, bool]] = dict

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        found = GaugeMetricFamily(
            "safe_auto_updater_source_watched",
            "1 for each source whose changes are listened for between cycles; 0: it refuses that.",
            labels=["source"],
        )
        for source, watched in self.watched().items():
            found.add_metric([source], watched)
        yield found
