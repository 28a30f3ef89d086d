"""Whose a pod is, by its owners: through what lies between, and of kinds that are not ours."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.platforms.kubernetes.pods import owner_of

OWNERS: list[tuple[dict[str, str] | None, dict[str, str], tuple[str, str]]] = [
    (None, {}, ("Pod", "web-1")),
    ({"kind": "Node", "name": "node-1", "apiVersion": "v1"}, {}, ("Pod", "web-1")),
    ({"kind": "ReplicaSet", "name": "web-5d9", "apiVersion": "apps/v1"},
     {"pod-template-hash": "5d9"}, ("Deployment", "web")),
    ({"kind": "ReplicaSet", "name": "web-5d9", "apiVersion": "apps/v1"}, {},
     ("ReplicaSet", "web-5d9")),
    ({"kind": "ReplicaSet", "name": "web-5d9", "apiVersion": "apps/v1"},
     {"rollouts-pod-template-hash": "5d9"}, ("Rollout.argoproj.io", "web")),
    ({"kind": "StatefulSet", "name": "web", "apiVersion": "apps/v1"}, {}, ("StatefulSet", "web")),
    ({"kind": "StatefulSet", "name": "web", "apiVersion": "apps.kruise.io/v1beta1"}, {},
     ("StatefulSet.apps.kruise.io", "web")),
    ({"kind": "CloneSet", "name": "web", "apiVersion": "apps.kruise.io/v1alpha1"}, {},
     ("CloneSet.apps.kruise.io", "web")),
    ({"kind": "Job", "name": "web-29384756", "apiVersion": "batch/v1"}, {}, ("CronJob", "web")),
    ({"kind": "Job", "name": "migrate", "apiVersion": "batch/v1"}, {}, ("Job", "migrate")),
    ({"kind": "ReplicationController", "name": "web", "apiVersion": "v1"}, {},
     ("ReplicationController", "web")),
]  # fmt: skip


@pytest.mark.parametrize(("owner", "labels", "expected"), OWNERS)
def test_owner_of_a_pod(
    owner: dict[str, str] | None, labels: dict[str, str], expected: tuple[str, str]
) -> None:
    meta: dict[str, Any] = {"name": "web-1", "labels": labels}
    if owner is not None:
        other = {"kind": "Bystander", "name": "web", "apiVersion": "v1", "controller": False}
        meta["ownerReferences"] = [other, {**owner, "controller": True}]
    assert owner_of({"metadata": meta}) == expected
