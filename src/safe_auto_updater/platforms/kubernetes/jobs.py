"""The Job of a check: what is written, and what its status means. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from safe_auto_updater.platforms.kubernetes.kinds import conditions
from safe_auto_updater.platforms.kubernetes.pods import is_disrupted

Json = Mapping[str, Any]
CONTAINER = "check"
RUN = "safe-auto-updater/check"
ASSET = "safe-auto-updater/asset"
KEPT_S = 600  # where nobody is left to delete it


def path(namespace: str, name: str = "") -> str:
    """Where the API has the Jobs of a namespace, or one of them."""
    return f"/apis/batch/v1/namespaces/{namespace}/jobs" + (f"/{name}" if name else "")


def name_of(run: str) -> str:
    """The name that says whose it is. Digits at its end would look like a CronJob's."""
    return f"sau-check-{run}-once"


def manifest(
    run: str, asset: str, image: str, command: Sequence[str], timeout_s: float
) -> dict[str, Any]:
    """Runs once, is not repeated, ends in time, and has no account of the cluster."""
    labels = {"app.kubernetes.io/managed-by": "safe-auto-updater", RUN: run}
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": image,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    if command:
        container["command"] = list(command)
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 5,
        "containers": [container],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name_of(run), "labels": labels, "annotations": {ASSET: asset}},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": max(math.ceil(timeout_s), 1),
            "ttlSecondsAfterFinished": KEPT_S,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def ended(job: Json) -> tuple[bool, str] | None:
    """Whether it did its work, and the server's reason if not; None while it is at it."""
    for condition in conditions(job):
        if condition.get("status") == "True" and condition.get("type") in ("Complete", "Failed"):
            return condition["type"] == "Complete", str(condition.get("reason", ""))
    return None


def is_owned(thing: Json, owner: Json) -> bool:
    """Whether it was made by, or for, this very object."""
    owners = thing["metadata"].get("ownerReferences") or ()
    return any(one["uid"] == owner["metadata"]["uid"] for one in owners)


def exit_code(pods: Sequence[Json]) -> int | None:
    """What its program ended with by itself; None where its pod was removed or evicted instead."""
    for pod in pods:
        if is_disrupted(pod):
            continue
        for container in (pod.get("status") or {}).get("containerStatuses") or ():
            code = ((container.get("state") or {}).get("terminated") or {}).get("exitCode")
            if code:
                return int(code)
    return None
