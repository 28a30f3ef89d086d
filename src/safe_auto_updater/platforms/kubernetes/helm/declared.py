"""Which releases the custom resources of a cluster ask for, so that we leave them alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from safe_auto_updater.core.errors import NotFound
from safe_auto_updater.platforms.kubernetes.cluster import Cluster, Refused, is_forbidden
from safe_auto_updater.platforms.kubernetes.helm.owners import (
    DECLARING,
    Declaring,
    Identity,
    Owner,
    declared,
)


def owners(cluster: Cluster, namespaces: Sequence[str | None]) -> dict[Identity, Owner]:
    """Who upgrades which release, as far as we may look. Raises what the cluster raises."""
    found: dict[Identity, Owner] = {}
    for kind, version in _served(cluster).items():
        found |= declared(kind, _resources(cluster, f"/apis/{version}", kind, namespaces))
    return found


def declaring(cluster: Cluster) -> list[Declaring]:
    """The kinds of such custom resources that a cluster serves."""
    return list(_served(cluster))


def _served(cluster: Cluster) -> dict[Declaring, str]:
    """With the group and version that the server prefers."""
    groups = cluster.get("/apis").get("groups") or ()
    versions = {one["name"]: str(one["preferredVersion"]["groupVersion"]) for one in groups}
    return {kind: versions[kind.group] for kind in DECLARING if kind.group in versions}


def _resources(
    cluster: Cluster, path: str, kind: Declaring, namespaces: Sequence[str | None]
) -> list[dict[str, Any]]:
    """Of all namespaces, for they may be elsewhere than their release; else of ours."""
    found: list[dict[str, Any]] = []
    for namespace in dict.fromkeys([None, *namespaces]):
        within = f"/namespaces/{namespace}" if namespace else ""
        try:
            found += cluster.listed(f"{path}{within}/{kind.plural}")
        except NotFound:
            return []  # the group is served in a version without this kind
        except Refused as error:
            if not is_forbidden(error):
                raise
            continue
        if namespace is None:
            break
    return found
