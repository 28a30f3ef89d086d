"""Who else writes an object, and would undo our change: recognised by what they leave on it. Data.

Sources: the owners' public documentation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.model import PIPELINE, SERVER_SIDE, Obstacle

Json = Mapping[str, Any]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
BY_HELM = "meta.helm.sh/release-name"
# label or annotation, who that is, and what to do instead; the first that is there names the owner
MARKS = (
    ("argocd.argoproj.io/tracking-id", "argocd", "Argo CD", "change its source in Git"),
    ("argocd.argoproj.io/instance", "argocd", "Argo CD", "change its source in Git"),
    ("kustomize.toolkit.fluxcd.io/name", "flux", "Flux", "change its source in Git"),
    ("helm.toolkit.fluxcd.io/name", "flux", "Flux's HelmRelease", "change the HelmRelease"),
    ("fleet.cattle.io/bundle-id", "fleet", "Fleet", "change its source in Git"),
    (BY_HELM, "helm", "Helm release", "upgrade the release"),
)

_WRITERS = {
    "argocd-controller": ("argocd", "Argo CD", "change its source in Git"),
    "argocd-application-controller": ("argocd", "Argo CD", "change its source in Git"),
}
"""Who writes images and leaves no mark of its own: Argo CD before 3.0 sets a label that all use."""
_USED_BY_ALL = "app.kubernetes.io/instance"


def managed_by(workload: Json) -> str | None:
    """Who else writes it, in one word and a name; None where nobody shows."""
    meta = workload["metadata"]
    for mark, word, _, _ in MARKS:
        value = _marked(meta, mark)
        if value is not None:
            return f"{word}:{value}"
    writer = _writer(meta)
    if writer is not None:
        return ":".join(filter(None, (writer[0], _instance(meta))))
    owner = controller(meta)
    if owner is not None:
        return f"operator:{owner}"
    if LAST_APPLIED in (meta.get("annotations") or {}):
        return PIPELINE
    return SERVER_SIDE if _applies_images(meta) else None


def ownership(workload: Json) -> list[Obstacle]:
    """Owners that put back what they want; a pipeline's `kubectl apply` is told, not held."""
    meta = workload["metadata"]
    for mark, _, who, instead in MARKS:
        value = _marked(meta, mark)
        if value is not None:
            return [owned(f"{who} {value}", instead)]
    writer = _writer(meta)
    if writer is not None:
        return [owned(" ".join(filter(None, (writer[1], _instance(meta)))), writer[2])]
    owner = controller(meta)
    if owner is not None:
        fact = f"{owner} made it and would put its own version back"
        return [Obstacle("owner", f"{fact}: change that instead")]
    return []


def owned(who: str, instead: str) -> Obstacle:
    """Somebody puts back what they want; a human changes that instead."""
    return Obstacle("owner", f"{who} owns it and would put its own version back: {instead}")


def not_updated(kind: str) -> Obstacle:
    """Why a kind of workload is looked at and no more, and what to do instead."""
    usual = f"a {kind} is not updated by this program", "change its image yourself"
    fact, remedy = _ONLY_SEEN.get(kind, usual)
    return Obstacle("kind", f"{fact}: {remedy}")


_ONLY_SEEN = {
    "Pod": ("a pod that no workload made cannot be rolled out", "make it anew, or a Deployment"),
    "Job": ("a job runs once", "make it anew with the new image"),
    "ReplicaSet": ("a ReplicaSet of its own rolls nothing out", "make a Deployment of it"),
    "ReplicationController": (
        "a ReplicationController rolls nothing out",
        "make a Deployment of it",
    ),
    "Rollout.argoproj.io": (
        "an Argo Rollout has steps and analyses of its own",
        "`kubectl argo rollouts set image`",
    ),
}
"""Kind -> why it is only looked at, and what to do instead."""


def _applies_images(meta: Json) -> bool:
    """Whether somebody applies its images at the server, by what it keeps of who wrote what."""
    return any(one.get("operation") == "Apply" for one in _of_its_images(meta))


def _writer(meta: Json) -> tuple[str, str, str] | None:
    """Who of those that leave no mark wrote its images last."""
    known = (_WRITERS.get(str(one.get("manager"))) for one in _of_its_images(meta))
    return next(filter(None, known), None)


def _instance(meta: Json) -> str:
    return str((meta.get("labels") or {}).get(_USED_BY_ALL) or "")


def _of_its_images(meta: Json) -> list[Json]:
    """The entries of those who wrote an image as it is now."""
    told = meta.get("managedFields") or ()
    return [one for one in told if "f:image" in json.dumps(one.get("fieldsV1") or {})]


def _marked(meta: Json, mark: str) -> str | None:
    both = {**(meta.get("labels") or {}), **(meta.get("annotations") or {})}
    value = both.get(mark)
    return str(value).partition(":")[0] if value else None


def controller(meta: Json) -> str | None:
    """Kind and name of the object that made it and answers for it."""
    for owner in meta.get("ownerReferences") or ():
        if owner.get("controller"):
            return f"{owner['kind']} {owner['name']}"
    return None
