"""Pods that nobody may make: the server says why, and no image is to blame."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from safe_auto_updater.engine.journal import Record
from tests.docker.kill.hitting import update_when
from tests.kubernetes import roles
from tests.kubernetes.admission import refusing
from tests.kubernetes.kit import Json, Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import KINDS, as_written, of_kind, running, settled
from tests.lab_kit import eventually

SHORT = "{timeout: 10s, stable_for: 2s}"
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "worker"}}
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "none"},
    "spec": {"hard": {"pods": "0"}},
}
POD = ("run", "any", "--image=lab:1.1.0")
REFUSALS = {
    "a quota": ("capacity", "exceeded quota: none"),
    "admission": ("platform", "1.1.0 is not approved here"),
    "a missing account": ("platform", 'serviceaccount "worker" not found'),
}


def begun(namespace: Namespace, kind: str) -> Json:
    """Runs 1.0.0 as an account of its own."""
    workload = of_kind(kind, namespace.publish("1.0.0").reference)
    workload["spec"]["template"]["spec"]["serviceAccountName"] = "worker"
    namespace.apply(ACCOUNT, workload)
    settled(namespace, kind)
    return namespace.get(kind, "web")


def updated(namespace: Namespace, sau: ClusterSau, what: str) -> Record:
    """An update whose pods are refused, until the old ones are to come back."""
    with ExitStack() as until:
        match what:
            case "a quota":
                namespace.apply(QUOTA)
                until.callback(namespace.run, "delete", "resourcequota", "none")
            case "admission":
                until.enter_context(refusing(namespace, "", "pods", "CREATE", "object.spec", POD))
            case _:
                namespace.run("delete", "serviceaccount", "worker")
                until.callback(namespace.apply, ACCOUNT)
        return update_when(sau, "ROLLBACK", until.close)


@pytest.mark.parametrize("what", REFUSALS)
@pytest.mark.parametrize("kind", KINDS)
def test_refusal_of_pods_is_named_and_blames_no_image(
    namespace: Namespace, sau: ClusterSau, kind: str, what: str
) -> None:
    before = begun(namespace, kind)
    old = running(namespace)
    namespace.publish("1.1.0")
    sau.configure(SHORT)

    record = updated(namespace, sau, what)

    cause, words = REFUSALS[what]
    assert (str(record.outcome), str(record.cause)) == ("rolled_back", cause), record
    assert "no pod can be made" in str(record.facts) and words in str(record.facts)
    assert as_written(namespace.get(kind, "web")) == as_written(before)
    settled(namespace, kind)
    eventually(lambda: running(namespace) == old, 60)
    assert sau("plan").step("web")["action"] == "update", "no image was quarantined"


def test_without_events_it_is_a_failure_whose_reason_nobody_knows(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path
) -> None:
    begun(namespace, "StatefulSet")
    namespace.publish("1.1.0")
    account = roles.account(namespace, "role.yaml", tmp_path, ("list", "events"))
    sau.configure(SHORT, kubeconfig=account)
    doctor = sau("doctor")
    record = updated(namespace, sau, "a quota")
    assert doctor.code == 0 and "may not list events" in doctor.out
    assert (str(record.outcome), str(record.cause)) == ("rolled_back", "platform"), record
    assert "no pod can be made" not in str(record.facts)
