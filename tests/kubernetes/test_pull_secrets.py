"""Images of a registry that lets only the cluster's own nodes in: looked up as they pull."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from safe_auto_updater.platforms.kubernetes.permissions import PULL_SECRETS
from tests.guarded_registry import PASSWORD, auths, guarded_registry
from tests.kubernetes import roles
from tests.kubernetes.kit import Json, Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.test_checks import allow
from tests.kubernetes.workloads import of_kind, running, settled


@pytest.fixture
def guarded(namespace: Namespace, tmp_path: Path) -> Iterator[str]:
    if namespace.cluster.layout is None:
        pytest.skip("needs the lab's own cluster, whose nodes reach this machine's loopback")
    with guarded_registry(namespace.cluster.layout.data / "registry", tmp_path) as host:
        yield host


def secret(name: str, form: str, told: Json) -> Json:
    """A pull secret in one of its two forms."""
    text = json.dumps(told if form == "dockercfg" else {"auths": told})
    data = {f".{form}": base64.b64encode(text.encode()).decode()}
    kind = {"apiVersion": "v1", "kind": "Secret", "type": f"kubernetes.io/{form}"}
    return {**kind, "metadata": {"name": name}, "data": data}


def begun(namespace: Namespace, host: str, *named: str) -> None:
    """1.0.0 runs from the guarded registry, with these pull secrets in its template."""
    image = namespace.publish("1.0.0").reference
    workload = of_kind("Deployment", image.replace(namespace.cluster.registry, host, 1))
    if named:
        spec = workload["spec"]["template"]["spec"]
        spec["imagePullSecrets"] = [{"name": name} for name in named]
    namespace.apply(workload)
    settled(namespace, "deployment")


def reading(sau: ClusterSau, kubeconfig: Path | None = None) -> None:
    """Have the pull secrets of its namespace read."""
    sau.configure(kubeconfig=kubeconfig)
    text, name = sau.config.read_text(), sau.namespace.name
    only = f"namespaces: [{name}]"
    sau.config.write_text(text.replace(only, f"{only}, pull_secrets: [{name}]"))


def kept(sau: ClusterSau) -> bytes:
    """All that the program has left."""
    return b"".join(path.read_bytes() for path in sau.state.rglob("*") if path.is_file())


@pytest.mark.parametrize("form", ["dockerconfigjson", "dockercfg"])
def test_pull_secret_of_the_template_is_enough_and_written_nowhere(
    namespace: Namespace, sau: ClusterSau, guarded: str, form: str, tmp_path: Path
) -> None:
    namespace.apply(secret("mine", form, auths(guarded)))
    begun(namespace, guarded, "gone", "mine")
    new = namespace.publish("1.1.0")
    account = roles.account(namespace, "role.yaml", tmp_path)
    sau.configure(kubeconfig=account)
    without = sau("check")
    reading(sau, account)
    doctor, refused = sau("doctor"), sau("check")
    allow(namespace, *PULL_SECRETS)
    known = sau("doctor")
    said = sau("apply", "--yes", timeout_s=180)

    assert guarded in without.json["changes"][0]["error"], without
    assert doctor.code == 1 and "may not get secrets" in doctor.out
    error = refused.json["changes"][0]["error"]
    assert f"pull secret {namespace.name}/gone may not be read: add" in error, refused
    assert known.code == 0, known.out
    assert said.update["outcome"] == "succeeded", said
    assert running(namespace) == {new.digest}
    (entry,) = auths(guarded).values()
    told = "".join(one.out + one.err for one in (without, doctor, refused, known, said))
    for word in (PASSWORD, *entry.values()):  # type: ignore[attr-defined]
        assert word not in told and word.encode() not in kept(sau)


def test_pull_secret_of_its_account_counts_where_the_template_names_none(
    namespace: Namespace, sau: ClusterSau, guarded: str
) -> None:
    namespace.apply(
        secret("wrong", "dockerconfigjson", auths(guarded, "wrong")),
        secret("mine", "dockerconfigjson", auths(f"{guarded}/{namespace.name}")),
    )
    named = json.dumps({"imagePullSecrets": [{"name": "wrong"}, {"name": "mine"}]})
    namespace.run("patch", "serviceaccount", "default", "-p", named)
    begun(namespace, guarded)
    namespace.publish("1.1.0")
    reading(sau)
    assert sau("plan").step("web")["action"] == "update", "the most exact key goes first"


def test_pull_secret_that_gives_nothing_is_named_and_all_else_is_looked_up(
    namespace: Namespace, sau: ClusterSau, guarded: str
) -> None:
    namespace.apply(secret("mine", "dockerconfigjson", auths(guarded)))
    begun(namespace, guarded, "mine")
    other = of_kind("CronJob", namespace.publish("5.0.0", name="other").reference)
    other["metadata"]["name"] = "other"
    namespace.apply(other)
    namespace.run("delete", "secret", "mine")
    namespace.apply(secret("mine", "dockerconfigjson", {guarded: {"auth": "bm9jb2xvbg=="}}))
    namespace.publish("1.1.0")
    namespace.publish("5.1.0", name="other")
    reading(sau)
    changes = {one["asset"].rpartition("/")[2]: one for one in sau("check").json["changes"]}
    fact = f"pull secret {namespace.name}/mine has an entry for it that gives no credentials"
    assert fact in changes["web"]["error"] and "bm9" not in changes["web"]["error"], changes
    assert changes["other"]["candidate"]["version"] == "5.1.0"
