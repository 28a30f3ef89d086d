"""What comes, goes or is made again beside an upgrade, on real helm: it decides about nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes.charts import RELEASE
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Json, Namespace
from tests.kubernetes.release_kit import Release
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.test_helm_cases import web
from tests.kubernetes.workloads import cron_job


@pytest.fixture
def release(namespace: Namespace, helm: Helm, sau: ClusterSau, tmp_path: Path) -> Iterator[Release]:
    """Nothing is installed yet."""
    yield Release(namespace, helm, sau)
    helm.say("uninstall", "shop", "--no-hooks")


def service(kind: str) -> Json:
    """Whose addresses and ports the server chooses."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{RELEASE}-web"},
        "spec": {"type": kind, "selector": {"app": "web"}, "ports": [{"port": 80}]},
    }


def job(image: str, **spec: int) -> Json:
    """Does its work once, beside the Deployment."""
    container = {"name": "load", "image": image}
    pod = {"restartPolicy": "Never", "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{RELEASE}-load"},
        "spec": {"template": {"spec": pod}, **spec},
    }


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort"])
def test_service_and_job_that_the_upgrade_dropped_are_there_again(
    release: Release, kind: str
) -> None:
    good = release.namespace.publish("1.0.0").reference
    bad = release.namespace.publish("1.0.1", behaviour="crash").reference
    once = release.namespace.publish("0.1.0", behaviour="one_shot", name="once").reference
    release.install(web("1.0.0", good, service=service(kind), job=job(once)), "--wait-for-jobs")
    release.publish(web("1.0.1", bad))

    update = release.apply()

    assert update["outcome"] == "rolled_back", update
    assert release.namespace.get("service", "shop-web")["spec"]["type"] == kind
    assert release.namespace.get("job", "shop-load")["status"].get("succeeded") == 1


def test_job_that_the_cluster_removes_keeps_its_release_from_nothing(release: Release) -> None:
    good = release.namespace.publish("1.0.0").reference
    newer = release.namespace.publish("1.1.0").reference
    once = release.namespace.publish("0.1.0", behaviour="one_shot", name="once").reference
    passing = job(once, ttlSecondsAfterFinished=1)
    release.install(web("1.0.0", good, job=passing))
    release.namespace.wait("job/shop-load", "delete", 90)
    release.publish(web("1.1.0", newer, job=passing))

    assert release.apply()["outcome"] == "succeeded"


def test_runs_of_a_cron_job_do_not_decide_about_its_release(release: Release) -> None:
    """It runs each minute, and each run fails; the watch goes on over more than one of them."""
    good = release.namespace.publish("1.0.0").reference
    newer = release.namespace.publish("1.1.0").reference
    ill = release.namespace.publish("0.1.0", behaviour="crash", name="ill").reference
    minutely = cron_job(f"{RELEASE}-tidy", ill, "* * * * *")
    release.configure("{timeout: 100s, stable_for: 70s}")
    release.install(web("1.0.0", good, cron=minutely))
    release.publish(web("1.1.0", newer, cron=minutely))

    assert release.apply()["outcome"] == "succeeded"
