"""`sau doctor` says which sources of charts answer."""

from __future__ import annotations

import pytest

from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.sources.kit import Helm
from tests.kubernetes.sources.server import Served


def test_each_source_that_answers_or_does_not_is_told(
    helm_4: Helm, shelf: Served, sau: ClusterSau, monkeypatch: pytest.MonkeyPatch
) -> None:
    helm_4.package(shelf.folder, "1.0.0")
    helm_4.index(shelf.folder)
    helm_4.run("repo", "add", "mine", shelf.url)
    monkeypatch.setenv("HELM_REPOSITORY_CONFIG", str(helm_4.home / "config/repositories.yaml"))
    where = f"oci://{sau.namespace.cluster.registry}/{sau.namespace.name}"
    helm_4.push(shelf.folder / "web-1.0.0.tgz", where)
    sau.configure(
        detection="  helm_sources:\n"
        f"  - {{chart: web, repository: '{where}'}}\n"
        f"  - {{chart: api, repository: '{where}'}}\n"
        f"  - {{chart: '*', repository: '{where}'}}\n"
        "  - {chart: '*', repository: 'http://127.0.0.1:1/charts'}\n"
    )
    said = sau("doctor")
    told = [(one["ok"], one["fact"]) for one in said.json["findings"] if one["what"] == "charts"]
    assert [(ok, fact.partition(" answers")[0]) for ok, fact in told if ok] == [
        (True, f"{where}/web"),
        (True, f"repository mine ({shelf.url})"),
    ]
    away = [fact for ok, fact in told if not ok]
    assert len(away) == 2
    assert f"{where}/api".removeprefix("oci://") in away[0]
    assert "127.0.0.1:1 cannot be reached" in away[1]
    assert said.code == 1
