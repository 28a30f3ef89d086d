"""Workloads of each kind for tests, of one lab image."""

from __future__ import annotations

from typing import Any

from tests.kubernetes.kit import Json, Namespace, deployment

KINDS = ("Deployment", "StatefulSet", "DaemonSet")


def stateful_set(name: str, image: str, replicas: int = 3, **container: Any) -> Json:
    """Ordered pods."""
    found = deployment(name, image, replicas, **container)
    found["kind"] = "StatefulSet"
    found["spec"]["serviceName"] = name
    return found


def daemon_set(name: str, image: str, **container: Any) -> Json:
    """One pod on the node."""
    found = deployment(name, image, **container)
    found["kind"] = "DaemonSet"
    del found["spec"]["replicas"]
    return found


def cron_job(name: str, image: str, schedule: str = "0 3 1 1 *") -> Json:
    """A job that a test starts by hand, if at all."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "web", "image": image}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": {"spec": pod}}}},
    }


def of_kind(kind: str, image: str, **container: Any) -> Json:
    """A workload called `web`, in its usual size."""
    match kind:
        case "Deployment":
            return deployment("web", image, 2, **container)
        case "StatefulSet":
            return stateful_set("web", image, **container)
        case "DaemonSet":
            return daemon_set("web", image, **container)
        case _:
            return cron_job("web", image)


def settled(namespace: Namespace, kind: str, timeout_s: float = 90) -> None:
    """Wait until all its pods are of its newest template, and ready."""
    status = namespace.say("rollout", "status", f"{kind}/web", f"--timeout={timeout_s}s")
    if "only available for RollingUpdate" in status.err:
        namespace.wait(f"{kind}/web", "jsonpath={.status.readyReplicas}=3", timeout_s)
        return
    assert status.code == 0, status.out + status.err


def begun(namespace: Namespace, kind: str, **container: Any) -> Json:
    """A workload that runs 1.0.0, and its object."""
    namespace.apply(of_kind(kind, namespace.publish("1.0.0").reference, **container))
    settled(namespace, kind)
    return namespace.get(kind, "web")


def pods_of(namespace: Namespace) -> list[Json]:
    """The pods that are to stay."""
    found = namespace.get("pods", "--selector=app=web")["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def running(namespace: Namespace) -> set[str]:
    """What their containers really run, by digest."""
    return {
        status["imageID"].rpartition("@")[2]
        for pod in pods_of(namespace)
        for status in pod["status"].get("containerStatuses", ())
    }


def as_written(workload: Json) -> Json:
    """What people write of an object: without what servers and controllers count in it."""
    meta = {
        key: value
        for key, value in workload["metadata"].items()
        if key not in ("generation", "managedFields", "resourceVersion")
    }
    notes = meta.get("annotations", {})
    counted = ("deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation")
    ours = {key: value for key, value in notes.items() if key not in counted}
    return {**workload, "metadata": {**meta, "annotations": ours}, "status": None}
