"""KubernetesScanner: the workloads of one cluster, what they really run, and whose they are.

Its Helm releases are seen by HelmScanner, with what was found of their workloads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from safe_auto_updater.core.errors import (
    InvalidReference,
    PlatformError,
    SafeAutoUpdaterError,
)
from safe_auto_updater.core.identity import kubernetes_id
from safe_auto_updater.core.model import Asset, Health, Image, ImageUse, Obstacle, Status
from safe_auto_updater.core.ports import CheckState, Scan
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.kubernetes import pods as of
from safe_auto_updater.platforms.kubernetes.annotations import labels_of
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.comparing import configuration
from safe_auto_updater.platforms.kubernetes.helm.scanner import HelmScanner
from safe_auto_updater.platforms.kubernetes.helm.seen import Around
from safe_auto_updater.platforms.kubernetes.jobs import RUN as CHECK
from safe_auto_updater.platforms.kubernetes.judging import Judged, Wanted, judge, probes
from safe_auto_updater.platforms.kubernetes.kinds import (
    CRON_JOB,
    KINDS,
    Kind,
    containers,
    desired,
    images,
)
from safe_auto_updater.platforms.kubernetes.own_pod import ITSELF, OwnPod
from safe_auto_updater.platforms.kubernetes.owners import managed_by, not_updated, ownership

Json = Mapping[str, Any]
Mine = Mapping[tuple[str, str, str], Sequence[Json]]  # pods by namespace, kind and name


class KubernetesScanner:
    """Scans one cluster. What may not be read is a failure of that part, not of the scan.

    A cluster that no configuration names is only looked at (`named` false).
    """

    def __init__(
        self,
        cluster: Cluster,
        namespaces: Sequence[str],
        *,
        named: bool,
        helm: HelmScanner | None = None,
        own: OwnPod | None = None,
    ) -> None:
        self._cluster = cluster
        self._helm = helm
        self._namespaces = tuple(namespaces)
        self._named = named
        self._own = own
        self.name = f"kubernetes:{cluster.name}"

    def scan(self) -> Scan:
        """Workloads and releases now."""
        failures: list[tuple[str, str]] = []
        found: dict[str, Asset] = {}
        unlisted: set[str] = set()
        namespaces = self._namespaces or (None,)
        for namespace in namespaces:
            pods = self._pods(namespace, failures)
            if _nothing_answers(failures):
                return Scan((), (), tuple(failures[:1]))
            for kind in KINDS.values():
                before = len(failures)
                for workload in self._listed(kind.path(namespace), kind.plural, failures):
                    asset = self._asset(kind, workload, pods)
                    found[asset.id] = asset
                if len(failures) > before:  # whose they are cannot be known
                    unlisted.add(kind.name)
                    pods = {owner: its for owner, its in pods.items() if owner[1] != kind.name}
            for asset in self._others(pods, found):
                found[asset.id] = asset
        releases: Sequence[Asset] = ()
        if self._helm is not None:
            around = Around(self._cluster.name, namespaces, found, unlisted)
            releases = self._helm.scan(namespaces, around, failures)
        told = (*found.values(), *map(self._with_unnamed, releases))
        return Scan(told, (), tuple(failures))

    def _with_unnamed(self, asset: Asset) -> Asset:
        return replace(asset, obstacles=(*self._unnamed(), *asset.obstacles))

    def _pods(self, namespace: str | None, failures: list[tuple[str, str]]) -> Mine:
        path = f"/api/v1/namespaces/{namespace}/pods" if namespace else "/api/v1/pods"
        found: defaultdict[tuple[str, str, str], list[Json]] = defaultdict(list)
        for pod in self._listed(path, "pods", failures):
            if CHECK in (pod["metadata"].get("labels") or {}):
                continue  # of a Job of our own, which is gone in a moment
            found[(pod["metadata"]["namespace"], *of.owner_of(pod))].append(of.slim(pod))
        return found

    def _listed(
        self, path: str, what: str, failures: list[tuple[str, str]]
    ) -> Iterable[dict[str, Any]]:
        try:
            yield from self._cluster.listed(path)
        except SafeAutoUpdaterError as error:
            is_told = isinstance(error, PlatformError)
            failures.append((self.name, f"{what}: {error}" if is_told else str(error)))

    def _asset(self, kind: Kind, workload: Json, everyone: Mine) -> Asset:
        meta = workload["metadata"]
        namespace, name = meta["namespace"], meta["name"]
        pods = everyone.get((namespace, kind.name, name), ())
        spec = kind.pod_spec(workload)
        judged = judge(kind, workload, pods, Wanted(images(spec), {}))
        labels = tuple(sorted(labels_of(workload).items()))
        return Asset(
            id=kubernetes_id(self._cluster.name, namespace, kind.name, name),
            platform="kubernetes",
            kind=kind.name,
            name=name,
            images=tuple(_use(c, pods, labels) for _, c in containers(spec)),
            status=_status(kind, workload),
            health=_health(kind, judged, probes(spec)),
            managed_by=managed_by(workload),
            obstacles=(
                *self._unnamed(),
                *ownership(workload),
                *_never_pulled(spec),
                *self._itself(pods),
            ),
            configuration=configuration(spec),
        )

    def _others(self, pods: Mine, found: Mapping[str, Asset]) -> Iterator[Asset]:
        """Whoever has pods and is not of our kinds, or was taken for one that is not there."""
        left: defaultdict[tuple[str, str, str], list[Json]] = defaultdict(list)
        for owner, its in pods.items():
            if kubernetes_id(self._cluster.name, *owner) in found:
                continue
            for pod in its:
                if not of.is_leaving(pod):
                    known = owner if owner[1] not in KINDS else (owner[0], *of.made_by(pod))
                    left[known].append(pod)
        for owner, its in left.items():
            yield self._only_seen(*owner, its)

    def _only_seen(self, namespace: str, kind: str, name: str, pods: Sequence[Json]) -> Asset:
        """What is not of a kind that is updated here, by its pods alone."""
        newest = max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
        return Asset(
            id=kubernetes_id(self._cluster.name, namespace, kind, name),
            platform="kubernetes",
            kind=kind,
            name=name,
            images=tuple(_use(c, [newest], ()) for _, c in containers(newest["spec"])),
            status=Status.RUNNING,
            health=Health.UNHEALTHY if any(map(of.trouble, pods)) else Health.NONE,
            obstacles=(*self._unnamed(), not_updated(kind)),
        )

    def _itself(self, pods: Sequence[Json]) -> list[Obstacle]:
        return [ITSELF] if self._own is not None and any(map(self._own.is_it, pods)) else []

    def _unnamed(self) -> list[Obstacle]:
        if self._named:
            return []
        fact = "no configuration names this cluster, so it is only looked at"
        remedy = (
            f"add it to inventory.kubernetes (context {self._cluster.access.context}), and your "
            "Docker engines to inventory.docker, which nobody looks for then"
        )
        return [Obstacle("cluster", f"{fact}: {remedy}")]


_SILENT = ("does not answer", "does not know us", "cannot be used")


def _nothing_answers(failures: Sequence[tuple[str, str]]) -> bool:
    return any(words in fact for _, fact in failures for words in _SILENT)


def _use(container: Json, pods: Sequence[Json], labels: tuple[tuple[str, str], ...]) -> ImageUse:
    """What one container runs, by the pods of this very image: the spec says what it is to run.

    Pods of another image say nothing of this one, and a digest that is written is what is run.
    """
    name, written = container["name"], str(container.get("image") or "")
    try:
        reference = Reference.parse(written)
    except InvalidReference:
        tag, told = None, None
    else:
        tag, told = reference.tag, reference.digest
    mine = [pod for pod in pods if images(pod["spec"]).get(name) == written]
    seen = sorted(
        (pod["metadata"]["creationTimestamp"], digest)
        for pod in mine
        if (digest := of.digest_of(pod, name)) is not None
    )
    running = [digest for _, digest in seen]
    # Where pods differ the tag has moved between their starts: the oldest is behind.
    digests = tuple(dict.fromkeys(running[:1] if len(set(running)) > 1 else running))
    known = tuple(dict.fromkeys((*((told,) if told else ()), *digests)))
    return ImageUse(
        container=name,
        image=Image(reference=written, version=tag, digest=next(iter(known), None)),
        digests=known,
        unseen=not known,
        policy_labels=labels,
    )


def _never_pulled(pod_spec: Json) -> list[Obstacle]:
    named = [c["name"] for _, c in containers(pod_spec) if c.get("imagePullPolicy") == "Never"]
    if not named:
        return []
    fact = f"nodes never pull the image of container {', '.join(named)} (imagePullPolicy: Never)"
    return [Obstacle("pull", f"{fact}, so none would have a new one: set IfNotPresent")]


def _status(kind: Kind, workload: Json) -> Status:
    if kind is not CRON_JOB and desired(kind, workload) == 0:
        return Status.EXITED
    return Status.RUNNING


def _health(kind: Kind, judged: Judged, probed: bool) -> Health:
    if kind is CRON_JOB:
        return Health.NONE
    states = {result.state for result in judged.results}
    if CheckState.FAILED in states:
        return Health.UNHEALTHY
    if states - {CheckState.PASSED}:
        return Health.STARTING
    return Health.HEALTHY if probed else Health.NONE
