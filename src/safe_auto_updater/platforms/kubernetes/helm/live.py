"""What is on the cluster of a release, in a form that two looks can be compared in. Pure.

Of a Secret only hashes are kept. What controllers and the server write by themselves is left out,
and how many pods there are, which whoever scales decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.diff import compare

Json = Mapping[str, Any]
_WRITTEN_BY_THE_SERVER = (
    "managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink",
    "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers",
)  # fmt: skip
_WRITTEN_BY_CONTROLLERS = (
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "autoscaling.alpha.kubernetes.io/conditions",  # autoscaling/v1 has status there
    "autoscaling.alpha.kubernetes.io/current-metrics",
)
_ALLOCATED = ("clusterIP", "clusterIPs", "healthCheckNodePort")
_OF_A_JOB = (
    "controller-uid", "job-name",
    "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name",
)  # fmt: skip
_SCALED = ("Deployment", "StatefulSet", "ReplicaSet")


def comparable(live: Json, written: Json) -> dict[str, Any]:
    """An object as it is kept in a snapshot. `written` is what its manifest says of it.

    What the server gives each new object anew (addresses, ports, the selector of a Job) is left
    out where nobody wrote it: an object that was deleted and made again is the same one.
    """
    meta = {k: v for k, v in live["metadata"].items() if k not in _WRITTEN_BY_THE_SERVER}
    notes = {
        k: v
        for k, v in (meta.pop("annotations", None) or {}).items()
        if k not in _WRITTEN_BY_CONTROLLERS
    }
    found = {k: v for k, v in live.items() if k not in ("status", "metadata")}
    if live.get("kind") == "Secret":
        found |= {part: hashed(found[part]) for part in ("data", "stringData") if part in found}
        notes = hashed(notes)  # `kubectl apply` notes there all that it wrote
    if notes:
        meta["annotations"] = notes
    if isinstance(found.get("spec"), dict):
        said = written.get("spec")
        found["spec"] = _lasting(live, found["spec"], said if isinstance(said, dict) else {})
    return {**found, "metadata": meta}


def _lasting(live: Json, spec: Json, said: Json) -> Json:
    """What of a specification stays where an object is scaled, or made again."""
    match live.get("kind"), live.get("apiVersion"):
        case "Service", "v1":
            return _without_allocated(spec, said)
        case "Job", "batch/v1":
            return _without_generated(spec, said)
        case kind, _ if kind in _SCALED:
            return {k: v for k, v in spec.items() if k != "replicas"}
        case _:
            return spec


def _without_allocated(spec: Json, said: Json) -> dict[str, Any]:
    """A Service without the addresses and ports that the server chose."""
    found = {k: v for k, v in spec.items() if k not in _ALLOCATED or said.get(k)}
    if "ports" in spec:
        chosen = {_port(port) for port in said.get("ports") or () if port.get("nodePort")}
        found["ports"] = [
            port if _port(port) in chosen else {k: v for k, v in port.items() if k != "nodePort"}
            for port in spec["ports"]
        ]
    return found


def _port(port: Json) -> tuple[Any, str]:
    return port.get("port"), str(port.get("protocol") or "TCP")


def _without_generated(spec: Json, said: Json) -> dict[str, Any]:
    """A Job without the selector, and the labels of its pods, that bear its own uid."""
    if said.get("manualSelector"):
        return dict(spec)
    template = dict(spec.get("template") or {})
    meta = dict(template.get("metadata") or {})
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k not in _OF_A_JOB}
    template["metadata"] = {**meta, "labels": labels}
    return {**{k: v for k, v in spec.items() if k != "selector"}, "template": template}


def hashed(data: Json | None) -> dict[str, str]:
    """Each value as the beginning of its SHA-256."""
    return {
        key: "sha256:" + hashlib.sha256(str(value).encode()).hexdigest()[:24]
        for key, value in (data or {}).items()
    }


def merge_patch(now: Json, wanted: Json) -> dict[str, Any]:
    """What JSON Merge Patch (RFC 7386) takes to make the one of the other; lists as wholes."""
    found: dict[str, Any] = {key: None for key in now if key not in wanted}
    for key, value in wanted.items():
        has = now.get(key)
        if isinstance(has, dict) and isinstance(value, dict):
            if inside := merge_patch(has, value):
                found[key] = inside
        elif key not in now or has != value:
            found[key] = value
    return found


def differences(before: Json, after: Json) -> list[str]:
    """Where two sets of objects are not the same, by key and path; values are not told."""
    found = []
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if one is None and other is None:
            continue
        if one is None:
            found.append(f"{key} was not there")
        elif other is None:
            found.append(f"{key} is gone")
        else:
            found += [f"{key} {'/'.join(d.path)}" for d in compare(one, other)]
    return found
