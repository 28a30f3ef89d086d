"""What a scan keeps of a release, and how its own workloads are. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.core.identity import kubernetes_id
from safe_auto_updater.core.model import Asset, Health, Obstacle
from safe_auto_updater.platforms.kubernetes.helm.manifest import heads
from safe_auto_updater.platforms.kubernetes.helm.owners import Owner, owner_of
from safe_auto_updater.platforms.kubernetes.helm.release import Info, Release
from safe_auto_updater.platforms.kubernetes.helm.releases import Stored
from safe_auto_updater.platforms.kubernetes.kinds import CRON_JOB, KINDS
from safe_auto_updater.platforms.kubernetes.own_pod import ITSELF

_SERVES = ("deployed", "failed")  # whose workloads are to be there


@dataclass(frozen=True)
class Seen:
    """What is kept of a release's newest revision from one scan to the next."""

    namespace: str
    status: str
    chart: tuple[str, str, str | None]  # name, version, version of the application
    info: Info
    workloads: tuple[tuple[str, str | None, str], ...]  # kind, namespace, name
    owner: Owner | None
    unclear: str | None  # why its objects are not known
    configuration: str = ""  # its values, as a hash

    @classmethod
    def of(cls, release: Release) -> Seen:
        """Without the long parts."""
        chart, why = release.chart, None
        workloads: tuple[tuple[str, str | None, str], ...] = ()
        owner: Owner | None = None
        try:
            owner = owner_of(release)
            workloads = tuple(heads(release.manifest, KINDS))
        except PlatformError as error:
            why = str(error)
        return cls(
            release.namespace,
            release.status,
            (chart.name, chart.version, chart.app_version),
            release.info,
            workloads,
            owner,
            why,
            release.configuration,
        )


@dataclass(frozen=True)
class Around:
    """The workloads that the same scan found, and where it looked for them in vain."""

    cluster: str
    namespaces: Sequence[str | None]
    workloads: Mapping[str, Asset]
    unlisted: Collection[str]  # kinds that could not be read

    def health_of(self, seen: Seen) -> tuple[Health, list[Obstacle]]:
        """The worst of what it owns, and what of it should be there and is not."""
        if seen.status not in _SERVES:
            return Health.NONE, []
        found: list[Health] = []
        missing: list[str] = []
        for kind, namespace, name, asset in self._owned(seen):
            if asset is not None:
                found += [asset.health] if kind != CRON_JOB.name else []
            elif self._looked(namespace, kind):
                missing.append(f"{kind} {namespace}/{name}")
        if missing:
            fact = f"{', '.join(missing)} of it is not there"
            remedy = "mend it (`helm upgrade`, `helm rollback`), or allow it by rule fix_forward"
            gone = Obstacle("missing", f"{fact}: {remedy}", yields_to_fix_forward=True)
            return Health.UNHEALTHY, [gone]
        for worst in (Health.UNHEALTHY, Health.STARTING, Health.NONE):
            if worst in found:
                return worst, []
        return (Health.HEALTHY if found else Health.NONE), []

    def itself(self, seen: Seen) -> list[Obstacle]:
        """That the program itself runs in one of its workloads."""
        assets = (asset for *_, asset in self._owned(seen) if asset is not None)
        return [ITSELF] if any(ITSELF in asset.obstacles for asset in assets) else []

    def _owned(self, seen: Seen) -> Iterator[tuple[str, str, str, Asset | None]]:
        """Kind, namespace and name of each of its workloads, and what the scan found of it."""
        for kind, own, name in seen.workloads:
            namespace = own or seen.namespace
            identity = kubernetes_id(self.cluster, namespace, kind, name)
            yield kind, namespace, name, self.workloads.get(identity)

    def _looked(self, namespace: str, kind: str) -> bool:
        everywhere = None in self.namespaces
        return kind not in self.unlisted and (everywhere or namespace in self.namespaces)


def unclear(seen: Seen, revisions: Sequence[Stored]) -> list[Obstacle]:
    """What about its record keeps anybody from saying what an upgrade would do."""
    found, namespace = [], revisions[0].storage.namespace
    if seen.unclear is not None:
        found.append(f"{seen.unclear}: what it owns cannot be known")
    if seen.namespace != namespace:
        found.append(
            f"its record is kept in {namespace} and its objects are in {seen.namespace}: "
            "the helm command cannot upgrade that; whoever made it can"
        )
    kinds = sorted({one.storage.kind for one in revisions})
    if len(kinds) > 1:
        found.append(
            f"it is kept in a {' and a '.join(kinds)}: which of them counts cannot be known; "
            "delete those that Helm does not use (HELM_DRIVER)"
        )
    return [Obstacle("unclear", fact) for fact in found]
