"""Who hears of changes as they happen: a line or more to each configured engine and cluster."""

from __future__ import annotations

from collections.abc import Mapping

from safe_auto_updater.config import Config
from safe_auto_updater.config.config import KubernetesCluster
from safe_auto_updater.core.watches import Watch
from safe_auto_updater.platforms.docker.event_watch import EventWatch
from safe_auto_updater.wiring.docker import engines_of


def watches(config: Config, environ: Mapping[str, str]) -> tuple[Watch, ...]:
    """All of them, with connections of their own; nothing is asked yet.

    Raises ConfigError where a Docker context cannot be used.
    """
    engines = engines_of(config, environ).values()
    clusters = config.kubernetes_clusters(environ)
    found: list[Watch] = [EventWatch(engine) for engine in engines]
    return (*found, *(one for cluster in clusters for one in _of_cluster(cluster)))


def _of_cluster(entry: KubernetesCluster) -> list[Watch]:
    # Here: a host without a cluster needs none of it.
    from safe_auto_updater.platforms.kubernetes.cluster import Cluster
    from safe_auto_updater.platforms.kubernetes.watches import watches as of_cluster
    from safe_auto_updater.wiring.kubernetes import access_of

    cluster = Cluster(entry.name, access_of(entry))
    return [*of_cluster(cluster, entry.namespaces, releases=entry.helm)]
