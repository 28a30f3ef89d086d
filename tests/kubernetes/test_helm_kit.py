"""Real helm of both lines, and the charts that tests are made of, do what they are for."""

from __future__ import annotations

from pathlib import Path

from tests.kubernetes.charts import plain
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Namespace
from tests.kubernetes.whole_chart import (
    Images,
    custom_resource,
    group_of,
    surroundings,
    whole,
)


def test_whole_chart_is_installed_upgraded_and_taken_back(
    namespace: Namespace, helm: Helm, tmp_path: Path
) -> None:
    images = Images.publish(namespace)
    with surroundings(namespace, tmp_path):
        helm.install("shop", whole(namespace, images), "--wait", values={"greeting": "hi"})
        before = helm.get_values("shop")
        helm.upgrade("shop", whole(namespace, images, "1.1.0"), "--wait", "--reuse-values")
        assert [one["chart"] for one in helm.history("shop")] == ["web-1.0.0", "web-1.1.0"]
        helm.rollback("shop", 1, "--wait")
        helm.run("test", "shop")
        assert helm.status("shop") == "deployed"
        assert helm.get_values("shop") == before
        namespace.apply(custom_resource(group_of(namespace), "Gadget", "mine"))
        ready = [one for one in namespace.containers() if one["ready"]]
        assert len(ready) == 4, "web, db, agent and sub"
        helm.uninstall("shop")


def test_archive_is_as_good_as_its_folder(namespace: Namespace, helm: Helm) -> None:
    archive = helm.package(plain("1.2.3"))
    assert archive.name == "web-1.2.3.tgz"
    helm.install("web", archive)
    assert helm.status("web") == "deployed"
