"""What the objects of a release allow, one line for each thing that may be done. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece
from safe_auto_updater.platforms.kubernetes.kinds import KINDS, containers

Json = Mapping[str, Any]
_HOST = ("hostNetwork", "hostPID", "hostIPC")


def rights(piece: Piece) -> Iterator[str]:
    """Of a role each verb on each resource; of a workload what it has of its node."""
    if piece.kind in ("Role", "ClusterRole"):
        yield from _role(piece)
    kind = KINDS.get(piece.kind)
    if kind is not None:
        yield from _node(piece, kind.pod_spec(piece.body))


def _role(piece: Piece) -> Iterator[str]:
    where = "everywhere" if piece.kind == "ClusterRole" else "its namespace"
    for rule in piece.body.get("rules") or ():
        for group in rule.get("apiGroups") or ("",):
            for resource in rule.get("resources") or rule.get("nonResourceURLs") or ():
                for verb in rule.get("verbs") or ():
                    named = f"{resource}.{group}" if group else str(resource)
                    yield f"{piece.label} may {verb} {named} in {where}"


def _node(piece: Piece, pod_spec: Json) -> Iterator[str]:
    for name in _HOST:
        if pod_spec.get(name):
            yield f"{piece.label} has its node's own ({name})"
    for volume in pod_spec.get("volumes") or ():
        if "hostPath" in volume:
            yield f"{piece.label} has {volume['hostPath'].get('path')} of its node"
    for _, container in containers(pod_spec):
        security = container.get("securityContext") or {}
        if security.get("privileged"):
            yield f"{piece.label}, {container['name']} is privileged"
        for capability in (security.get("capabilities") or {}).get("add") or ():
            yield f"{piece.label}, {container['name']} has capability {capability}"
