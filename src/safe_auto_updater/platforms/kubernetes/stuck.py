"""A StatefulSet that waits for a pod of the version that was taken back: freed, pod by pod.

Its controller waits for a broken pod to become ready before it replaces it, for ever
(kubernetes/kubernetes#67250).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safe_auto_updater.core.ports import Patience, Work
from safe_auto_updater.platforms.kubernetes import pods as of
from safe_auto_updater.platforms.kubernetes.kinds import STATEFUL_SET
from safe_auto_updater.platforms.kubernetes.target import Target, new_images
from safe_auto_updater.platforms.kubernetes.workloads import Workloads

LOOK_S = 0.5


def free_blocked_pods(
    workloads: Workloads, work: Work, sleep: Callable[[float], None], patience: Patience
) -> None:
    """Delete broken pods of the new version, the next one only when the last has been replaced.

    Claims are never touched. Whoever is ready is left to the controller.
    """
    target = Target.of(work.step.asset)
    if target.kind is not STATEFUL_SET:
        return
    new = new_images(work)
    freed: set[str] = set()
    for _ in range(round(patience.timeout_s / LOOK_S)):
        workload = workloads.find(target)
        pods = [] if workload is None else workloads.pods(target, workload)
        left = [pod for pod in pods if of.runs(pod, new)]
        if not left:
            return
        leaving = any(map(of.is_stopping, pods))
        if not leaving and (broken := _broken(left)) is not None:
            uid = broken["metadata"]["uid"]
            if uid not in freed:
                freed.add(uid)
                workloads.remove_pod(broken)
        sleep(LOOK_S)


def _broken(pods: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The one with the highest ordinal, which its controller waits for first."""
    found = [pod for pod in pods if of.trouble(pod) is not None]
    return max(found, key=lambda pod: _ordinal(pod["metadata"]["name"]), default=None)


def _ordinal(name: str) -> int:
    number = name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1
