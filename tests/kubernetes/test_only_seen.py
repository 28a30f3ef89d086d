"""Kinds that are not updated here: seen by their pods, told, and never touched."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.kubernetes.kit import Json, Namespace, deployment
from tests.kubernetes.sau import ClusterSau
from tests.lab_kit import eventually

GROUP = "argoproj.io"


@pytest.fixture
def rollouts(namespace: Namespace) -> Iterator[None]:
    """The kind that Argo Rollouts brings; its controller is not there."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1alpha1", "served": True, "storage": True}
    names = {"kind": "Rollout", "plural": "rollouts", "singular": "rollout"}
    made = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"rollouts.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": names,
            "versions": [version | {"schema": {"openAPIV3Schema": schema}}],
        },
    }
    cluster = namespace.cluster
    cluster.run("apply", "-f", "-", given=json.dumps(made))
    cluster.run("wait", f"crd/rollouts.{GROUP}", "--for=condition=established", "--timeout=30s")
    yield
    cluster.run("delete", "crd", f"rollouts.{GROUP}", "--wait=false")


def replica_set(of: Json, image: str) -> Json:
    """What the controller of a Rollout makes."""
    found = deployment("web", image)
    label = {"rollouts-pod-template-hash": "5d9"}
    found["kind"] = "ReplicaSet"
    owner = {key: of["metadata"][key] for key in ("name", "uid")}
    owner |= {"apiVersion": of["apiVersion"], "kind": of["kind"], "controller": True}
    found["metadata"] = {"name": "web-5d9", "ownerReferences": [owner]}
    found["spec"]["selector"]["matchLabels"] |= label
    found["spec"]["template"]["metadata"]["labels"] |= label
    return found


def test_rollout_of_argo_is_seen_told_and_held(
    namespace: Namespace, sau: ClusterSau, rollouts: None
) -> None:
    old = namespace.publish("1.0.0")
    namespace.apply({"apiVersion": f"{GROUP}/v1alpha1", "kind": "Rollout",
                     "metadata": {"name": "web"}, "spec": {}})  # fmt: skip
    owner = namespace.get("rollouts.argoproj.io", "web")
    namespace.apply(replica_set(owner, old.reference))
    namespace.wait("replicaset/web-5d9", "jsonpath={.status.readyReplicas}=1")
    namespace.publish("1.1.0")

    (asset,) = sau("scan").json["assets"]
    assert asset["id"] == sau.asset("Rollout.argoproj.io"), asset
    assert asset["images"][0]["digest"] == old.digest

    step = sau("plan").step("web")
    assert step["action"] == "hold", step
    assert "`kubectl argo rollouts set image`" in step["reasons"][0]
    said = sau("apply", "web", "--yes")
    assert said.json["updates"] == [] and "notification" not in said.err, said


def test_pods_and_jobs_of_their_own_are_seen_and_held(
    namespace: Namespace, sau: ClusterSau
) -> None:
    image = namespace.publish("1.0.0").reference
    namespace.run("run", "alone", f"--image={image}")
    namespace.run("create", "job", "once", f"--image={image}")
    namespace.wait("pod/alone", "condition=Ready")
    namespace.publish("1.1.0")
    eventually(lambda: len(sau("scan").json["assets"]) == 2, 30)
    plan = sau("plan")
    assert "a pod that no workload made cannot be rolled out" in plan.step("alone")["reasons"][0]
    assert "a job runs once" in plan.step("once")["reasons"][0]
    assert {step["action"] for step in plan.json["steps"]} == {"hold"}
