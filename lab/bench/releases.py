"""A scan of 200 Helm releases beside `helm list` of them, all of their history in the cluster."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from lab.bench.beside import Beside
from lab.bench.figures import Block
from lab.bench.kubectl import Cluster
from lab.bench.processes import cost
from lab.bench.sandbox import SAU

RELEASES, REVISIONS, MANIFEST = 200, 10, 100_000
"""The last in bytes of each manifest."""
NAMESPACE = "releases"
TIME_GOAL, MEMORY_GOAL_MIB = 0.5, 120
_AT_ONCE = 8


def measure(cluster: Cluster, folder: Path, pairs: int) -> Block:
    """Wall time and peak memory of both, in turns."""
    config = folder / "releases.yml"
    entry = f"{{name: lab, kubeconfig: {cluster.kubeconfig}, helm: true}}"
    config.write_text(f"inventory:\n  kubernetes: [{entry}]\n")
    state = str(folder / "releases-state")
    scan = [SAU, "--config", str(config), "--state", state, "scan", "--output", "json"]
    listing = [cluster.helm, "--kubeconfig", str(cluster.kubeconfig)]
    listing += ["list", "--all-namespaces", "--output", "json"]
    homes = {f"HELM_{one}_HOME": str(folder / "helm") for one in ("CACHE", "CONFIG", "DATA")}
    with _filled(cluster):
        cost(*scan)  # the first run may compile
        found = Beside.measure(pairs, scan, listing, homes)
    names = ("sau scan", "helm list --all-namespaces")
    return Block(
        f"{RELEASES} releases, {REVISIONS} revisions of {MANIFEST // 1000} kB each "
        f"({pairs} pairs in turns)",
        found.lines(names, TIME_GOAL, MEMORY_GOAL_MIB),
    )


def _record(number: int, revision: int) -> dict[str, object]:
    """One revision as Helm keeps it."""
    name, status = f"web-{number}", "deployed" if revision == REVISIONS else "superseded"
    at = f"2026-01-{revision:02d}T00:00:00Z"
    template = base64.b64encode(_manifest(f"template {number}", MANIFEST // 5).encode()).decode()
    told = {
        "name": name,
        "namespace": NAMESPACE,
        "version": revision,
        "info": {"status": status, "first_deployed": at, "last_deployed": at, "description": ""},
        "chart": {
            "metadata": {"name": "web", "version": f"1.{revision}.0", "appVersion": "3.4"},
            "templates": [{"name": "templates/all.yaml", "data": template}],
            "values": {"greeting": "hello"},
        },
        "config": {"number": number},
        "manifest": _manifest(f"{number} {revision}", MANIFEST),
    }
    packed = base64.b64encode(gzip.compress(json.dumps(told).encode(), 6, mtime=0))
    labels = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
    meta = {"namespace": NAMESPACE, "name": f"sh.helm.release.v1.{name}.v{revision}"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {**meta, "labels": labels},
        "data": {"release": base64.b64encode(packed).decode()},
    }


def _manifest(seed: str, size: int) -> str:
    """Objects as charts have them: alike, with names of their own."""
    found: list[str] = []
    length = 0
    while length < size:
        name = "web-" + hashlib.sha256(f"{seed} {len(found)}".encode()).hexdigest()[:16]
        kind = "Deployment" if len(found) % 10 == 0 else "ConfigMap"
        labels = f"    app.kubernetes.io/name: {name}\n    app.kubernetes.io/part-of: web\n"
        data = "".join(f"  setting-{n}: the value of {name} number {n}\n" for n in range(12))
        found.append(
            f"---\n# Source: web/templates/{name}.yaml\napiVersion: v1\nkind: {kind}\n"
            f"metadata:\n  name: {name}\n  labels:\n{labels}data:\n{data}"
        )
        length += len(found[-1])
    return "".join(found)


@contextmanager
def _filled(cluster: Cluster) -> Iterator[None]:
    """All records there; gone afterwards."""
    cluster.run("create", "namespace", NAMESPACE)
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda number: _create(cluster, number), range(RELEASES)))
        yield
    finally:
        cluster.run("delete", "namespace", NAMESPACE)  # waited for: what comes next is measured too


def _create(cluster: Cluster, number: int) -> None:
    records = [_record(number, revision + 1) for revision in range(REVISIONS)]
    many = {"apiVersion": "v1", "kind": "List", "items": records}
    cluster.run("create", "-f", "-", given=many)
