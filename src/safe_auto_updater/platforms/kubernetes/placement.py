"""On which nodes the pods of a template may run, and so which platforms its image must have. Pure.

Source: Kubernetes, "Assigning Pods to Nodes" and "Taints and Tolerations".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]
Platform = tuple[str, str]  # operating system and architecture, in the words of image indexes
_KEPT_OFF = ("NoSchedule", "NoExecute")
_PASSING = "node.kubernetes.io/"  # what a node says of its state: it may be well again tomorrow
_SAYS = ("kubernetes.io/os", "kubernetes.io/arch")


def platform_of(node: Json) -> Platform:
    """What a node runs on."""
    told = node["status"]["nodeInfo"]
    return str(told["operatingSystem"]), str(told["architecture"])


def platforms_for(pod_spec: Json, nodes: Sequence[Json]) -> tuple[Platform, ...]:
    """Those of the nodes that would take its pods; in order.

    Where no node would for now (a label that is to come, a taint that is to go), those that its
    selector names a platform of; where it names none, all.
    """
    selector = pod_spec.get("nodeSelector") or {}
    named = {key: value for key, value in selector.items() if key in _SAYS}
    taking = [
        node
        for node in nodes
        if _has(node, selector) and _is_liked(node, pod_spec) and _is_tolerated(node, pod_spec)
    ]
    alike = [node for node in nodes if _has(node, named)]
    return tuple(sorted({platform_of(node) for node in taking or alike or nodes}))


def _labels(node: Json) -> Mapping[str, str]:
    return node["metadata"].get("labels") or {}


def _has(node: Json, selector: Mapping[str, str]) -> bool:
    return all(_labels(node).get(key) == value for key, value in selector.items())


def _is_liked(node: Json, pod_spec: Json) -> bool:
    """By its required node affinity: one of the terms, and all of what that says."""
    affinity = (pod_spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = required.get("nodeSelectorTerms") or ()
    fields = {"metadata.name": str(node["metadata"].get("name"))}
    return not terms or any(
        _fits(term.get("matchExpressions") or (), _labels(node))
        and _fits(term.get("matchFields") or (), fields)
        for term in terms
    )


def _fits(expressions: Iterable[Json], labels: Mapping[str, str]) -> bool:
    return all(_says(one, labels.get(one["key"])) for one in expressions)


def _says(expression: Json, value: str | None) -> bool:
    values = expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:  # Gt, Lt: of numbers, which platforms are not
            return True


def _is_tolerated(node: Json, pod_spec: Json) -> bool:
    return all(
        any(_tolerates(one, taint) for one in pod_spec.get("tolerations") or ())
        for taint in node["spec"].get("taints") or ()
        if taint["effect"] in _KEPT_OFF and not str(taint["key"]).startswith(_PASSING)
    )


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("key") not in (None, "", taint["key"]):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")
