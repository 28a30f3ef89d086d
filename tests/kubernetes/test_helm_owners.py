"""A release that somebody else upgrades is named and held; what may not be read is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kubernetes import roles
from tests.kubernetes.charts import Chart, config_map, plain
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Json, Namespace
from tests.kubernetes.sau import ClusterSau
from tests.lab_kit import eventually


def marked(**meta: dict[str, str]) -> Chart:
    """A chart whose object bears a mark."""
    shown = config_map()
    shown["metadata"] |= meta
    return Chart(templates={"map.yaml": shown})


FLEET = {"annotations": {"fleet.cattle.io/bundle-id": "shop-web"}}
PACKAGED = {"annotations": {"fleet.cattle.io/bundle-id": "k3s"}}
# what bears a mark -> managed_by, and how the reason begins
MARKS: list[tuple[Chart, str, str]] = [
    (marked(labels={"helm.toolkit.fluxcd.io/name": "web"}), "flux:web", "Flux's HelmRelease web"),
    (marked(labels={"argocd.argoproj.io/instance": "app"}), "argocd:app", "Argo CD app owns it"),
    (
        marked(annotations={"argocd.argoproj.io/tracking-id": "app:/ConfigMap:x/y"}),
        "argocd:app",
        "Argo CD app owns it",
    ),
    (plain(meta=FLEET), "fleet:shop-web", "Fleet shop-web owns it"),
    (plain(meta=PACKAGED), "k3s:web", "k3s itself owns it"),
]


@pytest.mark.parametrize(("chart", "managed_by", "words"), MARKS, ids=lambda one: str(one)[:12])
def test_release_that_bears_a_mark_is_held_with_its_owners_name(
    namespace: Namespace,
    sau: ClusterSau,
    helm4: Helm,
    chart: Chart,
    managed_by: str,
    words: str,
) -> None:
    helm4.install("web", chart)
    (asset,) = sau("scan").json["assets"]
    assert asset["managed_by"] == managed_by
    assert asset["obstacles"][0]["reason"].startswith(words), asset


def test_record_that_an_operator_owns_is_held(
    namespace: Namespace, sau: ClusterSau, helm4: Helm
) -> None:
    helm4.install("web", plain())
    namespace.apply(config_map("theirs"))
    uid = namespace.get("configmap", "theirs")["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "theirs", "uid": uid}
    patch = {"metadata": {"ownerReferences": [owner | {"controller": True}]}}
    namespace.run("patch", "secret", "sh.helm.release.v1.web.v1", "-p", json.dumps(patch))
    (asset,) = sau("scan").json["assets"]
    assert asset["managed_by"] == "operator:ConfigMap theirs"


@contextmanager
def served(namespace: Namespace, group: str, version: str, kind: str) -> Iterator[None]:
    """A kind that somebody's controller brings; the controller is not there."""
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    made: Json = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [{"name": version, "served": True, "storage": True,
                          "schema": {"openAPIV3Schema": schema}}],
        },
    }  # fmt: skip
    cluster = namespace.cluster
    cluster.run("apply", "-f", "-", given=json.dumps(made))
    cluster.run("wait", f"crd/{plural}.{group}", "--for=condition=established", "--timeout=30s")
    try:
        yield
    finally:
        cluster.run("delete", "crd", f"{plural}.{group}", "--wait=false")


def test_releases_that_flux_declares_are_held(
    namespace: Namespace, sau: ClusterSau, helm4: Helm
) -> None:
    helm4.install("web", plain())
    helm4.install("mine", plain())
    with served(namespace, "helm.toolkit.fluxcd.io", "v2", "HelmRelease"):
        declared = {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": "shop"},
            "spec": {"releaseName": "web"},
        }
        eventually(lambda: namespace.say("apply", "-f", "-", given=json.dumps(declared)).code == 0)
        found = eventually(lambda: _managed(sau, "web"))
    assert found == {"web": f"flux:{namespace.name}/shop", "mine": None}


def test_releases_that_k3s_declares_are_held(
    namespace: Namespace, sau: ClusterSau, helm4: Helm
) -> None:
    helm4.install("web", plain())
    with served(namespace, "helm.cattle.io", "v1", "HelmChart"):
        declared = {
            "apiVersion": "helm.cattle.io/v1",
            "kind": "HelmChart",
            "metadata": {"name": "web"},
            "spec": {"targetNamespace": namespace.name},
        }
        eventually(lambda: namespace.say("apply", "-f", "-", given=json.dumps(declared)).code == 0)
        found = eventually(lambda: _managed(sau, "web"))
    assert found == {"web": f"k3s:{namespace.name}/web"}


def _managed(sau: ClusterSau, name: str) -> dict[str, str | None]:
    """Who manages each release, once somebody manages this one."""
    found = {one["name"]: one["managed_by"] for one in sau("scan").json["assets"]}
    return found if found[name] else {}


def test_without_permission_nothing_is_seen_and_doctor_names_the_rule(
    namespace: Namespace, sau: ClusterSau, helm4: Helm, tmp_path: Path
) -> None:
    helm4.install("web", plain())
    kubeconfig = roles.account(namespace, "viewer.yaml", tmp_path)
    sau.configure(kubeconfig=kubeconfig)
    said = sau("scan")
    assert (said.code, said.json["assets"], said.json["failures"]) == (0, [], [])
    findings = sau("doctor").json["findings"]
    (told,) = [one for one in findings if "list secrets" in one["fact"]]
    assert told["ok"] and "to see Helm releases (optional)" in told["fact"]
    assert '{apiGroups: [""], resources: [secrets], verbs: [list]}' in told["fact"]

    sau.configure(kubeconfig=kubeconfig, cluster=", helm: true")
    said = sau("scan")
    assert said.code == 1
    (secrets, maps) = (one["error"] for one in said.json["failures"])
    assert secrets.startswith("releases in secrets: ") and maps.startswith("releases in configmaps")
    bad = [one["fact"] for one in sau("doctor").json["findings"] if not one["ok"]]
    assert [fact for fact in bad if "list secrets" in fact], "no more optional"

    roles.helm_viewer(namespace)
    said = sau("scan")
    assert (said.code, [one["id"] for one in said.json["assets"]]) == (0, [sau.release()])
    assert "secrets" not in sau("doctor").out


def test_record_that_may_be_listed_and_not_read_is_told(
    namespace: Namespace, sau: ClusterSau, helm4: Helm, tmp_path: Path
) -> None:
    for name in ("web", "db"):
        helm4.install(name, plain())
    kubeconfig = roles.account(namespace, "viewer.yaml", tmp_path)
    roles.helm_viewer(namespace)
    without = [{"op": "replace", "path": "/rules/0/verbs", "value": ["list"]}]
    namespace.run(
        "patch", "role", "safe-auto-updater-helm", "--type=json", "-p", json.dumps(without)
    )
    sau.configure(kubeconfig=kubeconfig)
    said = eventually(lambda: (one := sau("scan")).code == 1 and one)
    (failure,) = said.json["failures"]
    assert "cannot get resource" in failure["error"]
