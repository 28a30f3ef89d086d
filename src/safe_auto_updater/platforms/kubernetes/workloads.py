"""Workloads and their pods, as the API tells them, without what nobody here needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from safe_auto_updater.core.errors import SafeAutoUpdaterError
from safe_auto_updater.platforms.kubernetes import jobs
from safe_auto_updater.platforms.kubernetes.cluster import FIELD_MANAGER, Cluster, Refused
from safe_auto_updater.platforms.kubernetes.kinds import KINDS
from safe_auto_updater.platforms.kubernetes.placement import Platform, platform_of, platforms_for
from safe_auto_updater.platforms.kubernetes.pods import owner_of
from safe_auto_updater.platforms.kubernetes.target import Target

Json = dict[str, Any]
LINES = 10


class Workloads:
    """What is asked about single workloads of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def find(self, target: Target) -> Json | None:
        """The workload now; None where it is gone."""
        return self.cluster.find(target.path)

    def platforms(self, asset: str) -> tuple[Platform, ...]:
        """Those that its image must have: of the nodes that would take its pods."""
        nodes = self.cluster.nodes()
        if not nodes:
            return (self.cluster.own_platform(),)
        pod_spec: Mapping[str, Any] = {}
        if len(set(map(platform_of, nodes))) > 1 and asset.split("/")[2] in KINDS:
            target = Target.of(asset)
            workload = self.find(target)
            pod_spec = {} if workload is None else target.kind.pod_spec(workload)
        return platforms_for(pod_spec, nodes)

    def pods(self, target: Target, workload: Mapping[str, Any]) -> list[Json]:
        """The pods that its controller made."""
        asked = {}
        selector = selector_of(workload)
        if selector:
            asked = {"labelSelector": selector}
        found = self.cluster.listed(f"/api/v1/namespaces/{target.namespace}/pods", **asked)
        mine = (target.kind.name, target.name)
        return [pod for pod in found if owner_of(pod) == mine]

    def jobs(self, cron_job: Mapping[str, Any]) -> list[Json] | None:
        """The Jobs of its namespace, others too; None where they may not be listed."""
        try:
            return list(self.cluster.listed(jobs.path(cron_job["metadata"]["namespace"])))
        except Refused:
            return None

    def pods_of_job(self, job: Mapping[str, Any]) -> list[Json]:
        """The pods that one Job made."""
        meta = job["metadata"]
        asked = {"labelSelector": f"job-name={meta['name']}"}
        found = self.cluster.listed(f"/api/v1/namespaces/{meta['namespace']}/pods", **asked)
        return [pod for pod in found if jobs.is_owned(pod, job)]

    def refusal(self, thing: Mapping[str, Any], since: str | None) -> str | None:
        """What the server said last, not before `since`, to the controller that makes things of it.

        None where it said nothing, where nobody knows since when, and where Events may not be read.
        """
        if since is None:
            return None
        meta = thing["metadata"]
        which = f"involvedObject.uid={meta['uid']},reason=FailedCreate"
        try:
            told = list(
                self.cluster.listed(
                    f"/api/v1/namespaces/{meta['namespace']}/events", fieldSelector=which
                )
            )
        except Refused:
            return None  # `sau doctor` tells of the rule
        newest = max(told, key=_seen, default=None)
        if newest is None or _seen(newest) < since:
            return None
        return str(newest.get("message", ""))

    def log(self, pod: Json, containers: Iterable[str]) -> list[str]:
        """The last lines that these containers of a pod said, in the run before this one too."""
        meta, lines = pod["metadata"], []
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/log"
        for container in containers:
            for previous in ("true", "false"):
                try:
                    text = self.cluster.text(
                        path, container=container, tailLines=LINES, previous=previous
                    )
                except SafeAutoUpdaterError:
                    continue  # it has said nothing yet, or nobody keeps it any more
                lines += [f"{container}: {line}" for line in text.splitlines() if line.strip()]
        return list(dict.fromkeys(lines))

    def remove_pod(self, pod: Json) -> None:
        """Have its controller make it anew. Never its claims."""
        meta = pod["metadata"]
        self.cluster.delete(
            f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}", meta["uid"]
        )

    def remove_job(self, job: Json) -> None:
        """Delete this very Job, and its pods."""
        meta = job["metadata"]
        self.cluster.delete(
            jobs.path(meta["namespace"], meta["name"]), meta["uid"], and_dependents=True
        )


def without_managers(workload: Json) -> Json:
    """Without who wrote which field: it is long, and changes with every look of a controller."""
    meta = {k: v for k, v in workload["metadata"].items() if k != "managedFields"}
    return {**workload, "metadata": meta}


def written_at(workload: Mapping[str, Any]) -> str | None:
    """When we last changed it, by the server's own clock, to the second; None where it was not us.

    Times of the API compare as texts.
    """
    told = workload["metadata"].get("managedFields") or ()
    ours = [
        str(one.get("time", ""))
        for one in told
        if one.get("manager") == FIELD_MANAGER and not one.get("subresource")
    ]
    return max(ours, default=None)


def _seen(event: Mapping[str, Any]) -> str:
    """When an Event happened last."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((str(time) for time in times if time), "")


def selector_of(workload: Mapping[str, Any]) -> str:
    """Its selector as a list takes it; empty for kinds that have none."""
    selector = workload["spec"].get("selector") or {}
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or ():
        key, values = one["key"], ",".join(one.get("values") or ())
        match one["operator"]:
            case "In":
                parts.append(f"{key} in ({values})")
            case "NotIn":
                parts.append(f"{key} notin ({values})")
            case "Exists":
                parts.append(key)
            case "DoesNotExist":
                parts.append(f"!{key}")
    return ",".join(parts)
