"""Nodes of several platforms: an image must have those of the nodes that would take its pods.

A node that is there in name only stands for the other platform. All tests of the cluster would see
it, so these run in a lab of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lab import images
from tests.kubernetes.kit import Json, Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import of_kind, running, settled

pytestmark = pytest.mark.engine_crash
TAINT = {"key": "only", "value": "arm", "effect": "NoSchedule"}
TOLERATING = {"tolerations": [TAINT]}
HERE = {"nodeSelector": {"kubernetes.io/arch": "amd64"}}


@pytest.fixture(autouse=True)
def arm64(namespace: Namespace) -> Iterator[None]:
    """A node of the other platform, which takes no pods but those that tolerate it."""
    cluster, name = namespace.cluster, f"arm-{namespace.name}"
    labels = {"kubernetes.io/arch": "arm64", "kubernetes.io/os": "linux"}
    meta = {"name": name, "labels": labels}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {"taints": [TAINT]}}
    told = {"status": {"nodeInfo": {"operatingSystem": "linux", "architecture": "arm64"}}}
    cluster.run("create", "-f", "-", given=json.dumps(node))
    cluster.run("patch", "node", name, "--subresource=status", "-p", json.dumps(told))
    yield
    cluster.run("delete", "node", name)


def begun(namespace: Namespace, more: Json) -> None:
    both(namespace, "1.0.0")
    registry = namespace.cluster.registry
    workload = of_kind("Deployment", f"{registry}/{namespace.name}/web:1.0.0")
    workload["spec"]["template"]["spec"] |= more
    namespace.apply(workload)
    settled(namespace, "deployment")


def both(namespace: Namespace, tag: str) -> images.Published:
    """An index of both platforms."""
    made = [
        namespace.publish(f"{tag}-{arch}", version=tag, architecture=arch)
        for arch in ("amd64", "arm64")
    ]
    return images.publish_index(made[0].registry, made[0].name, tag, made)


def test_image_that_lacks_a_platform_is_passed_over_and_one_that_has_both_is_taken(
    namespace: Namespace, sau: ClusterSau
) -> None:
    begun(namespace, TOLERATING)
    new = both(namespace, "1.1.0")
    namespace.publish("1.2.0")
    (change,) = sau("check").json["changes"]
    assert change["candidate"]["version"] == "1.1.0", change
    (lacking,) = [one for one in change["rejected"] if one["tag"] == "1.2.0"]
    assert "no image for linux/arm64" in lacking["reason"]
    said = sau("apply", "--yes", timeout_s=180)
    assert said.update["outcome"] == "succeeded", said
    assert running(namespace) == {new.digest}


@pytest.mark.parametrize("more", [{}, {**TOLERATING, **HERE}], ids=["a taint", "a node selector"])
def test_platform_of_nodes_that_take_none_of_its_pods_does_not_matter(
    namespace: Namespace, sau: ClusterSau, more: Json
) -> None:
    begun(namespace, more)
    namespace.publish("1.1.0")
    step = sau("plan").step("web")
    assert (step["action"], step["changes"][0]["candidate"]["version"]) == ("update", "1.1.0"), step


def test_image_of_the_other_platform_alone_is_for_pods_that_go_there(
    namespace: Namespace, sau: ClusterSau
) -> None:
    both(namespace, "1.0.0")
    image = f"{namespace.cluster.registry}/{namespace.name}/web:1.0.0"
    workload = of_kind("CronJob", image)
    spec = workload["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    spec |= {**TOLERATING, "nodeSelector": {"kubernetes.io/arch": "arm64"}}
    namespace.apply(workload)
    namespace.publish("1.1.0", architecture="arm64")
    assert sau("plan").step("web")["action"] == "update"
