"""The service as a pod: deployed as people deploy it, and asked as they ask it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

from lab.cluster.identities import NODE
from lab.cluster.settings import FROM_PODS
from safe_auto_updater.core.outcome import Outcome
from tests.kubernetes.charts import RELEASE, Chart, config_map
from tests.kubernetes.kit import Cluster, Json, Namespace, deployment
from tests.kubernetes.workloads import running, settled
from tests.lab_kit import eventually
from tests.sau_kit import Said

ROOT = Path(__file__).resolve().parents[2]
NAME = "safe-auto-updater"
ENABLED = {"safe-auto-updater/enable": "true"}
HEALTH = "{timeout: 40s, stable_for: 2s}"


def from_pods(cluster: Cluster) -> str:
    """The registry by the name that pods reach it by."""
    return cluster.registry if cluster.layout is None else FROM_PODS


def seen_by_pods(cluster: Cluster, reference: str) -> str:
    """An image by that name."""
    return reference.replace(cluster.registry, from_pods(cluster), 1)


def configuration(namespace: Namespace, health: str = HEALTH, cluster: str = "") -> str:
    """A configuration for one namespace that looks often; `cluster` are more keys of its entry."""
    registry = from_pods(namespace.cluster)
    return (
        "inventory:\n"
        f"  kubernetes: [{{name: lab, namespaces: [{namespace.name}]{cluster}}}]\n"
        "detection:\n  interval: 3s\n  policy: minor\n"
        f'  registries: [{{host: "{registry}", plain_http: true}}]\n'
        f'  helm_sources: [{{chart: "*", repository: "oci://{registry}/{namespace.name}/charts"}}]\n'
        f"execution:\n  health: {health}\n"
    )


def volume(namespace: Namespace, claim: str, folder: Path) -> None:
    """A place for a claim. A cluster that is lent makes its own."""
    if namespace.cluster.layout is None:
        return
    folder.mkdir(mode=0o700)
    term = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
    namespace.cluster.run("apply", "-f", "-", given=json.dumps({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{namespace.name}-{claim}"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": namespace.name, "name": claim},
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [term]}]}},
        },
    }))  # fmt: skip


def no_volume(namespace: Namespace, claim: str) -> None:
    """Take it away again."""
    words = ("persistentvolume", f"{namespace.name}-{claim}", "--ignore-not-found", "--wait=false")
    namespace.cluster.run("delete", *words)


class Service:
    """The service in one namespace, by the name of its Deployment."""

    def __init__(self, namespace: Namespace, name: str = NAME) -> None:
        self.namespace = namespace
        self.name = name

    def ready(self, timeout_s: float = 120) -> None:
        """Wait until it is; what it says where it is not."""
        said = self.namespace.say(
            "rollout", "status", f"deployment/{self.name}", f"--timeout={timeout_s}s"
        )
        if said.code != 0:
            told = self.namespace.say("describe", "pods").out[-4000:]
            raise AssertionError(f"{said.err}\n{self.log()}\n{told}")

    def pod(self) -> Json:
        """Its one pod that is to stay."""
        found = self.namespace.get("pods", f"--selector=app.kubernetes.io/name={NAME}")["items"]
        mine = [
            pod
            for pod in found
            if pod["metadata"]["name"].rsplit("-", 2)[0] == self.name
            and "deletionTimestamp" not in pod["metadata"]
        ]
        (only,) = mine
        return dict(only)

    def restarts(self) -> int:
        """How often its container has begun anew."""
        statuses = self.pod()["status"].get("containerStatuses", ())
        return sum(int(one["restartCount"]) for one in statuses)

    def log(self) -> str:
        """What it has written so far."""
        return self.namespace.say("logs", f"deployment/{self.name}", "--tail=200").out

    def sau(self, *words: str) -> Said:
        """A command beside it, as a person gives it."""
        command = ("exec", f"deployment/{self.name}", "--", "sau", *words, "--output", "json")
        return self.namespace.say(*command)

    def outcomes(self, asset: str) -> list[str]:
        """How each update of an asset ended, newest first; empty where nobody can be asked."""
        said = self.sau("history", asset)
        updates: list[Json] = json.loads(said.out)["updates"] if said.code == 0 else []
        return [str(one["outcome"]) for one in updates]

    def wait_for(self, asset: str, outcome: str, timeout_s: float = 120) -> None:
        """Wait until an update of an asset has ended so."""
        eventually(lambda: outcome in self.outcomes(asset), timeout_s)

    def kill(self) -> None:
        """SIGKILL to its process, as the kernel does it where memory runs out."""
        uid = self.pod()["metadata"]["uid"]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                is_its = uid in (process / "cgroup").read_text()
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # it has ended
            if is_its and b"run" in words:
                os.kill(int(process.name), signal.SIGKILL)


class Scene:
    """A Deployment `web` that may be updated by itself."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.asset = f"kubernetes:lab/{namespace.name}/Deployment/web"
        self.digests: dict[str, str] = {}

    def begin(self, enabled: bool = True) -> None:
        """Let it run 1.0.0."""
        image = seen_by_pods(self.namespace.cluster, self.publish("1.0.0"))
        workload = deployment("web", image)
        workload["metadata"]["annotations"] = ENABLED if enabled else {}
        self.namespace.apply(workload)
        settled(self.namespace, "Deployment")

    def publish(self, tag: str, **recipe: Any) -> str:
        """A version of it; its reference."""
        made = self.namespace.publish(tag, **recipe)
        self.digests[tag] = made.digest
        return made.reference

    def runs(self, tag: str) -> bool:
        """Whether all its pods run this version, and no other."""
        return running(self.namespace) == {self.digests[tag]}

    def becomes(self, tag: str, timeout_s: float = 120) -> None:
        """Wait until it runs this version, and is whole."""
        eventually(lambda: self.runs(tag), timeout_s)
        settled(self.namespace, "Deployment")

    def is_under_way(self, tag: str) -> bool:
        """Whether the image of this version is written: it is judged from then on."""
        (container,) = self.namespace.get("deployment", "web")["spec"]["template"]["spec"][
            "containers"
        ]
        return self.digests[tag] in container["image"]


def is_clean(outcomes: list[str]) -> bool:
    """Whether each update has ended, and none calls for a human."""
    fine = {Outcome.SUCCEEDED, Outcome.ROLLED_BACK, Outcome.ABORTED}
    return all(one in fine for one in outcomes)


def shop(scene: Scene, version: str, **recipe: Any) -> Chart:
    """A chart with a workload, a Service and a hook, as charts have them."""
    image = seen_by_pods(scene.namespace.cluster, scene.publish(version, **recipe))
    hook_image = seen_by_pods(scene.namespace.cluster, scene.publish("hook", version="hook"))
    hook = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{RELEASE}-before",
            "annotations": {
                "helm.sh/hook": "pre-upgrade",
                "helm.sh/hook-delete-policy": "before-hook-creation",
            },
        },
        "spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "one", "image": hook_image, "command": ["/bin/true"]}],
        }}},
    }  # fmt: skip
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    templates = {
        "web.yaml": deployment("web", image),
        "service.yaml": service,
        "hook.yaml": hook,
        "map.yaml": config_map(version=version),
    }
    return Chart("shop", version, version, templates)
