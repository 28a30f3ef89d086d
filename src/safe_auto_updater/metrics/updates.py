"""Updates as they happen: how they end, what they cost, what is under way."""

from __future__ import annotations

import threading

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.outcome import Cause, Outcome

PLATFORMS = ("docker", "kubernetes", "helm")
_DOWNTIME_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)


class Updates:
    """Counts what is told of updates."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "safe_auto_updater_updates",
            "Updates that ended, by outcome; unfinished: it had to stop, and goes on later.",
            ["platform", "outcome"],
            registry=registry,
        )
        self._rolled_back = Counter(
            "safe_auto_updater_rollbacks",
            "Updates that failed and were rolled back, by what they failed of.",
            ["platform", "cause"],
            registry=registry,
        )
        self._downtime = Histogram(
            "safe_auto_updater_downtime_seconds",
            "For how long updates took something out of service, where that is known.",
            ["platform"],
            registry=registry,
            buckets=_DOWNTIME_S,
        )
        self._in_progress = Gauge(
            "safe_auto_updater_updates_in_progress",
            "Updates under way in this process.",
            ["platform"],
            registry=registry,
        )
        self._waits = Counter(
            "safe_auto_updater_platform_waits",
            "How often an update had to wait for a platform that did not answer.",
            ["platform"],
            registry=registry,
        )
        self._warnings = Counter(
            "safe_auto_updater_warnings",
            "Warnings: something is not as it should be, and nothing was harmed.",
            registry=registry,
        )
        self._lock = threading.Lock()
        self._going: dict[str, str] = {}  # the platform of each update under way
        for platform in PLATFORMS:  # what begins with 1 has never increased, for Prometheus
            self._begin_with_zero(platform)

    def heard(self, event: Event) -> None:
        """Count it."""
        if event.kind == "warning":
            self._warnings.inc()
        if event.asset is None or event.update is None:
            return
        platform = event.asset.partition(":")[0]
        match event.kind:
            case "started" | "phase":  # what is recovered goes on without a start
                self._goes(event.update, platform)
            case "waiting":
                self._waits.labels(platform).inc()
            case kind if kind in set(Outcome):
                self._ends(event.update, platform, event)

    def _ends(self, update: str, platform: str, event: Event) -> None:
        self._ended.labels(platform, event.kind).inc()
        if event.kind == Outcome.ROLLED_BACK:
            cause = event.details.get("cause")
            known = cause if cause in set(Cause) else Cause.UNKNOWN.value
            self._rolled_back.labels(platform, known).inc()
        downtime_s = event.details.get("downtime_s")
        if downtime_s is not None:
            self._downtime.labels(platform).observe(downtime_s)
        with self._lock:
            self._going.pop(update, None)
            self._show(platform)

    def _goes(self, update: str, platform: str) -> None:
        with self._lock:
            self._going[update] = platform
            self._show(platform)

    def _show(self, platform: str) -> None:
        count = sum(one == platform for one in self._going.values())
        self._in_progress.labels(platform).set(count)

    def _begin_with_zero(self, platform: str) -> None:
        for outcome in Outcome:
            self._ended.labels(platform, outcome.value)
        for cause in Cause:
            self._rolled_back.labels(platform, cause.value)
        for each in (self._downtime, self._in_progress, self._waits):
            each.labels(platform)
