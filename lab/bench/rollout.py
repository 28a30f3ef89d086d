"""Requests that a Service of two pods does not answer during an update: ours, and kubectl's."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lab import images
from lab.bench.errors import BenchError
from lab.bench.figures import Block, Goal, counted
from lab.bench.kubectl import Cluster
from lab.bench.processes import wall_s
from lab.bench.sandbox import SAU

NAMESPACE, PORT = "rollout", 30777
EVERY_S = 0.005
OLD, NEW = "1.0.0", "1.1.0"
ENOUGH = 200  # requests, to tell that some were lost


class Asking:
    """``with Asking() as asking``: one request after the other, all the time, and who was lost."""

    def __init__(self) -> None:
        self.asked = self.lost = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.wait(EVERY_S):
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=2)
            self.asked += 1
            try:
                connection.request("GET", "/")
                self.lost += connection.getresponse().status != 200
            except (OSError, http.client.HTTPException):
                self.lost += 1
            finally:
                connection.close()


def measure(cluster: Cluster, folder: Path, pairs: int) -> Block:
    """Lost requests of both sides, in turns, over all runs."""
    made = [
        images.publish(cluster.registry, "rollout/web", tag, images.Recipe(version=tag)).reference
        for tag in (OLD, NEW)
    ]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    cluster.run("apply", "-f", "-", given=space)
    config = folder / "rollout.yml"
    entry = f"{{name: lab, kubeconfig: {cluster.kubeconfig}, namespaces: [{NAMESPACE}]}}"
    config.write_text(
        f"inventory:\n  kubernetes: [{entry}]\ndetection: {{policy: minor}}\n"
        "execution: {health: {stable_for: 1s}}\n"
    )
    runs = iter(range(2 * pairs + 1))

    def ours() -> None:
        state = str(folder / f"rollout-state-{next(runs)}")
        wall_s(SAU, "--config", str(config), "--state", state, "apply", "--yes")

    def by_hand() -> None:
        cluster.run("-n", NAMESPACE, "set", "image", "deployment/web", f"web={made[1]}")
        cluster.run("-n", NAMESPACE, "rollout", "status", "deployment/web")
        time.sleep(1)

    lost = partial(_lost, cluster, made[0])
    try:
        both = [(lost(ours), lost(by_hand)) for _ in range(pairs)]
    finally:
        cluster.run("delete", "namespace", NAMESPACE, "--wait=false")
    our, their = sum(a for a, _ in both), sum(b for _, b in both)
    return Block(
        f"requests lost while two pods are updated ({pairs} pairs in turns)",
        [
            counted("kubectl set image, by hand", their),
            Goal("sau apply", str(our), f"<= {their}", our <= their),
        ],
    )


def _lost(cluster: Cluster, old: str, update: Callable[[], None]) -> int:
    """From the same beginning: what is lost while this update is made."""
    cluster.run("apply", "-n", NAMESPACE, "-f", "-", given=_web(old))
    cluster.run("-n", NAMESPACE, "rollout", "status", "deployment/web")
    time.sleep(3)  # the pods of the run before are gone, and no rule leads to them
    with Asking() as asking:
        update()
    now = cluster.run("-n", NAMESPACE, "get", "deployment/web", "-o", "json")
    if f":{NEW}" not in now or asking.asked < ENOUGH:
        raise BenchError(f"no update was seen by {asking.asked} requests: {now[:200]}")
    return asking.lost


def _web(image: str) -> dict[str, object]:
    """Two pods that end in good order, as people are told to make them, and a port of the node."""
    labels = {"app": "web"}
    container = {
        "name": "web",
        "image": image,
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1},
        "lifecycle": {"preStop": {"exec": {"command": ["/bin/sleep", "2"]}}},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    port = {"port": 80, "targetPort": 8080, "nodePort": PORT}
    service = {"type": "NodePort", "selector": labels, "ports": [port]}
    meta = {"name": "web"}
    items = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service},
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}
