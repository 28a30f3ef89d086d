"""The kinds of workload, and where each keeps what matters. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of workload as the API knows it."""

    name: str
    group: str
    plural: str
    template: tuple[str, ...] = ("spec", "template")

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Where one, all of a namespace, or all are asked for."""
        parts = [f"/apis/{self.group}"]
        parts += [f"namespaces/{namespace}"] if namespace else []
        parts += [self.plural, *([name] if name else [])]
        return "/".join(parts)

    def pointer(self) -> str:
        """The pod spec of its template, as JSON Patch points to it."""
        return "/" + "/".join((*self.template, "spec"))

    def pod_spec(self, workload: Json) -> Json:
        """The pod spec of its template."""
        found = workload
        for part in (*self.template, "spec"):
            found = found[part]
        return found


DEPLOYMENT = Kind("Deployment", "apps/v1", "deployments")
STATEFUL_SET = Kind("StatefulSet", "apps/v1", "statefulsets")
DAEMON_SET = Kind("DaemonSet", "apps/v1", "daemonsets")
CRON_JOB = Kind("CronJob", "batch/v1", "cronjobs", ("spec", "jobTemplate", "spec", "template"))
KINDS = {kind.name: kind for kind in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, CRON_JOB)}


def conditions(thing: Json) -> Sequence[Json]:
    """What the status of an object says of it, one condition each."""
    found: Sequence[Json] = (thing.get("status") or {}).get("conditions") or ()
    return found


def containers(pod_spec: Json) -> Iterator[tuple[str, Json]]:
    """Every container of a pod spec, init containers too: (JSON pointer inside it, container)."""
    for part in ("initContainers", "containers"):
        for place, container in enumerate(pod_spec.get(part) or ()):
            yield f"{part}/{place}", container


def images(pod_spec: Json) -> dict[str, str]:
    """What each container is to run, by its name."""
    return {container["name"]: container.get("image", "") for _, container in containers(pod_spec)}


def desired(kind: Kind, workload: Json) -> int:
    """How many pods are to run, by whoever scales it."""
    spec, status = workload["spec"], workload.get("status") or {}
    if kind is DAEMON_SET:
        return int(status.get("desiredNumberScheduled") or 0)
    if kind is CRON_JOB:
        return 0
    return int(spec.get("replicas", 1))


def made_anew(kind: Kind, workload: Json) -> int:
    """How many pods are of its newest template, by its controller's own count.

    Where its images stay, as in many a new chart, pods do not show which template they are of.
    """
    counted = "updatedNumberScheduled" if kind is DAEMON_SET else "updatedReplicas"
    return int((workload.get("status") or {}).get(counted) or 0)


def pace_s(kind: Kind, workload: Json) -> float:
    """Seconds that may go by at each pod, by its own word, with nothing to be seen."""
    graceful = kind.pod_spec(workload).get("terminationGracePeriodSeconds", 30)
    return float(graceful) + float(workload["spec"].get("minReadySeconds") or 0)


def kept_back(kind: Kind, workload: Json) -> str | None:
    """Why a new image does not reach its pods by itself, or not all of them."""
    partition = first_ordinal(workload)
    if kind is STATEFUL_SET and partition > 0 and not reaches_none(kind, workload):
        return f"partition {partition}: pods below that ordinal stay on the old version"
    return reaches_none(kind, workload)


def reaches_none(kind: Kind, workload: Json) -> str | None:
    """Why a new image does not reach any of its pods by itself."""
    spec = workload["spec"]
    strategy = spec.get("updateStrategy") or {}
    if kind is CRON_JOB:
        if spec.get("suspend"):
            return "suspended: no job runs until somebody resumes it"
        return f"the next job runs it, at {spec['schedule']}"
    if spec.get("paused"):
        return "paused: no pod is made anew until somebody resumes the rollout"
    if strategy.get("type") == "OnDelete":
        return "OnDelete: each pod runs it once somebody deletes the pod"
    if desired(kind, workload) == 0:
        return "no pod is to run" if kind is DAEMON_SET else "scaled to 0: no pod runs"
    return None


def first_ordinal(workload: Json) -> int:
    """The first pod of a StatefulSet that an update reaches."""
    rolling = (workload["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return int(rolling.get("partition") or 0)
