"""With exactly the roles that are shipped everything works; a rule that is missing is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kubernetes import roles
from tests.kubernetes.deploy_kit import from_pods
from tests.kubernetes.kit import Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import begun, of_kind, running, settled


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_shipped_role_is_enough_forward_and_back(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path, kind: str
) -> None:
    sau.configure(kubeconfig=roles.account(namespace, "role.yaml", tmp_path))
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


def test_shipped_cluster_role_is_enough_for_all_namespaces(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path
) -> None:
    begun(namespace, "Deployment")
    new = namespace.publish("1.1.0")
    try:
        registry = from_pods(namespace.cluster)  # other tests run beside, and all is looked at
        sau.configure(
            detection=f'  registries: [{{host: "{registry}", plain_http: true}}]\n',
            kubeconfig=roles.everywhere(namespace, tmp_path),
        )
        text = sau.config.read_text()
        sau.config.write_text(text.replace(f", namespaces: [{namespace.name}]", ""))
        found = sau("doctor").json["findings"]  # of their images' registries too
        said = sau("apply", sau.asset("Deployment"), "--yes", timeout_s=180)
    finally:
        roles.nowhere(namespace)
    ours = [one for one in found if one["what"] == "kubernetes lab"]
    assert ours and all(one["ok"] for one in ours), ours
    assert said.update["outcome"] == "succeeded", said
    assert running(namespace) == {new.digest}


@pytest.mark.parametrize("named", [True, False])
def test_cluster_that_is_only_looked_at_needs_no_rights_to_change_it(
    namespace: Namespace,
    sau: ClusterSau,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    named: bool,
) -> None:
    try:
        looks = roles.everywhere(namespace, tmp_path, ("patch", "deployments"))
        sau.configure(kubeconfig=looks, everywhere=True)
        if not named:
            sau.config.write_text("detection: {policy: minor}\n")
            monkeypatch.setenv("KUBECONFIG", str(looks))
        found = sau("doctor").json["findings"]
    finally:
        roles.nowhere(namespace)
    ours = [one for one in found if one["what"].startswith("kubernetes ")]
    assert ours and all(one["ok"] for one in ours) is not named, ours


def test_viewer_plans_and_changes_nothing(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path
) -> None:
    before = begun(namespace, "Deployment")
    namespace.publish("1.1.0")
    sau.configure(kubeconfig=roles.account(namespace, "viewer.yaml", tmp_path))
    step = sau("plan").step("web")
    assert step["action"] == "update" and "not checked by the server" in str(step["reasons"])
    said = sau("apply", "--yes")
    assert (said.code, said.update["outcome"]) == (1, "aborted"), said
    assert "cannot patch resource" in said.update["error"]
    assert namespace.get("Deployment", "web") == before


MISSING = {
    "patch deployments": ("aborted", "cannot patch resource"),
    "list pods": (None, "pods: "),
    "list deployments": (None, "deployments: "),
}


@pytest.mark.parametrize("what", MISSING)
def test_rule_that_is_missing_is_named_and_nothing_is_changed(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path, what: str
) -> None:
    verb, _, resource = what.partition(" ")
    without = roles.account(namespace, "role.yaml", tmp_path, (verb, resource))
    sau.configure(kubeconfig=without)
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


def test_without_events_all_else_works_and_it_is_said(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path
) -> None:
    without = roles.account(namespace, "role.yaml", tmp_path, ("create", "events"))
    sau.configure(kubeconfig=without)
    begun(namespace, "Deployment")
    namespace.publish("1.1.0")
    doctor = sau("doctor")
    assert doctor.code == 0 and "may not create events" in doctor.out
    said = sau("apply", "--yes", timeout_s=180)
    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    assert said.err.count("events is forbidden") == 1, "once, however many there are to write"
