"""What the objects of a release allow, and what a new version would add to that. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece
from safe_auto_updater.platforms.kubernetes.kinds import containers

Json = Mapping[str, Any]
_HOST = ("hostNetwork", "hostPID", "hostIPC")


@dataclass(frozen=True)
class Right:
    """Who may what. `verb` is empty for what a workload has of its node."""

    who: str
    verb: str
    what: str


def gained(before: Iterable[Piece], after: Iterable[Piece]) -> list[str]:
    """What may be done that might not be before, one line for each role and resource."""
    had = {right for piece in before for right in rights(piece)}
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in (right for piece in after for right in rights(piece) if right not in had):
        verbs.setdefault((right.who, right.what), []).append(right.verb)
    return [
        f"{who} may {', '.join(dict.fromkeys(may))} {what}" if may[0] else f"{who} {what}"
        for (who, what), may in verbs.items()
    ]


def rights(piece: Piece) -> Iterator[Right]:
    """Of a role each verb on each resource; of a workload what it has of its node."""
    if piece.kind in ("Role", "ClusterRole"):
        yield from _role(piece)
    if piece.pod_spec is not None:
        yield from _node(piece, piece.pod_spec)


def _role(piece: Piece) -> Iterator[Right]:
    where = "everywhere" if piece.kind == "ClusterRole" else "in its namespace"
    for rule in piece.body.get("rules") or ():
        for group in rule.get("apiGroups") or ("",):
            for resource in rule.get("resources") or rule.get("nonResourceURLs") or ():
                for verb in rule.get("verbs") or ():
                    named = f"{resource}.{group}" if group else str(resource)
                    yield Right(piece.label, str(verb), f"{named} {where}")


def _node(piece: Piece, pod_spec: Json) -> Iterator[Right]:
    for name in _HOST:
        if pod_spec.get(name):
            yield Right(piece.label, "", f"has its node's own ({name})")
    for volume in pod_spec.get("volumes") or ():
        if "hostPath" in volume:
            yield Right(piece.label, "", f"has {volume['hostPath'].get('path')} of its node")
    for _, container in containers(pod_spec):
        security = container.get("securityContext") or {}
        who = f"{piece.label}, {container['name']}"
        if security.get("privileged"):
            yield Right(who, "", "is privileged")
        for capability in (security.get("capabilities") or {}).get("add") or ():
            yield Right(who, "", f"has capability {capability}")
