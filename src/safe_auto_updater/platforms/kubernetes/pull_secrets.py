"""The pull secrets of a workload: what its nodes sign in with, read to look up its images.

What they hold is handed on and kept nowhere: no error, event, row or repr has a word of it. Source:
Kubernetes, "Pull an Image from a Private Registry" and "Add ImagePullSecrets to a service account".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.platforms.kubernetes.cluster import Cluster, Json, Refused
from safe_auto_updater.platforms.kubernetes.kinds import KINDS
from safe_auto_updater.platforms.kubernetes.target import Target

_FORMS = {
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
    "kubernetes.io/dockercfg": ".dockercfg",
}
_ANEW = "make it anew with `kubectl create secret docker-registry`"


@dataclass(frozen=True)
class PullSecret:
    """One of them: registry -> entry, as Docker's own configuration has them under `auths`."""

    name: str
    """Namespace and name."""
    auths: Mapping[str, Any] = field(repr=False)


def pull_secrets(cluster: Cluster, asset: str) -> tuple[PullSecret, ...]:
    """Those that the nodes would use, in their order; they do without one that is not there.

    Raises PlatformError where one may not be read, or holds what nobody can read.
    """
    if asset.split("/")[2] not in KINDS:
        return ()  # only seen by its pods
    target = Target.of(asset)
    workload = cluster.find(target.path)
    if workload is None:
        return ()
    spec = target.kind.pod_spec(workload)
    named = spec.get("imagePullSecrets") or _of_account(cluster, target, spec)
    return tuple(_read(cluster, target, [str(one.get("name")) for one in named if one.get("name")]))


def _of_account(cluster: Cluster, target: Target, spec: Mapping[str, Any]) -> Any:
    """Those of its service account count where its template names none."""
    name = spec.get("serviceAccountName") or "default"
    path = f"/api/v1/namespaces/{target.namespace}/serviceaccounts/{name}"
    account = _asked(cluster, path, f"service account {target.namespace}/{name}", "serviceaccounts")
    return () if account is None else account.get("imagePullSecrets") or ()


def _read(cluster: Cluster, target: Target, names: list[str]) -> Iterator[PullSecret]:
    for name in names:
        where = f"pull secret {target.namespace}/{name}"
        path = f"/api/v1/namespaces/{target.namespace}/secrets/{name}"
        secret = _asked(cluster, path, where, "secrets")
        key = None if secret is None else _FORMS.get(str(secret.get("type")))
        if secret is None or key is None:
            continue  # nodes pass over those of other types too
        yield PullSecret(f"{target.namespace}/{name}", _auths(where, key, secret))


def _asked(cluster: Cluster, path: str, what: str, resource: str) -> Json | None:
    """None where it is not there. Refusals name the rule that is missing."""
    try:
        return cluster.find(path)
    except Refused as error:
        rule = f'{{apiGroups: [""], resources: [{resource}], verbs: [get]}}'
        remedy = f"add {rule} to the Role, or take the namespace out of pull_secrets"
        raise PlatformError(f"{what} may not be read: {remedy}", error.status) from error


def _auths(where: str, key: str, secret: Json) -> Mapping[str, Any]:
    try:
        told = json.loads(base64.b64decode((secret.get("data") or {})[key], validate=True))
        found = told["auths"] if key == ".dockerconfigjson" else told
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    # Raised out here: what could not be read would hang on the error as its cause.
    raise PlatformError(f"{where} cannot be understood: its {key} lists no registries; {_ANEW}")
