"""The chart: refuses what does not fit, gives the shipped rights alone, and works as a pod."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.images import Published
from tests.kubernetes.deploy_kit import (
    NAME,
    ROOT,
    Scene,
    Service,
    configuration,
    is_clean,
    no_volume,
    shop,
    volume,
)
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Json, Namespace
from tests.kubernetes.release_kit import Release
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import settled
from tests.lab_kit import eventually

CHART = ROOT / "deploy/helm/safe-auto-updater"
KUBERNETES = ROOT / "deploy/kubernetes"
HEALTH = "{timeout: 40s, stable_for: 2s}"
COMPONENTS = ("helm-releases", "pull-secrets", "watch", "watch-releases")
EVERYTHING = {
    "watch": True,
    "namespaces": ["shop", "blog"],
    "helmReleases": {"enabled": True},
    "pullSecrets": ["shop"],
    "secrets": [{"name": "smtp", "mountPath": "/run/secrets/smtp"}],
    "extraEnv": [{"name": "TZ", "value": "Europe/Berlin"}],
    "image": {"repository": "registry.example.org:5000/sau", "tag": "1", "pullSecrets": ["mine"]},
    "metrics": {
        "service": {"enabled": True, "annotations": {"a": "b"}},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    },
    "networkPolicy": {"egress": [{"ports": [{"port": 5000}]}]},
    "serviceAccount": {"name": "updater", "annotations": {"a": "b"}},
    "annotations": {"a": "b"},
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "shop"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "persistence": {"storageClass": "fast"},
}
WRONG = {
    "an unknown value": ({"imagee": {}}, "imagee"),
    "an unknown key within": ({"persistence": {"enable": True}}, "enable"),
    "a text for a switch": ({"clusterWide": "yes"}, "clusterWide"),
    "a text for a list": ({"namespaces": "shop"}, "namespaces"),
    "no name of a namespace": ({"namespaces": ["Shop!"]}, "namespaces"),
    "a shared volume": ({"persistence": {"accessMode": "ReadWriteMany"}}, "accessMode"),
    "too little time to go back": ({"terminationGracePeriodSeconds": 5}, "terminationGrace"),
    "an unknown section of the configuration": ({"config": {"detect": {}}}, "detect"),
    "a rule without verbs": (
        {"extraRules": [{"apiGroups": [""], "resources": ["services"]}]},
        "verbs",
    ),
    "a secret without a place": ({"secrets": [{"name": "smtp"}]}, "mountPath"),
    "a number for an image's tag": ({"image": {"tag": 1}}, "tag"),
}


def rendered(helm: Helm, values: Mapping[str, Any]) -> list[Json]:
    """Every object of the chart with these values."""
    text = helm.run(*helm.command("template", NAME, CHART, values=values))
    return [one for one in yaml.safe_load_all(text) if one]


def rules(documents: list[Json], kind: str, name: str) -> set[tuple[str, str, str, str]]:
    """What the roles whose names fit allow."""
    return {
        (group, resource, verb, ",".join(rule.get("resourceNames", ())))
        for one in documents
        if one["kind"] == kind and re.fullmatch(name, one["metadata"]["name"])
        for rule in one["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("values", [{}, EVERYTHING, {"clusterWide": True}])
def test_chart_passes_the_strict_lint(helm: Helm, tmp_path: Path, values: Json) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps(values))
    helm.run("lint", "--strict", str(CHART), "--values", str(file))


@pytest.mark.parametrize("what", WRONG)
def test_schema_refuses(helm4: Helm, what: str) -> None:
    values, word = WRONG[what]
    said = helm4.say(*helm4.command("template", NAME, CHART, values=values))
    assert said.code != 0 and word in said.err, said


def test_chart_and_kustomize_give_the_same_rights(
    namespace: Namespace, helm4: Helm, tmp_path: Path
) -> None:
    everything: Json = {
        "resources": ["../cluster-wide"],
        "components": [f"../../components/{one}" for one in COMPONENTS],
    }
    mine = tmp_path / "kubernetes"
    shutil.copytree(KUBERNETES, mine)
    (mine / "overlays/mine").mkdir()
    (mine / "overlays/mine/kustomization.yaml").write_text(yaml.safe_dump(everything))
    text = namespace.cluster.run("kustomize", str(mine / "overlays/mine"))
    shipped = list(yaml.safe_load_all(text))
    namespaced = list(yaml.safe_load_all((KUBERNETES / "rights/namespaced/role.yaml").read_text()))

    narrow = rendered(helm4, EVERYTHING)
    wide = rendered(helm4, {"clusterWide": True, "helmReleases": {"enabled": True}})
    assert rules(narrow, "Role", NAME) == rules(namespaced, "Role", NAME)
    assert rules(wide, "ClusterRole", f".*-{NAME}") == rules(shipped, "ClusterRole", NAME)
    for suffix, theirs in (
        ("helm", "helm.*"),
        ("watch", "watch.*"),
        ("pull-secrets",) * 2,
        ("lease",) * 2,
    ):
        ours = rules(narrow, "Role", f"{NAME}-{suffix}")
        assert ours == rules(shipped, "Role", f"{NAME}-{theirs}") != set(), suffix
    assert rules(wide, "ClusterRole", ".*-helm") == rules(narrow, "Role", f"{NAME}-helm")


def test_without_switches_no_secret_may_be_read_and_nothing_elsewhere(helm4: Helm) -> None:
    plain = rendered(helm4, {})
    assert not {one["kind"] for one in plain} & {"ClusterRole", "ClusterRoleBinding"}
    assert {one["metadata"]["namespace"] for one in plain if one["kind"] == "Role"} == {
        helm4.namespace.name
    }
    assert not {rule for rule in rules(plain, "Role", ".*") if rule[1] == "secrets"}


def test_chart_and_kustomize_make_the_same_pod(namespace: Namespace, helm4: Helm) -> None:
    text = namespace.cluster.run("kustomize", str(KUBERNETES / "overlays/namespaced"))
    (theirs,) = (one for one in yaml.safe_load_all(text) if one["kind"] == "Deployment")
    (ours,) = (one for one in rendered(helm4, {}) if one["kind"] == "Deployment")
    specs = [one["spec"]["template"]["spec"] for one in (ours, theirs)]
    for spec in specs:
        (container,) = spec["containers"]
        env = container.pop("env")
        assert {"SAFE_AUTO_UPDATER_LEASE", "HOME"} <= {one["name"] for one in env}
        container.pop("imagePullPolicy", None)
        spec["volumes"] = sorted(one["name"] for one in spec.pop("volumes"))
    assert specs[0] == specs[1]
    assert ours["spec"]["strategy"] == theirs["spec"]["strategy"]


class Chosen:
    """The chart as a person installs it in a namespace."""

    def __init__(self, namespace: Namespace, helm: Helm, image: Published) -> None:
        self.namespace, self._helm, self._image = namespace, helm, image
        self.service = Service(namespace)

    def values(self, health: str, **more: Any) -> Json:
        """To look often, at a release too."""
        config = yaml.safe_load(configuration(self.namespace, health))
        del config["inventory"]
        return {
            "image": {"repository": self._image.repository, "tag": self._image.tag},
            "clusterName": "lab",
            "helmReleases": {"enabled": True},
            "config": config,
            **more,
        }

    def install(self, chart: Path = CHART, health: str = HEALTH, **more: Any) -> None:
        """`helm install`, waited for."""
        words = ("--wait", "--timeout", "3m")
        self._helm.install(NAME, chart, *words, values=self.values(health, **more))

    def packaged(self, version: str, folder: Path) -> Path:
        """The archive of the chart in this version."""
        words = ("--version", version, "--destination", str(folder))
        self._helm.run("package", str(CHART), *words)
        return folder / f"{NAME}-{version}.tgz"


@pytest.fixture
def chosen(namespace: Namespace, helm4: Helm, image: Published, tmp_path: Path) -> Iterator[Chosen]:
    """Not installed yet."""
    volume(namespace, NAME, tmp_path / "volume")
    yield Chosen(namespace, helm4, image)
    helm4.say("uninstall", NAME, "--wait")
    no_volume(namespace, NAME)


OTHER_WAYS = ("killed", "left alone")


@pytest.fixture
def release(namespace: Namespace, helm4: Helm, sau: ClusterSau) -> Release:
    """A release called `shop`, of which newer versions can be published."""
    return Release(namespace, helm4, sau)


@pytest.mark.parametrize(
    "how",
    ["deleted", *(pytest.param(how, marks=pytest.mark.every_instant) for how in OTHER_WAYS)],
)
def test_pod_upgrades_a_release_whatever_becomes_of_it(
    namespace: Namespace, chosen: Chosen, release: Release, how: str
) -> None:
    scene, service = Scene(namespace), chosen.service
    release.install(shop(scene, "1.0.0"), "--labels", "safe-auto-updater/enable=true")
    chosen.install(health="{timeout: 60s, stable_for: 10s}")
    release.publish(shop(scene, "1.0.1"))
    if how != "left alone":
        eventually(lambda: len(release.revisions()) == 2, 90)
        if how == "killed":
            service.kill()
        else:
            namespace.run("delete", "pod", service.pod()["metadata"]["name"])
    eventually(lambda: service.outcomes(release.asset)[:1] == ["succeeded"], 180)
    assert is_clean(service.outcomes(release.asset))
    scene.becomes("1.0.1")
    assert release.revisions()[-1] == ("shop-1.0.1", "deployed")

    release.publish(shop(scene, "1.0.2", behaviour="crash"))
    eventually(lambda: service.outcomes(release.asset)[:1] == ["rolled_back"], 180)
    scene.becomes("1.0.1")


def test_pod_upgrades_a_release_as_the_account_that_is_configured(
    namespace: Namespace, chosen: Chosen, release: Release, helm4: Helm
) -> None:
    scene, service = Scene(namespace), chosen.service
    for account, role in (("deployer", "admin"), ("reader", "view")):
        namespace.run("create", "serviceaccount", account)
        who = f"--serviceaccount={namespace.name}:{account}"
        namespace.run("create", "rolebinding", account, f"--clusterrole={role}", who)
    release.install(shop(scene, "1.0.0"), "--labels", "safe-auto-updater/enable=true")
    release.publish(shop(scene, "1.0.1"))
    chosen.install(**as_account(chosen, "reader"))
    user = f"system:serviceaccount:{namespace.name}:reader"
    eventually(lambda: user in service.log(), 60)  # who may not, as the server says
    assert len(release.revisions()) == 1

    values = chosen.values(HEALTH, **as_account(chosen, "deployer"))
    helm4.upgrade(NAME, CHART, "--wait", "--timeout", "3m", values=values)
    eventually(lambda: service.outcomes(release.asset)[:1] == ["succeeded"], 180)


def as_account(chosen: Chosen, account: str) -> Json:
    """Values with which helm works on releases as this account of the namespace."""
    config = chosen.values(HEALTH)["config"]
    user = f"system:serviceaccount:{chosen.namespace.name}:{account}"
    config["execution"]["helm"] = {"users": [{"match": {"asset": "helm:*"}, "user": user}]}
    rule = {
        "apiGroups": [""],
        "resources": ["serviceaccounts"],
        "verbs": ["impersonate"],
        "resourceNames": [account],
    }
    return {"config": config, "extraRules": [rule]}


def test_next_version_of_the_chart_goes_on_with_what_the_last_remembers(
    namespace: Namespace, chosen: Chosen, helm4: Helm, tmp_path: Path
) -> None:
    scene, service = Scene(namespace), chosen.service
    scene.begin()
    chosen.install(chosen.packaged("0.1.0", tmp_path))
    assert "Succeeded" in helm4.run("test", NAME, "--timeout", "2m")
    scene.publish("1.1.0")
    scene.becomes("1.1.0")
    eventually(lambda: service.outcomes(scene.asset) == ["succeeded"], 60)

    values = chosen.values("{timeout: 40s, stable_for: 3s}", podLabels={"team": "shop"})
    chart = chosen.packaged("0.2.0", tmp_path)
    helm4.upgrade(NAME, chart, "--wait", "--timeout", "3m", values=values)

    assert [one["chart"] for one in helm4.history(NAME)] == [f"{NAME}-0.1.0", f"{NAME}-0.2.0"]
    service.ready()
    assert service.outcomes(scene.asset) == ["succeeded"]
    scene.publish("1.2.0")
    scene.becomes("1.2.0")
    settled(namespace, "Deployment")
    assert "stable_for: 3s" in json.dumps(namespace.get("configmap", NAME)["data"])
