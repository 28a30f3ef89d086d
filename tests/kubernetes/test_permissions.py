"""With exactly the rules that are listed everything works; without one of them it is named."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from safe_auto_updater.platforms.kubernetes.permissions import NEEDS, Need
from tests.kubernetes.kit import Json, Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import begun, of_kind, running, settled

USER = "updater"


@pytest.fixture(autouse=True)
def as_the_user(sau: ClusterSau) -> None:
    sau.configure(user=USER)


def allow(namespace: Namespace, needs: Iterable[Need]) -> None:
    """A Role of these rules in the namespace, bound to the user."""
    meta = {"name": "sau", "namespace": namespace.name}
    api = "rbac.authorization.k8s.io"
    role = {
        "apiVersion": f"{api}/v1",
        "kind": "Role",
        "metadata": meta,
        "rules": [_rule(need) for need in needs],
    }
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "RoleBinding",
        "metadata": meta,
        "roleRef": {"apiGroup": api, "kind": "Role", "name": "sau"},
        "subjects": [{"apiGroup": api, "kind": "User", "name": USER}],
    }
    namespace.apply(role, binding)


def _rule(need: Need) -> Json:
    resource = f"{need.resource}/{need.subresource}" if need.subresource else need.resource
    return {"apiGroups": [need.group], "resources": [resource], "verbs": [need.verb]}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_listed_rules_are_enough_forward_and_back(
    namespace: Namespace, sau: ClusterSau, kind: str
) -> None:
    allow(namespace, NEEDS)
    old = namespace.publish("1.0.0")
    namespace.apply(of_kind(kind, old.reference))
    settled(namespace, kind)
    assert sau("doctor").code == 0
    new = namespace.publish("1.1.0")
    assert sau("apply", "--yes", timeout_s=180).update["outcome"] == "succeeded"
    assert running(namespace) == {new.digest}
    namespace.publish("1.2.0", behaviour="crash")
    said = sau("apply", "--yes", timeout_s=180)
    assert said.update["outcome"] == "rolled_back", said
    assert "this image crashes at once" in json.dumps(sau("show", said.update["id"]).json)
    settled(namespace, kind)
    assert running(namespace) == {new.digest}


MISSING = {
    "patch deployments": ("aborted", "cannot patch resource"),
    "list pods": (None, "pods: "),
    "list deployments": (None, "deployments: "),
}


@pytest.mark.parametrize("what", MISSING)
def test_rule_that_is_missing_is_named_and_nothing_is_changed(
    namespace: Namespace, sau: ClusterSau, what: str
) -> None:
    verb, _, resource = what.partition(" ")
    without = [need for need in NEEDS if (need.verb, need.resource) != (verb, resource)]
    allow(namespace, without)
    before = begun(namespace, "Deployment")
    namespace.publish("1.1.0")

    doctor = sau("doctor")
    assert doctor.code == 1
    assert f"may not {what}" in doctor.out and f"verbs: [{verb}]" in doctor.out

    outcome, words = MISSING[what]
    said = sau("apply", "--yes") if outcome else sau("scan")
    assert said.code == 1
    assert words in said.out, said
    if outcome:
        assert said.update["outcome"] == outcome
    assert namespace.get("Deployment", "web") == before
