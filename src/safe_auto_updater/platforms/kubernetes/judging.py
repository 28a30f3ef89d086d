"""What one look at a workload and its pods says: is this side's rollout through, and well? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckResult, CheckState
from safe_auto_updater.platforms.kubernetes import pods as of
from safe_auto_updater.platforms.kubernetes.kinds import (
    STATEFUL_SET,
    Kind,
    conditions,
    desired,
    first_ordinal,
    images,
    kept_back,
    made_anew,
    reaches_none,
)

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What is to run: the image of each container that counts, and what it may really be."""

    images: Mapping[str, str]
    digests: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Judged:
    """One look. `seen` changes with each pod and restart, `progress` grows with ready new pods.

    `is_short`: fewer pods are ready than are wanted, or old ones are left, and none is unwell.
    """

    results: tuple[CheckResult, ...]
    unverified: str | None = None
    seen: str = ""
    progress: int = 0
    is_short: bool = False


def judge(
    kind: Kind,
    workload: Json | None,
    pods: Sequence[Json],
    wanted: Wanted,
    refusal: str | None = None,
) -> Judged:
    """Whose image it has, whether its controller has seen it, and each pod that is to run it.

    `refusal`: what the server said to its controller, for kinds whose status does not tell.
    """
    if workload is None or "deletionTimestamp" in workload["metadata"]:
        return _only("identity", CheckState.FAILED, "the workload is gone", Cause.CONFLICT)
    has = images(kind.pod_spec(workload))
    for name, image in wanted.images.items():
        if has.get(name) != image:
            fact = f"somebody changed it: container {name} is to run {has.get(name, 'nothing')}"
            return _only("identity", CheckState.FAILED, fact, Cause.CONFLICT)
    why, none = kept_back(kind, workload), reaches_none(kind, workload) is not None
    if is_unseen(workload) and not none:
        fact = "its controller has not seen the change yet"
        return _only("rollout", CheckState.FAILING, fact, Cause.PLATFORM)
    reached = [pod for pod in pods if not of.is_leaving(pod) and _reaches(kind, workload, pod)]
    new = [pod for pod in reached if of.runs(pod, wanted.images)]
    ready = [pod for pod in new if of.trouble(pod) is None]
    anew = len(ready) if none else made_anew(kind, workload)
    results = _troubles(new) + other_content(new, wanted)
    is_short = False
    if not results:
        leaving = [pod for pod in pods if of.is_stopping(pod)]
        old = 0 if none else len(reached) - len(new)
        due = 0 if none else _due(kind, workload)
        older = max(0, due - anew)
        is_short = len(ready) < due or old > 0 or older > 0
        fact = _counted(due, len(ready), old, leaving)
        if is_short and len(ready) >= due and not old:
            fact += f", {older} of them made before the last change of its template"
        if is_short:
            results = [missing(fact, _refused(workload) or refusal)]
        else:
            proves = probes(kind.pod_spec(workload)) and len(ready) > 0
            results = [CheckResult("rollout", CheckState.PASSED, fact, proves=proves)]
    return Judged(tuple(results), why, of.fingerprint(new), min(len(ready), anew), is_short)


def probes(pod_spec: Json) -> bool:
    """Whether each container that serves can say that it is ready."""
    serving = pod_spec.get("containers") or ()
    return bool(serving) and all("readinessProbe" in container for container in serving)


def is_unseen(workload: Json) -> bool:
    """Whether its status is from before its last change."""
    seen = (workload.get("status") or {}).get("observedGeneration")
    return seen is not None and seen < workload["metadata"].get("generation", 0)


def _reaches(kind: Kind, workload: Json, pod: Json) -> bool:
    """Whether an update is to reach this pod: below a partition it is not."""
    if kind is not STATEFUL_SET:
        return True
    ordinal = str(pod["metadata"]["name"]).rpartition("-")[2]
    return not ordinal.isdigit() or int(ordinal) >= first_ordinal(workload)


def _troubles(pods: Sequence[Json]) -> list[CheckResult]:
    """The worst of all pods: one that will not come right decides."""
    found = [(pod, one) for pod in pods if (one := of.trouble(pod)) is not None]
    found.sort(key=lambda pair: pair[1].state is not CheckState.FAILED)
    return [
        CheckResult(f"pod {pod['metadata']['name']}", t.state, t.fact, t.cause, proves=False)
        for pod, t in found
    ]


def other_content(pods: Sequence[Json], wanted: Wanted) -> list[CheckResult]:
    """Pods that run something else than what their image was pinned to."""
    for pod in pods:
        for container, digests in wanted.digests.items():
            runs = of.digest_of(pod, container)
            if digests and runs is not None and runs not in digests:
                fact = f"{container} runs {runs[:19]}, not {digests[0][:19]}"
                name = f"pod {pod['metadata']['name']}"
                return [CheckResult(name, CheckState.FAILED, fact, Cause.PLATFORM, proves=False)]
    return []


def _due(kind: Kind, workload: Json) -> int:
    """How many pods an update is to reach."""
    below = first_ordinal(workload) if kind is STATEFUL_SET else 0
    return max(0, desired(kind, workload) - below)


def _counted(due: int, ready: int, old: int, leaving: Sequence[Json]) -> str:
    """How many there are of those that have to be, and who is in their way."""
    fact = f"{ready} of {due} pods are ready" if due else f"{ready} pods are ready"
    if ready < due or old:
        fact += f", {old} of the other version are still there" if old else ""
        fact += f", {len(leaving)} are still being stopped" if leaving else ""
        fact += "".join(f"; {kept}" for pod in leaving if (kept := of.kept_by(pod)) is not None)
    return fact


def missing(fact: str, refusal: str | None, what: str = "pod") -> CheckResult:
    """Whose fault it is that pods are not there: never that of an image that none of them shows."""
    cause = Cause.CAPACITY if "exceeded quota" in (refusal or "") else Cause.PLATFORM
    fact += f"; no {what} can be made: {refusal}" if refusal else ""
    return CheckResult("rollout", CheckState.FAILING, fact, cause, proves=False)


def _refused(workload: Json) -> str | None:
    """What the API server said to the controller that wanted to make a pod, by its status."""
    for condition in conditions(workload):
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return str(condition.get("message", ""))
    return None


def _only(check: str, state: CheckState, fact: str, cause: Cause) -> Judged:
    return Judged((CheckResult(check, state, fact, cause, proves=False),))
