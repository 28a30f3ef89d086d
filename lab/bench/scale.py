"""A scan of 3,000 pods beside kubectl's list of them. KWOK's pods; what is told of them is real."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.bench.beside import Beside
from lab.bench.figures import Block, counted
from lab.bench.kubectl import Cluster
from lab.bench.processes import cost, wait_until
from lab.bench.sandbox import SAU
from lab.cluster import kwok

DEPLOYMENTS, PODS, NODES = 2000, 3000, 4
NAMESPACE = "scale"
TIME_GOAL, MEMORY_GOAL_MIB = 0.5, 150


def measure(cluster: Cluster, folder: Path, pairs: int) -> Block:
    """Wall time and peak memory of both, in turns, and how many lists one scan asks for."""
    config = folder / "scale.yml"
    entry = f"{{name: lab, kubeconfig: {cluster.kubeconfig}}}"
    config.write_text(f"inventory:\n  kubernetes: [{entry}]\n")
    state = str(folder / "scale-state")
    scan = [SAU, "--config", str(config), "--state", state, "scan", "--output", "json"]
    listing = [*cluster.command, "get", "deploy,pods", "-A", "-o", "json"]
    with _filled(cluster, folder):
        cost(*scan)  # the first run may compile
        before = cluster.lists()
        cost(*scan)
        asked = cluster.lists() - before
        found = Beside.measure(pairs, scan, listing)
    names = ("sau scan", "kubectl get deploy,pods -A -o json")
    return Block(
        f"{DEPLOYMENTS} Deployments with {PODS} pods ({pairs} pairs in turns)",
        [
            *found.lines(names, TIME_GOAL, MEMORY_GOAL_MIB),
            counted("lists asked for by one scan, pages", asked),
        ],
    )


def _deployment(number: int) -> dict[str, object]:
    """One of many; every second one has two pods."""
    name = f"web-{number}"
    labels = {"app": name}
    container = {"name": "web", "image": f"127.0.0.1:5000/scale/web-{number % 50}:1.0.0"}
    pod = {"containers": [container], "nodeSelector": kwok.LABEL}
    spec = {
        "replicas": 1 + number % 2,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    meta = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


@contextmanager
def _filled(cluster: Cluster, folder: Path) -> Iterator[None]:
    """All of it there and running; gone afterwards."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    nodes = [kwok.node(number) for number in range(NODES)]
    many = [_deployment(number) for number in range(DEPLOYMENTS)]
    manifest = {"apiVersion": "v1", "kind": "List", "items": [space, *nodes, *many]}
    with kwok.simulating(cluster.kubeconfig, folder / "kwok.log"):
        cluster.run("apply", "--server-side", "-f", "-", given=manifest)
        try:
            wait_until(lambda: _running(cluster) >= PODS, "the pods do not all run", 300)
            yield
        finally:
            cluster.run("delete", "namespace", NAMESPACE, "--wait=false")
            cluster.run("delete", "nodes", "-l", "type=kwok", "--wait=false")


def _running(cluster: Cluster) -> int:
    words = ("--field-selector=status.phase=Running", "--no-headers", "-o", "name")
    return len(cluster.run("get", "pods", "-n", NAMESPACE, *words).splitlines())
