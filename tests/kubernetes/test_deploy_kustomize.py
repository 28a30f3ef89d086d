"""`kubectl apply -k`: the service as a pod with exactly the shipped rights."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

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
from tests.lab_kit import eventually

LONG = "{timeout: 30s, stable_for: 12s}"


class Kustomize:
    """A folder as a reader has it: what is shipped, and an overlay of their own."""

    def __init__(self, namespace: Namespace, image: Published, folder: Path) -> None:
        self.namespace, self._image, self._folder = namespace, image, folder
        self._made: list[str] = []
        shutil.copytree(ROOT / "deploy/kubernetes", folder / "kubernetes")

    def folder(self, name: str) -> Path:
        """Where the overlay of this name is."""
        return self._folder / "kubernetes/overlays" / name

    def apply(self, sau: str, base: str = "namespaced", name: str = "mine", **more: object) -> None:
        """Apply an overlay over a shipped one, with this configuration."""
        mine = self.folder(name)
        mine.mkdir(exist_ok=True)
        (mine / "sau.yml").write_text(sau)
        replaced = {"name": f"{NAME}-config", "behavior": "replace", "files": ["sau.yml"]}
        overlay: Json = {
            "resources": [f"../{base}"],
            "namespace": self.namespace.name,
            "images": [
                {"name": NAME, "newName": self._image.repository, "newTag": self._image.tag}
            ],
            "configMapGenerator": [replaced],
            **more,
        }
        (mine / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
        claim = f"{NAME}{more.get('nameSuffix', '')}"
        if claim not in self._made:
            self._made.append(claim)
            volume(self.namespace, claim, self._folder / claim)
        self.namespace.cluster.run("apply", "-k", str(mine))

    def end(self) -> None:
        """Take away what is not in the namespace."""
        for claim in self._made:
            no_volume(self.namespace, claim)


@pytest.fixture
def kustomize(namespace: Namespace, image: Published, tmp_path: Path) -> Iterator[Kustomize]:
    """Nothing is applied yet."""
    made = Kustomize(namespace, image, tmp_path)
    yield made
    made.end()


def test_pod_updates_what_is_labelled_and_takes_a_bad_one_back(
    namespace: Namespace, kustomize: Kustomize
) -> None:
    scene, service = Scene(namespace), Service(namespace)
    scene.begin()
    scene.publish("1.1.0")
    kustomize.apply(configuration(namespace))
    service.ready()
    scene.becomes("1.1.0")
    scene.publish("1.2.0", behaviour="crash")
    service.wait_for(scene.asset, "rolled_back")
    scene.becomes("1.1.0")
    assert service.outcomes(scene.asset)[-1] == "succeeded"
    assert service.sau("doctor").code == 0


@pytest.mark.parametrize(
    ("how", "behaviour"),
    [
        ("deleted", "good"),
        ("killed", "unhealthy"),
        pytest.param("deleted", "unhealthy", marks=pytest.mark.every_instant),
        pytest.param("killed", "good", marks=pytest.mark.every_instant),
    ],
)
def test_pod_that_ends_in_the_middle_of_an_update_keeps_the_promise(
    namespace: Namespace, kustomize: Kustomize, how: str, behaviour: str
) -> None:
    scene, service = Scene(namespace), Service(namespace)
    scene.begin()
    kustomize.apply(configuration(namespace, LONG))
    service.ready()
    scene.publish("1.1.0", behaviour=behaviour)
    eventually(lambda: scene.is_under_way("1.1.0"), 60)
    before = service.pod()
    if how == "deleted":
        namespace.run("delete", "pod", before["metadata"]["name"])
    else:
        service.kill()
        eventually(lambda: service.restarts() == 1, 60)
    service.ready()
    is_another = service.pod()["metadata"]["uid"] != before["metadata"]["uid"]
    assert is_another == (how == "deleted")
    assert service.restarts() == (how == "killed"), "the next pod waits for the one that ends"
    eventually(lambda: is_clean(service.outcomes(scene.asset)), 120)
    if behaviour == "good":
        scene.becomes("1.1.0")
        assert service.outcomes(scene.asset)[0] == "succeeded"
    else:
        service.wait_for(scene.asset, "rolled_back")
        scene.becomes("1.0.0")


def test_second_service_waits_for_the_lease(namespace: Namespace, kustomize: Kustomize) -> None:
    scene, first = Scene(namespace), Service(namespace)
    scene.begin()
    kustomize.apply(configuration(namespace))
    first.ready()
    holder = first.pod()["metadata"]["name"]
    labels = [{"pairs": {"app.kubernetes.io/instance": "two"}, "includeSelectors": True}]
    kustomize.apply(configuration(namespace), name="two", nameSuffix="-two", labels=labels)
    second = Service(namespace, f"{NAME}-two")
    waits = f"waits for the Lease {namespace.name}/{NAME}, which {holder}"
    eventually(lambda: waits in second.log(), 60)
    assert second.pod()["status"]["containerStatuses"][0]["ready"] is False
    assert second.sau("history").json["updates"] == []

    namespace.run("delete", "deployment", NAME)
    second.ready()
    scene.publish("1.1.0")
    second.wait_for(scene.asset, "succeeded")
    scene.becomes("1.1.0")
    assert second.outcomes(scene.asset) == ["succeeded"]


def test_all_namespaces_and_their_releases_by_the_cluster_wide_overlay(
    namespace: Namespace, kustomize: Kustomize, helm4: Helm, sau: ClusterSau
) -> None:
    scene, release = Scene(namespace), Release(namespace, helm4, sau)
    release.install(shop(scene, "1.0.0"), "--labels", "safe-auto-updater/enable=true")
    release.publish(shop(scene, "1.0.1"))
    components = [f"../../components/{one}" for one in ("helm-releases", "everywhere", "metrics")]
    own = Namespace(namespace.cluster, NAME)
    only = f'inventory:\n  include: ["*:lab/{namespace.name}/*"]\n'  # other tests run beside
    config = configuration(namespace).replace(f"namespaces: [{namespace.name}]", "helm: true")
    kustomize.namespace = own
    mine = kustomize.folder("mine")
    try:
        kustomize.apply(config.replace("inventory:\n", only), "cluster-wide", components=components)
        service = Service(own)
        service.ready()
        service.wait_for(release.asset, "succeeded", 180)
        scene.becomes("1.0.1")
        assert release.revisions()[-1] == ("shop-1.0.1", "deployed")
        assert "safe_auto_updater_assets" in own.cluster.run(
            "get", "--raw", f"/api/v1/namespaces/{NAME}/services/{NAME}:metrics/proxy/metrics"
        )
    finally:
        namespace.cluster.say("delete", "-k", str(mine), "--wait=true")
