"""`sau run` with `detection.watch` on a real cluster: it sees at once, and acts by the schedule."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from safe_auto_updater.app import SystemClock
from safe_auto_updater.core.heard import QUIET_S
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.watches import watches
from safe_auto_updater.service.lookout import Lookout
from tests.docker.service_kit import Service
from tests.kubernetes import roles
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Namespace, deployment
from tests.kubernetes.release_kit import Release
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.test_helm_scan import serving
from tests.kubernetes.workloads import begun, settled
from tests.lab_kit import eventually
from tests.watching_kit import Watching

pytestmark = pytest.mark.timeout(600)
OURS = 'assets{platform="kubernetes",status="running"}'
AVAILABLE = 'updates_available{bump="minor",platform="kubernetes"}'


@pytest.fixture
def watching(sau: ClusterSau, tmp_path: Path) -> Iterator[Watching]:
    """The service on this test's namespace."""
    service = Service(sau, tmp_path)
    yield Watching(service, lambda: None)
    service.end()


def test_workload_that_is_made_changed_and_deleted_is_seen(
    namespace: Namespace, watching: Watching
) -> None:
    old, new = namespace.publish("1.0.0"), namespace.publish("1.1.0")
    watching.start()
    namespace.apply(deployment("web", old.reference))
    (told,) = eventually(lambda: watching.service.events("available"), 120)
    assert told["asset"] == watching.sau.asset("Deployment")
    watching.shows(OURS, 1)
    watching.shows(AVAILABLE, 1)

    namespace.run("set", "image", "deployment/web", f"web={new.reference}")
    watching.shows(AVAILABLE, 0)
    namespace.run("annotate", "deployment/web", "safe-auto-updater/policy=none")
    eventually(lambda: len(watching.seen("web")) >= 3, 120)

    namespace.run("delete", "deployment", "web")
    eventually(lambda: watching.seen("web is gone"), 120)
    watching.shows(OURS, 0)
    assert (watching.service.cycles(), watching.sau.journal()) == (1, ())
    assert watching.service.events("warning") == []
    watching.service.signal(signal.SIGTERM)
    assert watching.service.ended(30) == 0


def test_of_how_pods_fare_nobody_looks(namespace: Namespace) -> None:
    cluster = Cluster("lab", Access(namespace.cluster.kubeconfigs["admin"]))
    begun(namespace, "Deployment")
    told: list[str] = []
    lookout = Lookout(watches(cluster, [namespace.name], releases=True), SystemClock(), told.append)
    try:
        eventually(lookout.due, 60)
        time.sleep(QUIET_S + 2)
        lookout.due()
        namespace.run("delete", "pods", "--selector=app=web", "--wait=true")
        settled(namespace, "Deployment")
        time.sleep(QUIET_S + 2)
        assert lookout.due() == frozenset()
        namespace.run("annotate", "deployment/web", "note=1")
        assert eventually(lookout.due, 60) == {"kubernetes:lab"}
    finally:
        lookout.end()
    assert told == []


def test_release_that_is_installed_upgraded_and_gone_is_seen(
    namespace: Namespace, sau: ClusterSau, watching: Watching, helm4: Helm
) -> None:
    release = Release(namespace, helm4, sau)
    watching.start()
    release.install(serving(namespace, "1.0.0"))
    eventually(lambda: watching.seen() and "shop" in " ".join(watching.seen()), 120)
    watching.shows('assets{platform="helm",status="running"}', 1)
    before = len(watching.seen())
    helm4.upgrade("shop", serving(namespace, "1.1.0"), "--wait")
    eventually(lambda: any("shop" in text for text in watching.seen()[before:]), 120)
    helm4.uninstall("shop")
    eventually(lambda: any("shop is gone" in text for text in watching.seen()), 120)
    watching.shows('assets{platform="helm",status="running"}', 0)


def test_right_that_is_missing_is_told_once_and_shipped_ones_are_enough(
    namespace: Namespace, sau: ClusterSau, watching: Watching, tmp_path: Path
) -> None:
    begun(namespace, "Deployment")
    mine = roles.account(namespace, "role.yaml", tmp_path)
    sau.configure(kubeconfig=mine)
    watching.start()
    (told,) = eventually(lambda: watching.service.events("warning"), 120)
    assert "kubernetes:lab is not watched" in told["message"]
    assert "may not watch" in told["message"] and "verbs: [watch]" in told["message"]
    doctor = sau("doctor")
    assert doctor.code == 1
    assert f"may not watch deployments.apps in namespace {namespace.name}" in doctor.out
    assert "may not watch cronjobs.batch" in doctor.out

    namespace.run("apply", "-f", str(roles.shipped("watch.yaml")))
    eventually(lambda: sau("doctor").code == 0, 60)
    watching.service.signal(signal.SIGHUP)
    eventually(lambda: watching.said("service", "was read anew"), 60)
    image = namespace.publish("1.0.0", name="late").reference
    namespace.apply(deployment("late", image))
    eventually(lambda: watching.seen("late"), 120)
    assert len(watching.service.events("warning")) == 1


@pytest.mark.engine_crash
def test_server_that_was_killed_is_watched_again_and_what_came_meanwhile_is_seen(
    namespace: Namespace, watching: Watching
) -> None:
    image = namespace.publish("1.0.0").reference
    watching.start()
    namespace.apply(deployment("first", image))
    eventually(lambda: watching.seen("first"), 120)
    namespace.cluster.crash_api()
    namespace.cluster.start_api()
    namespace.apply(deployment("second", image))
    eventually(lambda: watching.seen("second"), 240)
    namespace.apply(deployment("third", image))
    eventually(lambda: watching.seen("third"), 120)
