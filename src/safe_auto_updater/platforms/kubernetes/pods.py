"""What pods say of themselves: whose they are, what they run, what keeps them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckState
from safe_auto_updater.platforms.kubernetes.kinds import conditions, images

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Trouble:
    """Why one pod is not ready. FAILED will not come right by itself."""

    state: CheckState
    fact: str
    cause: Cause


def made_by(pod: Json) -> tuple[str, str]:
    """Kind and name of what made a pod; the pod itself where nobody did.

    A kind that Kubernetes does not bring has its group behind it, as `CloneSet.apps.kruise.io`.
    """
    meta = pod["metadata"]
    owner = next((one for one in meta.get("ownerReferences") or () if one.get("controller")), None)
    if owner is None or owner["kind"] == "Node":
        return "Pod", str(meta["name"])
    group = str(owner["apiVersion"]).rpartition("/")[0]
    kind = str(owner["kind"]) if group in _OWN_GROUPS else f"{owner['kind']}.{group}"
    return kind, str(owner["name"])


def owner_of(pod: Json) -> tuple[str, str]:
    """The workload behind what made it: of a ReplicaSet by its label, of a Job by its name."""
    kind, name = made_by(pod)
    if kind == "ReplicaSet":
        for label, maker in _HASHED.items():
            hashed = (pod["metadata"].get("labels") or {}).get(label)
            if hashed and name.endswith(f"-{hashed}"):
                return maker, name.removesuffix(f"-{hashed}")
    scheduled = re.fullmatch(r"(.+)-\d{6,}", name) if kind == "Job" else None
    return ("CronJob", scheduled[1]) if scheduled else (kind, name)


_OWN_GROUPS = ("", "apps", "batch")
_HASHED = {
    "pod-template-hash": "Deployment",
    "rollouts-pod-template-hash": "Rollout.argoproj.io",
}
"""What a ReplicaSet's pods are labelled with, and who makes such ReplicaSets."""


def is_leaving(pod: Json) -> bool:
    """Whether it is being removed, or has ended for good."""
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return is_stopping(pod) or ended


def has_succeeded(pod: Json) -> bool:
    """Whether it has done its work."""
    return (pod.get("status") or {}).get("phase") == "Succeeded"


def is_disrupted(pod: Json) -> bool:
    """Whether somebody else ended it: an eviction, a deletion, a node that went."""
    disrupted = any(one.get("type") == "DisruptionTarget" for one in conditions(pod))
    return disrupted or is_stopping(pod)


def is_stopping(pod: Json) -> bool:
    """Whether it is being removed and has not ended yet."""
    return "deletionTimestamp" in pod["metadata"]


def kept_by(pod: Json) -> str | None:
    """Who keeps a pod from going that is being removed and has nothing left that runs."""
    finalizers = pod["metadata"].get("finalizers") or ()
    if not finalizers or has_running(pod) or not is_stopping(pod):
        return None
    who = ", ".join(str(one) for one in finalizers)
    return f"pod {pod['metadata']['name']} cannot go until its finalizer {who} is taken away"


def has_running(pod: Json) -> bool:
    """Whether one of its containers runs."""
    return any("running" in (status.get("state") or {}) for status in statuses(pod))


def runs(pod: Json, wanted: Mapping[str, str]) -> bool:
    """Whether a pod was made to run these images."""
    has = images(pod["spec"])
    return all(has.get(name) == image for name, image in wanted.items())


def is_ready(pod: Json) -> bool:
    """Its own word, by its readiness probes where it has some."""
    return any(
        one.get("type") == "Ready" and one.get("status") == "True" for one in conditions(pod)
    )


def digest_of(pod: Json, container: str) -> str | None:
    """What a container really runs, by the digest its image was pulled by; None while unknown."""
    for status in statuses(pod):
        if status["name"] == container:
            _, at, digest = str(status.get("imageID") or "").rpartition("@")
            return digest if at and digest.startswith("sha256:") else None
    return None


def statuses(pod: Json) -> Iterator[Json]:
    """The status of each container, init containers too."""
    status = pod.get("status") or {}
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()


def has_ended_once(pod: Json) -> bool:
    """Whether one of its containers has run and ended."""
    return any(
        "terminated" in (status.get(which) or {})
        for status in statuses(pod)
        for which in ("state", "lastState")
    )


def fingerprint(pods: Iterable[Json]) -> str:
    """Changes with each pod that comes or goes, and with each container that starts again."""
    seen = [
        (pod["metadata"]["uid"], sum(int(s.get("restartCount") or 0) for s in statuses(pod)))
        for pod in pods
    ]
    return " ".join(f"{uid}:{restarts}" for uid, restarts in sorted(seen))


def trouble(pod: Json) -> Trouble | None:
    """What keeps a pod from being ready; None where it is."""
    found = ailment(pod)
    if found is not None or is_ready(pod):
        return found
    return Trouble(CheckState.FAILING, "not ready", Cause.IMAGE)


def ailment(pod: Json) -> Trouble | None:
    """What is wrong with a pod, whether it can say that it is ready or not."""
    found = [one for status in statuses(pod) if (one := _of_container(status)) is not None]
    failed = [one for one in found if one.state is CheckState.FAILED]
    if failed or found:
        return (failed or found)[0]
    if is_ready(pod):
        return None
    for condition in conditions(pod):
        if condition.get("reason") == "Unschedulable":
            fact = f"no node takes it: {condition.get('message', '')}"
            return Trouble(CheckState.FAILING, fact, Cause.CAPACITY)
    return None


# What a kubelet calls a container that waits: will it come right, and whose fault it is.
_WAITING: Mapping[str, tuple[CheckState, Cause]] = {
    "ImagePullBackOff": (CheckState.FAILING, Cause.REGISTRY),
    "ErrImagePull": (CheckState.FAILING, Cause.REGISTRY),
    "ErrImageNeverPull": (CheckState.FAILED, Cause.REGISTRY),
    "RegistryUnavailable": (CheckState.FAILING, Cause.REGISTRY),
    "InvalidImageName": (CheckState.FAILED, Cause.CONFIG),
    "CrashLoopBackOff": (CheckState.FAILED, Cause.IMAGE),
    "CreateContainerConfigError": (CheckState.FAILING, Cause.CONFIG),
    "CreateContainerError": (CheckState.FAILED, Cause.IMAGE),
    "RunContainerError": (CheckState.FAILED, Cause.IMAGE),
    "StartError": (CheckState.FAILED, Cause.IMAGE),
}
_NOT_THERE = re.compile(r"not found|manifest unknown|no such (?:image|manifest)")
_WRONG_USER = re.compile(r"runAsNonRoot|non-numeric user|run as root")


def _of_container(status: Json) -> Trouble | None:
    state, name = status.get("state") or {}, status["name"]
    last = (status.get("lastState") or {}).get("terminated")
    if "waiting" in state:
        reason = str(state["waiting"].get("reason") or "waiting")
        message = str(state["waiting"].get("message") or "")
        if reason in ("ContainerCreating", "PodInitializing"):
            return None  # it has not begun; the pod's own conditions say more
        how, cause = _WAITING.get(reason, (CheckState.FAILING, Cause.UNKNOWN))
        if cause is Cause.REGISTRY and _NOT_THERE.search(message):
            how = CheckState.FAILED
        if _WRONG_USER.search(message):
            how, cause = CheckState.FAILED, Cause.IMAGE
        if last is not None:
            cause, message = _ended(last, cause)
        return Trouble(how, f"{name}: {reason}{f': {message}' if message else ''}", cause)
    if "terminated" in state and int(state["terminated"].get("exitCode") or 0) != 0:
        cause, message = _ended(state["terminated"], Cause.IMAGE)
        return Trouble(CheckState.FAILING, f"{name}: {message}", cause)
    if "running" in state and last is not None and not status.get("ready", False):
        cause, message = _ended(last, Cause.IMAGE)
        times = int(status.get("restartCount") or 0)
        fact = f"{name}: started again {times} times, {message}"
        return Trouble(CheckState.FAILING, fact, cause)
    return None


def _ended(terminated: Json, cause: Cause) -> tuple[Cause, str]:
    reason = str(terminated.get("reason") or "ended")
    code = terminated.get("exitCode")
    if reason == "OOMKilled":
        return Cause.CAPACITY, "ran out of its memory limit (OOMKilled)"
    if reason in ("StartError", "ContainerCannotRun"):
        return Cause.IMAGE, f"could not be started: {terminated.get('message', '')}"[:300]
    return cause, f"it ended with exit code {code}"


def slim(pod: Json) -> dict[str, Any]:
    """What of a pod is looked at here; the rest of thousands of them is much."""
    meta, spec = pod["metadata"], pod["spec"]
    keys = (
        "uid", "name", "namespace", "creationTimestamp", "deletionTimestamp", "ownerReferences",
    )  # fmt: skip
    named = {
        part: [{"name": c["name"], "image": c.get("image", "")} for c in spec[part]]
        for part in ("initContainers", "containers")
        if part in spec
    }
    status = pod.get("status") or {}
    kept = ("phase", "conditions", "initContainerStatuses", "containerStatuses")
    return {
        "metadata": {key: meta[key] for key in keys if key in meta},
        "spec": named,
        "status": {key: status[key] for key in kept if key in status},
    }
