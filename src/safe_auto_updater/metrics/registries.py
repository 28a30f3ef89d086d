"""What registries are asked, what comes of it, and how many pulls they still grant."""

from __future__ import annotations

import threading

from prometheus_client import CollectorRegistry, Counter, Gauge

from safe_auto_updater.core.registries import Asked

MOST_HOSTS = 50
OTHERS = "other"
"""What all further hosts are called: redirects and references may name ever new ones."""


class Registries:
    """Counts questions by the host that got them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "safe_auto_updater_registry_requests",
            "Questions to registries and to the hosts that they send us to, each try counted.",
            ["host", "method", "outcome"],
            registry=registry,
        )
        self._left = Gauge(
            "safe_auto_updater_registry_pulls_left",
            "Pulls that a registry still grants, as it said last.",
            ["host"],
            registry=registry,
        )
        self._granted = Gauge(
            "safe_auto_updater_registry_pulls_granted",
            "Pulls that a registry grants in all, as it said last.",
            ["host"],
            registry=registry,
        )
        self._lock = threading.Lock()
        self._hosts: set[str] = set()

    def asked(self, asked: Asked) -> None:
        """Count one."""
        host = self._called(asked.host)
        self._requests.labels(host, asked.method, asked.outcome).inc()
        if host == OTHERS:
            return  # what is left of many hosts is no number
        if asked.pulls_left is not None:
            self._left.labels(host).set(asked.pulls_left)
        if asked.pulls_granted is not None:
            self._granted.labels(host).set(asked.pulls_granted)

    def _called(self, host: str) -> str:
        with self._lock:
            if len(self._hosts) < MOST_HOSTS:
                self._hosts.add(host)
            return host if host in self._hosts else OTHERS
