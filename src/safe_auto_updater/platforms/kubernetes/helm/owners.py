"""Who else upgrades a release, and would undo our change: recognised by what they leave. Pure.

Sources: the owners' public documentation and API types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.model import Obstacle
from safe_auto_updater.platforms.kubernetes.helm.manifest import bearing
from safe_auto_updater.platforms.kubernetes.helm.release import Release
from safe_auto_updater.platforms.kubernetes.owners import BY_HELM, MARKS, owned

Json = Mapping[str, Any]
Identity = tuple[str, str]  # namespace of its record, and name
_FLEET = "fleet.cattle.io/bundle-id"  # noted in the chart itself
_PACKAGED = ("k3s", "rke2")  # what those bring bears Fleet's mark, and is no bundle of Fleet's


@dataclass(frozen=True)
class Owner:
    """Who upgrades a release. `word` is for machines, the obstacle for people."""

    word: str
    obstacle: Obstacle


@dataclass(frozen=True)
class Declaring:
    """A kind of custom resource whose controller upgrades releases."""

    group: str
    plural: str


FLUX = Declaring("helm.toolkit.fluxcd.io", "helmreleases")
K3S = Declaring("helm.cattle.io", "helmcharts")
DECLARING = (FLUX, K3S)


def owner_of(release: Release) -> Owner | None:
    """By what its record, its chart and its objects bear. PlatformError: no readable manifest."""
    bundle = release.chart.annotations.get(_FLEET)
    if bundle in _PACKAGED:
        return Owner(f"{bundle}:{release.name}", owned(f"{bundle} itself", f"upgrade {bundle}"))
    if bundle:
        return Owner(f"fleet:{bundle}", owned(f"Fleet {bundle}", "change its source in Git"))
    for mark, word, who, instead in MARKS:
        if mark == BY_HELM:
            continue
        for head in bearing(release.manifest, mark):
            value = {**head.labels, **head.annotations}.get(mark)
            if value:
                value = str(value).partition(":")[0]
                return Owner(f"{word}:{value}", owned(f"{who} {value}", instead))
    if release.made_by is not None:
        who = release.made_by
        return Owner(f"operator:{who}", owned(who, "change that instead"))
    return None


def declared(kind: Declaring, resources: Iterable[Json]) -> dict[Identity, Owner]:
    """The releases that custom resources of one kind ask for."""
    return dict(_by_flux(one) if kind is FLUX else _by_k3s(one) for one in resources)


def _by_flux(resource: Json) -> tuple[Identity, Owner]:
    meta, spec = resource["metadata"], resource.get("spec") or {}
    target = spec.get("targetNamespace")
    usual = f"{target}-{meta['name']}" if target else meta["name"]
    name = str(spec.get("releaseName") or usual)
    where = f"{meta['namespace']}/{meta['name']}"
    owner = Owner(f"flux:{where}", owned(f"Flux's HelmRelease {where}", "change the HelmRelease"))
    return (str(spec.get("storageNamespace") or meta["namespace"]), name), owner


def _by_k3s(resource: Json) -> tuple[Identity, Owner]:
    meta, spec = resource["metadata"], resource.get("spec") or {}
    where = f"{meta['namespace']}/{meta['name']}"
    owner = Owner(f"k3s:{where}", owned(f"the HelmChart {where} (k3s)", "change the HelmChart"))
    return (str(spec.get("targetNamespace") or meta["namespace"]), str(meta["name"])), owner
