"""Fixtures of the tests that need a cluster."""

from __future__ import annotations

import json
import os
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab import own_image
from lab.images import Published
from tests.kubernetes.deploy_kit import from_pods
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Cluster, Namespace
from tests.kubernetes.sau import ClusterSau
from tests.lacking import lacking


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test of both helms runs with one of them in `make test`, by its name."""
    for item in items:
        if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
            continue
        helm = item.callspec.params.get("helm")
        if helm in (3, 4) and zlib.crc32(item.originalname.encode()) % 2 != helm % 2:
            item.add_marker(pytest.mark.other_helm)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The running cluster. Without one tests are skipped, on CI they fail."""
    lent, described = os.environ.get("SAU_TEST_KUBECONFIG"), os.environ.get("SAU_LAB")
    if lent:
        return Cluster.lent(Path(lent))
    if described and "kubeconfigs" in json.loads(Path(described).read_text()):
        return Cluster.read(Path(described))
    why = (
        "needs a cluster: start the tests with `make test` or with `python -m lab --engine "
        "kubernetes run -- COMMAND`, or name one's kubeconfig in SAU_TEST_KUBECONFIG"
    )
    return lacking(why)


@pytest.fixture(scope="session")
def image(cluster: Cluster) -> Published:
    """Our own image at the cluster's registry, by the name that pods and nodes reach it by."""
    made = own_image.publish(cluster.registry, Path(cluster.helms[max(cluster.helms)]))
    return replace(made, registry=from_pods(cluster))


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace that is this test's alone."""
    mine = Namespace(cluster, f"t{secrets.token_hex(4)}")
    mine.create()
    yield mine
    mine.delete()


@pytest.fixture
def sau(namespace: Namespace, tmp_path: Path) -> ClusterSau:
    """The program, seeing this test's namespace alone."""
    return ClusterSau(namespace, tmp_path)


@pytest.fixture(params=[3, 4], ids=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest, namespace: Namespace, tmp_path: Path) -> Helm:
    """Helm of both lines, with homes of its own, in this test's namespace."""
    return _helm(request.param, namespace, tmp_path)


@pytest.fixture
def helm4(namespace: Namespace, tmp_path: Path) -> Helm:
    """The newest helm alone, for what both lines do alike."""
    return _helm(4, namespace, tmp_path)


def _helm(version: int, namespace: Namespace, folder: Path) -> Helm:
    if version not in namespace.cluster.helms:
        pytest.skip(f"needs helm {version} beside the lent cluster")
    return Helm(namespace, version, folder)
