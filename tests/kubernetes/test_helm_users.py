"""Each release is upgraded as the account that it is configured for, and as nobody mightier."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kubernetes.charts import RELEASE, Chart
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Namespace, deployment
from tests.kubernetes.release_kit import Release
from tests.kubernetes.sau import ClusterSau


@pytest.fixture
def release(namespace: Namespace, helm: Helm, sau: ClusterSau) -> Iterator[Release]:
    """1.0.0 runs, 1.0.1 is to be had; `deployer` may all in the namespace, `reader` may look."""
    for account, role in (("deployer", "admin"), ("reader", "view")):
        namespace.run("create", "serviceaccount", account)
        who = f"--serviceaccount={namespace.name}:{account}"
        namespace.run("create", "rolebinding", account, f"--clusterrole={role}", who)
    release = Release(namespace, helm, sau)
    for version in ("1.0.0", "1.0.1"):
        image = namespace.publish(version).reference
        templates = {"web.yaml": deployment(f"{RELEASE}-web", image, 1)}
        chart = Chart(version=version, app_version=version, templates=templates)
        if version == "1.0.0":
            release.install(chart)
        else:
            release.publish(chart)
    yield release
    helm.say("uninstall", "shop", "--no-hooks")


def user(release: Release, account: str) -> str:
    return f"system:serviceaccount:{release.namespace.name}:{account}"


def as_user(release: Release, account: str, asset: str = "helm:*") -> None:
    one = f"{{match: {{asset: '{asset}'}}, user: '{user(release, account)}'}}"
    release.configure(helm=f", users: [{one}]")


def test_release_is_upgraded_as_its_own_account(release: Release) -> None:
    as_user(release, "deployer")
    assert release.apply()["outcome"] == "succeeded"
    assert release.revisions()[-1] == ("web-1.0.1", "deployed")


def test_account_that_may_not_is_named_and_nothing_is_changed(release: Release) -> None:
    as_user(release, "reader")
    step = release.step()
    assert step["action"] == "hold", step
    assert user(release, "reader") in " ".join(step["reasons"]), "who, as the server says"
    release.sau("apply", "--yes", release.asset, timeout_s=120)
    assert release.revisions() == [("web-1.0.0", "deployed")]


def test_account_of_other_releases_is_not_used(release: Release) -> None:
    as_user(release, "reader", "helm:lab/elsewhere/*")
    assert release.step()["action"] == "update"
