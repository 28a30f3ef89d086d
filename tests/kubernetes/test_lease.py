"""A Lease keeps services on several machines apart: one acts, the others wait."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.lease import LEASE_S, Lease
from tests.clock import FakeClock
from tests.kubernetes.kit import Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import begun, pods_of, running, settled
from tests.lab_kit import eventually

Make = Callable[[str], Lease]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def lease(namespace: Namespace, clock: FakeClock) -> Make:
    """The Lease as its named holder has it."""
    cluster = Cluster("lab", Access(namespace.cluster.kubeconfigs["admin"]))
    return lambda holder: Lease(cluster, namespace.name, "updates", holder, clock)


def test_one_of_two_has_it_until_it_lets_it_go(lease: Make) -> None:
    first, second = lease("first"), lease("second")
    assert first.take() is None
    assert second.take() == "first"
    assert first.take() is None, "it is renewed"
    second.release()
    assert second.take() == "first", "only its holder lets it go"
    first.release()
    assert second.take() is None
    assert first.take() == "second"


def test_of_a_holder_that_renews_nothing_it_is_free_in_time(lease: Make, clock: FakeClock) -> None:
    first, second = lease("first"), lease("second")
    assert first.take() is None
    assert second.take() == "first"
    clock.sleep(LEASE_S - 1)
    assert second.take() == "first"
    assert first.take() is None
    clock.sleep(LEASE_S - 1)
    assert second.take() == "first", "it was renewed meanwhile"
    clock.sleep(LEASE_S + 1)
    assert second.take() is None
    assert first.take() == "second"


def test_clocks_that_differ_do_not_matter(lease: Make, namespace: Namespace) -> None:
    first, second = lease("first"), lease("second")
    assert first.take() is None
    old = json.dumps({"spec": {"renewTime": "2001-01-01T00:00:00.000000Z"}})
    namespace.run("patch", "lease", "updates", "--type=merge", "--patch", old)
    assert second.take() == "first"


class Service:
    """`sau run` with the Lease `updates`; its log is JSON."""

    def __init__(self, sau: ClusterSau, folder: Path) -> None:
        self.sau, self._log = sau, folder / "service.log"
        words = ["--log", "json", "run", "--lease", f"{sau.namespace.name}/updates"]
        kubeconfig = str(sau.namespace.cluster.kubeconfigs["admin"])
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*sau.command, *words], stderr=log, env=os.environ | {"KUBECONFIG": kubeconfig}
            )

    def log(self) -> str:
        return self._log.read_text()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(20)
        assert "Traceback" not in self.log(), self.log()


@pytest.fixture
def start(namespace: Namespace, tmp_path: Path) -> Iterator[Callable[[str], Service]]:
    """Start a service with a state folder of its own, by its name."""
    made = []

    def begin(name: str) -> Service:
        (tmp_path / name).mkdir()
        sau = ClusterSau(namespace, tmp_path / name)
        sau.configure("{timeout: 60s, stable_for: 8s}", "  unattended: all\n", "  interval: 2s\n")
        made.append(Service(sau, tmp_path / name))
        return made[-1]

    yield begin
    for one in made:
        one.end()


def test_service_that_waits_names_the_holder_and_goes_on_after_it(
    namespace: Namespace, start: Callable[[str], Service]
) -> None:
    begun(namespace, "Deployment")
    first = start("first")
    eventually(lambda: '"kind": "cycle"' in first.log(), 60)
    second = start("second")
    holder = namespace.get("lease", "updates")["spec"]["holderIdentity"]
    told = f"waits for the Lease {namespace.name}/updates, which {holder} holds"
    eventually(lambda: told in second.log(), 60)
    assert "the service begins" not in second.log()

    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(60) == 0
    eventually(lambda: '"kind": "cycle"' in second.log(), 60)
    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(60) == 0
    assert namespace.get("lease", "updates")["spec"].get("holderIdentity", "") == ""


def test_service_that_loses_it_ends_its_update_and_begins_no_other(
    namespace: Namespace, start: Callable[[str], Service]
) -> None:
    begun(namespace, "Deployment")
    service = start("first")
    eventually(lambda: '"kind": "cycle"' in service.log(), 60)
    new = namespace.publish("1.1.0")
    eventually(lambda: '"kind": "started"' in service.log(), 60)
    stolen = json.dumps({"spec": {"holderIdentity": "somebody", "renewTime": _now()}})
    namespace.run("patch", "lease", "updates", "--type=merge", "--patch", stolen)

    assert service.process.wait(120) == 5
    assert "was lost: somebody holds it" in service.log()
    (record,) = service.sau.journal()
    assert record.outcome is not None
    settled(namespace, "Deployment")
    assert (running(namespace) == {new.digest}) == (record.outcome == "succeeded"), record
    assert pods_of(namespace)
    assert namespace.get("lease", "updates")["spec"]["holderIdentity"] == "somebody"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
