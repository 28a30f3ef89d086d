"""A StatefulSet that waits for a pod of the version that was taken back: freed, pod by pod.

Its controller waits for a broken pod to become ready before it replaces it, for ever
(kubernetes/kubernetes#67250).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from safe_auto_updater.platforms.kubernetes import pods as of
from safe_auto_updater.platforms.kubernetes.judging import is_unseen
from safe_auto_updater.platforms.kubernetes.kinds import (
    STATEFUL_SET,
    first_ordinal,
    reaches_none,
)
from safe_auto_updater.platforms.kubernetes.target import Target
from safe_auto_updater.platforms.kubernetes.workloads import Workloads

Json = Mapping[str, Any]
LOOK_S = 0.5


def free_blocked_pods(
    workloads: Workloads,
    target: Target,
    is_left: Callable[[Json, Json], bool],
    sleep: Callable[[float], None],
    timeout_s: float,
) -> None:
    """Delete broken pods that are left, the next one only when the last has been replaced.

    `is_left` says of the set and a pod whether it is of the version that was taken back. Claims
    are never touched. Whoever is ready is left to the controller.
    """
    if target.kind is not STATEFUL_SET:
        return
    freed: set[str] = set()
    for _ in range(round(timeout_s / LOOK_S)):
        workload = workloads.find(target)
        if workload is None:
            return
        if is_unseen(workload):  # which pods are left it will tell
            sleep(LOOK_S)
            continue
        pods = workloads.pods(target, workload)
        left = [pod for pod in pods if is_left(workload, pod)]
        if not left:
            return
        leaving = any(map(of.is_stopping, pods))
        if not leaving and (broken := _broken(left)) is not None:
            uid = broken["metadata"]["uid"]
            if uid not in freed:
                freed.add(uid)
                workloads.remove_pod(broken)
        sleep(LOOK_S)


def of_another_revision(workload: Json, pod: Json) -> bool:
    """Whether a pod is not made as its StatefulSet has it now, and is to be made so by itself."""
    kept = _ordinal(pod["metadata"]["name"]) < first_ordinal(workload)
    if kept or reaches_none(STATEFUL_SET, workload):
        return False
    revision = (workload.get("status") or {}).get("updateRevision")
    return (pod["metadata"].get("labels") or {}).get("controller-revision-hash") != revision


def _broken(pods: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The one with the highest ordinal, which its controller waits for first."""
    found = [pod for pod in pods if of.trouble(pod) is not None]
    return max(found, key=lambda pod: _ordinal(pod["metadata"]["name"]), default=None)


def _ordinal(name: str) -> int:
    number = name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1
