"""What one part of a cluster does not tell is a failure of that part; the rest is seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from safe_auto_updater.core.errors import NotFound, PlatformError
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.scanner import KubernetesScanner

SPEC: dict[str, Any] = {"containers": [{"name": "web", "image": "r/web:1.0.0"}]}


class OneDeployment(Cluster):
    """Has one Deployment; what is asked for in `refused` is not told."""

    def __init__(self, refused: dict[str, PlatformError]) -> None:
        super().__init__("lab", Access())
        self._refused = refused

    def listed(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        what = path.rpartition("/")[2]
        if what in self._refused:
            raise self._refused[what]
        if what == "deployments":
            yield {
                "metadata": {"namespace": "shop", "name": "web", "uid": "u"},
                "spec": {"replicas": 1, "template": {"spec": SPEC}},
            }


@pytest.mark.parametrize("what", ["cronjobs", "daemonsets", "pods"])
def test_kind_that_is_not_served_is_named_and_all_else_is_seen(what: str) -> None:
    error = NotFound("cluster lab: the server could not find the requested resource", 404)
    found = KubernetesScanner(OneDeployment({what: error}), (), named=True).scan()
    assert [asset.id for asset in found.assets] == ["kubernetes:lab/shop/Deployment/web"]
    assert found.failures == (("kubernetes:lab", f"{what}: {error}"),)
