"""Health checks and policies that the configuration names, by the assets that they are for."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from safe_auto_updater import plugins
from safe_auto_updater.core.identity import matches
from safe_auto_updater.core.policy import CheckSpec, Settings
from safe_auto_updater.core.ports import HealthCheck, Policy
from safe_auto_updater.core.promql import Answer, Question
from safe_auto_updater.engine.in_time import CheckInTime
from safe_auto_updater.platforms.docker.command_check import CommandCheck
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.job_check import JobCheck
from safe_auto_updater.platforms.kubernetes.service_check import ServiceCheck
from safe_auto_updater.platforms.probes.tcp import TcpCheck


class Judges:
    """Each is made once, at the start, so that a bad one is told before anything is done."""

    def __init__(
        self,
        settings: Settings,
        engine_of: Callable[[str], DockerEngine],
        cluster_of: Callable[[str], Cluster],
        now: Callable[[], float],
    ) -> None:
        self._engine_of = engine_of
        self._cluster_of = cluster_of
        self._now = now  # monotonic seconds
        self._checks = [(s.pattern, s.kind, self._check(s)) for s in settings.checks]
        self._policies = [
            (s.pattern, s.kind, plugins.load_or_broken(plugins.POLICIES, s.kind, s.options))
            for s in settings.policies
        ]

    def checks_for(self, asset: str) -> list[tuple[str, HealthCheck]]:
        """Names and health checks."""
        return [(kind, check) for pattern, kind, check in self._checks if matches(pattern, asset)]

    def policies_for(self, asset: str) -> list[tuple[str, Policy]]:
        """Names and policies of plugins."""
        return [
            (name, policy) for pattern, name, policy in self._policies if matches(pattern, asset)
        ]

    def _check(self, spec: CheckSpec) -> HealthCheck:
        match spec.kind:
            case "http" if "service" in spec.options:
                return ServiceCheck(self._cluster_of, **spec.options, now=self._now)
            case "http":
                from safe_auto_updater.platforms.probes.http import HttpCheck

                return HttpCheck(**spec.options)
            case "job":
                return JobCheck(
                    self._cluster_of, **spec.options, new_id=lambda: secrets.token_hex(4)
                )
            case "tcp":
                return TcpCheck(**spec.options)
            case "command":
                return CommandCheck(self._engine_of, **spec.options)
            case "prometheus":
                from safe_auto_updater.platforms.probes.prometheus_check import PrometheusCheck

                return PrometheusCheck(**spec.options, ask=prometheus, now=self._now)
            case plugin:
                made = plugins.load_or_broken(plugins.HEALTH_CHECKS, plugin, spec.options)
                return CheckInTime(made)


def prometheus(question: Question) -> Answer:
    """What a Prometheus says to a question; the HTTP library is loaded with the first one."""
    from safe_auto_updater.platforms.probes.prometheus import ask

    return ask(question)
