"""The cluster as tests use it: kubectl for any of its users, manifests as dictionaries."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab import images
from lab.cluster import whole
from lab.layout import Layout
from tests.sau_kit import Said

Json = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """The lab's cluster, or one that somebody lends (`SAU_TEST_KUBECONFIG`)."""

    kubectl: str
    """Path of kubectl."""
    kubeconfigs: Mapping[str, Path]
    """User -> kubeconfig; `admin` may do everything."""
    registry: str
    """Where tests publish and the node pulls; empty: nowhere."""
    layout: Layout | None = None
    """The lab's own; None: not ours to crash."""
    helms: Mapping[int, str] = field(default_factory=dict)
    """Path of helm by its major version."""

    @classmethod
    def read(cls, description: Path) -> Cluster:
        """Read the file that ``SAU_LAB`` names."""
        told = json.loads(description.read_text())
        kubeconfigs = {user: Path(path) for user, path in told["kubeconfigs"].items()}
        layout = Layout.here(told["instance"], told["release"])
        helms = {3: told["helm_3"], 4: told["helm"]}
        return cls(told["kubectl"], kubeconfigs, told["registry"], layout, helms)

    @classmethod
    def lent(cls, kubeconfig: Path) -> Cluster:
        """A cluster that runs already; `SAU_TEST_REGISTRY` names a registry that it knows."""
        kubectl = shutil.which("kubectl") or "kubectl"
        registry = os.environ.get("SAU_TEST_REGISTRY", "")
        return cls(kubectl, {"admin": kubeconfig}, registry, helms=_helms())

    def say(self, *words: str, user: str = "admin", given: str = "") -> Said:
        """How one command of kubectl ends."""
        done = subprocess.run(
            [self.kubectl, "--kubeconfig", str(self.kubeconfigs[user]), *words],
            input=given,
            capture_output=True,
            text=True,
            timeout=180,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def run(self, *words: str, user: str = "admin", given: str = "") -> str:
        """What a command of kubectl that must succeed prints."""
        said = self.say(*words, user=user, given=given)
        assert said.code == 0, f"kubectl {' '.join(words)}: {said.err}"
        return said.out

    def get(self, *words: str, user: str = "admin") -> Json:
        """One object or a list, as the API server has it."""
        found: Json = json.loads(self.run("get", *words, "-o", "json", user=user))
        return found

    def crash_api(self) -> None:
        """SIGKILL to the API server and its clients; pods run on. Never where other tests run."""
        if self.layout is None or not self.layout.instance:
            raise RuntimeError(
                "this would kill the API server under other tests: mark the test `engine_crash`, "
                "which runs in a lab of its own"
            )
        whole.kill(self.layout)

    def start_api(self) -> None:
        """Start it again, as after a crash; fine when it runs."""
        assert self.layout is not None
        whole.start(self.layout)


def _helms() -> dict[int, str]:
    """The machine's own helm, where there is one."""
    found = shutil.which("helm")
    if found is None:
        return {}
    told = subprocess.run([found, "version", "--template={{.Version}}"], capture_output=True)
    return {int(told.stdout.decode().lstrip("v").partition(".")[0]): found}


class Namespace:
    """What one test owns on the cluster."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name

    def create(self) -> None:
        """Make it, and wait until pods can be made in it."""
        self.cluster.run("create", "namespace", self.name)
        self.run("wait", "--for=create", "serviceaccount/default", "--timeout=120s")

    def delete(self) -> None:
        """Delete it and all in it; the cluster takes its time, the test does not."""
        self.cluster.run("delete", "namespace", self.name, "--wait=false")

    def publish(self, tag: str, name: str = "web", **recipe: Any) -> images.Published:
        """Publish an image of this test's own; its version is its tag by default."""
        if not self.cluster.registry:
            pytest.skip("needs a registry that the cluster's nodes know: SAU_TEST_REGISTRY")
        made = images.Recipe(**({"version": tag, "maker": self.name} | recipe))
        return images.publish(self.cluster.registry, f"{self.name}/{name}", tag, made)

    def say(self, *words: str, user: str = "admin", given: str = "") -> Said:
        """How one command of kubectl in this namespace ends."""
        return self.cluster.say("--namespace", self.name, *words, user=user, given=given)

    def run(self, *words: str, user: str = "admin", given: str = "") -> str:
        """What a command of kubectl in this namespace prints; it must succeed."""
        return self.cluster.run("--namespace", self.name, *words, user=user, given=given)

    def get(self, *words: str, user: str = "admin") -> Json:
        """One object or a list of this namespace."""
        return self.cluster.get("--namespace", self.name, *words, user=user)

    def apply(self, *manifests: Json, user: str = "admin") -> None:
        """Apply manifests as kubectl does it."""
        self.run("apply", "-f", "-", user=user, given=json.dumps(bundle(*manifests)))

    def wait(self, which: str, condition: str, timeout_s: float = 60) -> None:
        """Wait as kubectl does: `condition` is what `--for` takes."""
        said = self.say("wait", which, f"--for={condition}", f"--timeout={timeout_s}s")
        if said.code != 0:
            events = self.run("get", "events", "-o", "custom-columns=:.reason,:.message")
            raise AssertionError(f"{which}: {said.err}\n{events}")

    def containers(self) -> list[Json]:
        """The status of each container that the node knows of."""
        statuses = [pod["status"] for pod in self.get("pods")["items"]]
        return [one for status in statuses for one in status.get("containerStatuses", ())]

    def rolled_out(self, deployment: str, timeout_s: float = 60) -> None:
        """Wait until all pods of a Deployment are of its newest template, and ready."""
        self.run("rollout", "status", f"deployment/{deployment}", f"--timeout={timeout_s}s")


def bundle(*manifests: Json) -> Json:
    """Several manifests as one document."""
    return {"apiVersion": "v1", "kind": "List", "items": list(manifests)}


def deployment(name: str, image: str, replicas: int = 1, **container: Any) -> Json:
    """A Deployment of a lab image that is ready when the image's health page is there."""
    labels = {"app": name}
    runs = {
        "name": "web",
        "image": image,
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1},
    } | container
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [runs], "terminationGracePeriodSeconds": 2},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def service(name: str) -> Json:
    """A Service on a port of the node, for the Deployment of this name."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "type": "NodePort",
            "selector": {"app": name},
            "ports": [{"port": 80, "targetPort": 8080}],
        },
    }
