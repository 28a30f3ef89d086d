"""Everything that drives Kubernetes clusters: who scans, compares and updates, on which cluster."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from safe_auto_updater.config import Config
from safe_auto_updater.config.config import KubernetesCluster
from safe_auto_updater.core.diff import DiffAnalyzer
from safe_auto_updater.core.errors import PlatformError, RegistryError, UsageError
from safe_auto_updater.core.model import Asset, Change, Step
from safe_auto_updater.core.ports import Clock, Comparer, Foreseen, Subject
from safe_auto_updater.core.updater import Updater
from safe_auto_updater.engine.cycle import Detector
from safe_auto_updater.engine.health import HealthChecker
from safe_auto_updater.engine.past import Past
from safe_auto_updater.notify.courier import EachEvent, Handler
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.dry_run import foreseen
from safe_auto_updater.platforms.kubernetes.helm.declared import declaring
from safe_auto_updater.platforms.kubernetes.helm.scanner import HelmScanner
from safe_auto_updater.platforms.kubernetes.object_events import EVENT_KINDS, ObjectEvents
from safe_auto_updater.platforms.kubernetes.own_pod import OwnPod
from safe_auto_updater.platforms.kubernetes.permissions import Need, helm, watching
from safe_auto_updater.platforms.kubernetes.pull_secrets import pull_secrets
from safe_auto_updater.platforms.kubernetes.scanner import KubernetesScanner
from safe_auto_updater.platforms.kubernetes.trees import KubernetesComparer
from safe_auto_updater.platforms.kubernetes.updater import KubernetesUpdater
from safe_auto_updater.platforms.kubernetes.workloads import Workloads
from safe_auto_updater.platforms.registry import ImageLookup
from safe_auto_updater.wiring.driver import of_images
from safe_auto_updater.wiring.registries import Registries


class Kubernetes:
    """The configured clusters, and what works on them."""

    def __init__(
        self, config: Config, environ: Mapping[str, str], registries: Registries, clock: Clock
    ) -> None:
        entries = config.kubernetes_clusters(environ)
        self._entries = {entry.name: entry for entry in entries}
        self.clusters = {entry.name: Cluster(entry.name, access_of(entry)) for entry in entries}
        self._settings, self._watches = config.settings(), config.service.watch
        self._registries = registries
        self._clock = clock
        self._own = OwnPod.found(environ)

    def namespaces(self, cluster: str) -> tuple[str, ...]:
        """Those of a cluster that are looked at; none: all."""
        return self._entries[cluster].namespaces

    def helm_needs(self, cluster: str) -> tuple[Need, ...]:
        """What seeing the releases of a cluster takes. Raises what the cluster raises."""
        wanted = self._entries[cluster].helm
        served = () if wanted is False else declaring(self.clusters[cluster])
        return helm(wanted=wanted, served=served)

    def watch_needs(self, cluster: str) -> tuple[Need, ...]:
        """What hearing of changes between cycles takes, where that is wanted."""
        return watching(releases=self._entries[cluster].helm) if self._watches else ()

    def is_named(self, cluster: str) -> bool:
        """Whether the configuration names it, so that it may be changed."""
        return self._entries[cluster].named

    def cluster(self, asset: str) -> Cluster:
        """The cluster that an asset lives on. UsageError where none of that name is configured."""
        try:
            return self.clusters[asset.partition(":")[2].partition("/")[0]]
        except KeyError:
            remedy = "no cluster of this name is configured; add it to inventory.kubernetes"
            raise UsageError(f"{asset}: {remedy}") from None

    def scanners(self) -> list[KubernetesScanner]:
        """One per cluster."""
        return [
            KubernetesScanner(
                cluster,
                self._entries[name].namespaces,
                named=self.is_named(name),
                helm=HelmScanner(cluster, wanted=self._entries[name].helm),
                own=self._own,
            )
            for name, cluster in self.clusters.items()
        ]

    def handlers(self) -> list[Handler]:
        """Who writes Events on workloads: one per cluster that may be changed."""
        return [
            Handler(
                f"Events on {name}",
                EachEvent(ObjectEvents(cluster)),
                EVENT_KINDS,
                f"kubernetes:{name}/*",
            )
            for name, cluster in self.clusters.items()
            if self.is_named(name)
        ]

    def elsewhere(self, subject: Subject) -> str | None:
        """Clusters give their pods the same addresses; our own pod's is the one that is meant."""
        name = self.cluster(subject.asset).name
        if self._own is None or access_of(self._entries[name]).is_own_pods:
            return None
        return f"the program runs in a pod, and cluster {name} may be another than that pod's"

    def lookup(self, asset: str) -> ImageLookup:
        """What registries are asked about an asset, and as whom."""
        cluster = self.cluster(asset)
        reads = asset.split("/")[1] in self._entries[cluster.name].pull_secrets
        known = partial(_logins, cluster, asset) if reads else None
        return self._registries.lookup(*Workloads(cluster).platforms(asset), known=known)

    def pull_secrets(self, cluster: str) -> tuple[str, ...]:
        """The namespaces of a cluster whose pull secrets are read."""
        return self._entries[cluster].pull_secrets

    def comparer(self, asset: str) -> Comparer:
        """Who looks at both sides of a change to an asset."""
        return KubernetesComparer(Workloads(self.cluster(asset)), self.lookup(asset).described)

    def foreseen(self, asset: Asset, changes: tuple[Change, ...]) -> Foreseen:
        """What the server would make of a change, where it may be asked and nobody else has it."""
        cluster = self.cluster(asset.id)
        if asset.obstacles or not self.is_named(cluster.name):
            return Foreseen()  # it is held, whatever the server says
        return foreseen(Workloads(cluster), asset.id, changes)

    def detector(self, asset: str, past: Past) -> Detector:
        """Who knows newer images of a workload."""
        return of_images(self.lookup(asset), past)

    def analyzer(self) -> DiffAnalyzer:
        """Who judges what another image means."""
        return DiffAnalyzer()

    def not_permitted(self, step: Step) -> str | None:
        """The server itself says so, where a step is tried."""
        return None

    def updater(self, step: Step, health: HealthChecker) -> Updater:
        """Who carries a step out."""
        lookup = self.lookup

        def resolvable(image: str) -> None:
            lookup(step.asset).image(image)

        return KubernetesUpdater(
            Workloads(self.cluster(step.asset)),
            self._settings,
            resolvable,
            lambda reference: lookup(step.asset).digest(reference),
            self._clock,
        )


def _logins(cluster: Cluster, asset: str) -> list[tuple[str, Mapping[str, Any]]]:
    """What the nodes of an asset sign in with; a look-up fails where that cannot be known."""
    try:
        return [(f"pull secret {one.name}", one.auths) for one in pull_secrets(cluster, asset)]
    except PlatformError as error:
        raise RegistryError(str(error), "auth") from error


def access_of(entry: KubernetesCluster) -> Access:
    """How a configured cluster is reached."""
    return Access(Path(entry.kubeconfig) if entry.kubeconfig else None, entry.context)
