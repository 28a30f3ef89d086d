"""What one part of a cluster does not tell is a failure of that part; the rest is seen."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.errors import NotFound, PlatformError
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.helm.release import release_of
from safe_auto_updater.platforms.kubernetes.helm.seen import Around, Seen
from safe_auto_updater.platforms.kubernetes.own_pod import ITSELF, OwnPod
from safe_auto_updater.platforms.kubernetes.scanner import KubernetesScanner
from tests.unit.kubernetes.helm.test_helm_scanner import record

WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n"
OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64


class OneDeployment(Cluster):
    """Has one Deployment; what is asked for in `refused` is not told."""

    def __init__(
        self, refused: dict[str, PlatformError], image: str = "r/web:1.0.0", *pods: dict[str, Any]
    ) -> None:
        super().__init__("lab", Access())
        self._refused = refused
        self.container = {"name": "web", "image": image}
        self._spec = {"containers": [self.container]}
        self._pods = pods

    def listed(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        what = path.rpartition("/")[2]
        if what in self._refused:
            raise self._refused[what]
        if what == "pods":
            yield from self._pods
        if what == "deployments":
            yield {
                "metadata": {"namespace": "shop", "name": "web", "uid": "u"},
                "spec": {"replicas": 1, "template": {"spec": self._spec}},
            }


@pytest.mark.parametrize("what", ["cronjobs", "daemonsets", "pods"])
def test_kind_that_is_not_served_is_named_and_all_else_is_seen(what: str) -> None:
    error = NotFound("cluster lab: the server could not find the requested resource", 404)
    found = KubernetesScanner(OneDeployment({what: error}), (), named=True).scan()
    assert [asset.id for asset in found.assets] == ["kubernetes:lab/shop/Deployment/web"]
    assert found.failures == (("kubernetes:lab", f"{what}: {error}"),)


def pod(image: str, digest: str) -> dict[str, Any]:
    owner = {"kind": "ReplicaSet", "apiVersion": "apps/v1", "name": "web-5d9", "controller": True}
    return {
        "metadata": {
            "namespace": "shop",
            "name": "web-5d9-1",
            "uid": "u1",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"pod-template-hash": "5d9"},
            "ownerReferences": [owner],
        },
        "spec": {"containers": [{"name": "web", "image": image}]},
        "status": {"containerStatuses": [{"name": "web", "imageID": f"r/web@{digest}"}]},
    }


# what the template names, its pods, and what it is known to run
USES: list[tuple[str, list[dict[str, Any]], str | None]] = [
    ("r/web:1.1.0", [pod("r/web:1.1.0", NEW)], NEW),
    ("r/web:1.1.0", [pod("r/web:1.0.0", OLD)], None),
    ("r/web:1.1.0", [pod("r/web:1.0.0", OLD), pod("r/web:1.1.0", NEW)], NEW),
    (f"r/web:1.1.0@{NEW}", [pod("r/web:1.0.0", OLD)], NEW),
    (f"r/web:1.1.0@{NEW}", [], NEW),
    ("r/web:1.1.0", [], None),
]


@pytest.mark.parametrize(("image", "pods", "digest"), USES)
def test_pods_of_another_image_say_nothing_of_this_one(
    image: str, pods: list[dict[str, Any]], digest: str | None
) -> None:
    found = KubernetesScanner(OneDeployment({}, image, *pods), (), named=True).scan()
    (asset,) = found.assets
    assert asset.images[0].image.digest == digest
    assert asset.images[0].unseen is (digest is None)


def test_owner_that_is_not_there_is_not_taken_for_one_that_is() -> None:
    orphan = pod("r/old:1.0.0", OLD)
    orphan["metadata"]["ownerReferences"][0]["name"] = "old-5d9"
    job = pod("r/job:1.0.0", OLD)
    by = {"kind": "Job", "apiVersion": "batch/v1", "name": "load-20260101", "controller": True}
    job["metadata"] |= {"name": "load-x", "uid": "u2", "ownerReferences": [by]}
    found = KubernetesScanner(OneDeployment({}, "r/web:1.0.0", orphan, job), (), named=True).scan()
    assert sorted(asset.id for asset in found.assets) == [
        "kubernetes:lab/shop/Deployment/web",
        "kubernetes:lab/shop/Job/load-20260101",
        "kubernetes:lab/shop/ReplicaSet/old-5d9",
    ]


def test_pods_of_a_kind_that_may_not_be_read_are_nobodys() -> None:
    refused = {"deployments": PlatformError("forbidden", 403)}
    cluster = OneDeployment(refused, "r/web:1.0.0", pod("r/web:1.0.0", OLD))
    assert KubernetesScanner(cluster, (), named=True).scan().assets == ()


def test_image_that_nodes_never_pull_is_held() -> None:
    cluster = OneDeployment({}, "r/web:1.0.0")
    cluster.container["imagePullPolicy"] = "Never"
    (asset,) = KubernetesScanner(cluster, (), named=True).scan().assets
    (obstacle,) = asset.obstacles
    assert obstacle.reason.startswith("nodes never pull the image of container web")


def test_pod_that_has_not_begun_says_nothing_yet_and_hides_nobody() -> None:
    begins = pod("r/web:1.0.0", OLD)
    begins["status"] = {"phase": "Pending"}
    cluster = OneDeployment({}, "r/web:1.0.0", begins, pod("r/web:1.0.0", OLD))
    found = KubernetesScanner(cluster, (), named=True).scan()
    assert found.failures == ()
    assert found.assets[0].images[0].digests == (OLD,)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (OwnPod("web-5d9-1", "shop"), True),
        (OwnPod("web-5d9-1"), True),
        (OwnPod("web-5d9-1", "other"), False),
        (OwnPod("nas", "shop"), False),
        (None, False),
    ],
)
def test_workload_that_the_program_runs_in_is_held(own: OwnPod | None, expected: bool) -> None:
    cluster = OneDeployment({}, "r/web:1.0.0", pod("r/web:1.0.0", OLD))
    (asset,) = KubernetesScanner(cluster, (), named=True, own=own).scan().assets
    assert (ITSELF in asset.obstacles) is expected
    seen = Seen.of(release_of(record("web", manifest=WEB)))
    around = Around("lab", (None,), {asset.id: asset}, ())
    assert (around.itself(seen) == [ITSELF]) is expected, "and so is its release"


def test_program_knows_its_pod_where_it_runs_in_one(tmp_path: Path) -> None:
    inside = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    told = tmp_path / "namespace"
    assert OwnPod.found({}, told) is None
    assert OwnPod.found(inside, told) == OwnPod(socket.gethostname())
    told.write_text("shop\n")
    assert OwnPod.found(inside, told) == OwnPod(socket.gethostname(), "shop")
    named = {**inside, "SAFE_AUTO_UPDATER_POD": "web-5d9-1"}
    assert OwnPod.found(named, told) == OwnPod("web-5d9-1", "shop")
