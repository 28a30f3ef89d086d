"""Rollouts that go on and on, or not at all: what is a failure, whose, and what is only slow."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lab import images
from tests.kubernetes.kit import Json, Namespace, deployment
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import (
    as_written,
    begun,
    of_kind,
    pods_of,
    running,
    settled,
    stateful_set,
)
from tests.lab_kit import eventually


def test_one_pod_that_may_be_missing_is_missed_all_the_same(
    namespace: Namespace, sau: ClusterSau
) -> None:
    """Its controller calls it available with no pod at all."""
    old = namespace.publish("1.0.0")
    workload = deployment("web", old.reference)
    rolling = {"maxUnavailable": 1, "maxSurge": 0}
    workload["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    namespace.apply(workload)
    settled(namespace, "deployment")
    namespace.publish("1.1.0", behaviour="never_ready")
    sau.configure("{timeout: 10s, stable_for: 3s}")
    said = sau("apply", "--yes", timeout_s=180)
    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said
    settled(namespace, "deployment")
    eventually(lambda: running(namespace) == {old.digest})


def test_pods_that_flap_for_ever_meet_the_deadline(namespace: Namespace, sau: ClusterSau) -> None:
    probe = {
        "httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1,
    }  # fmt: skip
    before = begun(namespace, "Deployment", readinessProbe=probe)
    namespace.publish("1.1.0", behaviour="flapping")
    sau.configure("{timeout: 15s, stable_for: 10s}")
    said = sau("apply", "--yes", timeout_s=240)
    assert (said.update["outcome"], said.update["cause"]) == ("rolled_back", "image"), said
    assert as_written(namespace.get("deployment", "web")) == as_written(before)


@pytest.fixture
def place(namespace: Namespace) -> Iterator[Place]:
    """A label that this test's pods look for on a node."""
    found = Place(namespace)
    yield found
    found.close()


class Place:
    """Whether a node takes the pods of this namespace."""

    def __init__(self, namespace: Namespace) -> None:
        self._cluster = namespace.cluster
        self.label = f"lab/{namespace.name}"
        (self._node,) = [one["metadata"]["name"] for one in self._cluster.get("nodes")["items"]]

    def open(self) -> None:
        self._cluster.run("label", "node", self._node, f"{self.label}=yes", "--overwrite")

    def close(self) -> None:
        self._cluster.run("label", "node", self._node, f"{self.label}-")


def placed(namespace: Namespace, place: Place) -> Json:
    """A Deployment whose new pods find no node."""
    place.open()
    workload = of_kind("Deployment", namespace.publish("1.0.0").reference)
    workload["spec"]["template"]["spec"]["nodeSelector"] = {place.label: "yes"}
    namespace.apply(workload)
    settled(namespace, "deployment")
    place.close()
    return namespace.get("deployment", "web")


def test_pod_that_no_node_takes_blames_capacity_and_is_tried_again(
    namespace: Namespace, sau: ClusterSau, place: Place
) -> None:
    before = placed(namespace, place)
    namespace.publish("1.1.0")
    sau.configure("{timeout: 8s, stable_for: 2s}")
    said = sau("apply", "--yes", timeout_s=180)
    assert (said.update["outcome"], said.update["cause"]) == ("rolled_back", "capacity"), said
    assert "no node takes it" in said.update["error"]
    assert as_written(namespace.get("deployment", "web")) == as_written(before)
    place.open()
    again = sau("apply", "web", "--yes", timeout_s=180)
    assert again.update["outcome"] == "succeeded", again


def test_node_that_comes_in_time_is_a_success(
    namespace: Namespace, sau: ClusterSau, place: Place
) -> None:
    placed(namespace, place)
    new = namespace.publish("1.1.0")
    sau.configure("{timeout: 90s, stable_for: 2s}")
    going = sau.start("apply", "--yes")
    eventually(lambda: "Unschedulable" in namespace.run("get", "pods", "-o", "json"), 60)
    place.open()
    out, _ = going.communicate(timeout=180)
    assert '"succeeded"' in out, out
    assert running(namespace) == {new.digest}


def test_slow_rollout_that_goes_on_is_not_failed(namespace: Namespace, sau: ClusterSau) -> None:
    """Three pods of 6 s each take longer than the deadline, which begins anew with each."""
    old = namespace.publish("1.0.0")
    env = [{"name": "READY_AFTER", "value": "6"}]
    namespace.apply(stateful_set("web", old.reference, env=env))
    settled(namespace, "StatefulSet")
    new = namespace.publish("1.1.0", behaviour="ready_late")
    sau.configure("{timeout: 15s, stable_for: 2s}")
    said = sau("apply", "--yes", timeout_s=240)
    assert said.update["outcome"] == "succeeded", said
    assert running(namespace) == {new.digest}


def test_what_was_unwell_before_is_held_and_goes_back_to_what_it_was(
    namespace: Namespace, sau: ClusterSau
) -> None:
    old = namespace.publish("1.0.0", behaviour="crash")
    namespace.apply(of_kind("Deployment", old.reference))
    eventually(lambda: any(one["restartCount"] > 1 for one in namespace.containers()), 60)
    before = namespace.get("deployment", "web")
    namespace.publish("1.1.0", behaviour="crash", env={"MORE": "1"})
    eventually(lambda: "unhealthy before the update" in str(sau("plan").step("web")["reasons"]), 60)
    assert namespace.get("deployment", "web")["spec"] == before["spec"]

    namespace.run("annotate", "deployment/web", "safe-auto-updater/fix-forward=true")
    said = sau("apply", "--yes", timeout_s=180)
    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said
    assert namespace.get("deployment", "web")["spec"] == before["spec"]

    new = namespace.publish("1.2.0")
    said = sau("apply", "--yes", timeout_s=180)
    assert said.update["outcome"] == "succeeded", said
    assert running(namespace) == {new.digest}


def test_old_pod_that_ends_slowly_hides_no_new_one_that_crashes(
    namespace: Namespace, sau: ClusterSau
) -> None:
    """The pods that a partition lets through are waited for, and judged."""
    old = namespace.publish("1.0.0", behaviour="slow_stop")
    slow = [{"name": "STOP_SECONDS", "value": "8"}]
    workload = stateful_set("web", old.reference, env=slow)
    workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 20
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    workload["spec"]["updateStrategy"] = rolling
    namespace.apply(workload)
    settled(namespace, "StatefulSet")
    namespace.publish("1.1.0", behaviour="crash")
    sau.configure("{timeout: 5s, stable_for: 2s}")
    said = sau("apply", "--yes", timeout_s=180)
    assert (said.update["outcome"], said.update["cause"]) == ("rolled_back", "image"), said
    eventually(lambda: running(namespace) == {old.digest}, 60)


def test_old_version_that_does_not_come_back_is_left_for_a_human(
    namespace: Namespace, sau: ClusterSau
) -> None:
    old = namespace.publish("1.0.0")
    namespace.apply(stateful_set("web", old.reference, 1, imagePullPolicy="Always"))
    settled(namespace, "StatefulSet")
    namespace.publish("1.1.0", behaviour="crash")
    sau.configure("{timeout: 15s, stable_for: 3s}")
    going = sau.start("apply", "--yes")
    namespace.wait("statefulset/web", "jsonpath={.metadata.generation}=2")
    images.delete(old.registry, old.name, old.digest)
    out, _ = going.communicate(timeout=240)
    assert going.returncode == 4 and '"inconsistent"' in out, out
    assert "the old version runs again and is not healthy" in out

    left = namespace.get("statefulset", "web")
    assert sau("plan").step("web")["action"] == "hold"
    assert sau("apply", "--yes").json["updates"] == []
    assert sau("recover", json_output=False).code == 0
    assert namespace.get("statefulset", "web")["spec"] == left["spec"], "touched nothing more"
    told = sau("status", json_output=False).out
    assert "web" in told and "sau release" in told, told


def test_budget_that_allows_no_disruption_stops_no_update(
    namespace: Namespace, sau: ClusterSau
) -> None:
    """It stops evictions; a rollout has its own pace, at which no pod was missed."""
    begun(namespace, "Deployment")
    namespace.run("create", "poddisruptionbudget", "web", "--selector=app=web", "--min-available=2")
    new = namespace.publish("1.1.0")
    seen: list[int] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            status = namespace.get("deployment", "web")["status"]
            seen.append(int(status.get("availableReplicas", 0)))

    watching = threading.Thread(target=watch)
    watching.start()
    said = sau("apply", "--yes", timeout_s=180)
    stop.set()
    watching.join()
    assert said.update["outcome"] == "succeeded", said
    assert running(namespace) == {new.digest} and len(pods_of(namespace)) == 2
    assert min(seen) >= 2


def test_finalizer_that_keeps_a_pod_from_going_is_named(
    namespace: Namespace, sau: ClusterSau
) -> None:
    before = begun(namespace, "StatefulSet")
    old = running(namespace)
    keep = '[{"op": "add", "path": "/metadata/finalizers", "value": ["example.org/keep"]}]'
    namespace.run("patch", "pod", "web-2", "--type=json", "-p", keep)
    namespace.publish("1.1.0")
    sau.configure("{timeout: 8s, stable_for: 2s}")
    going = sau.start("apply", "--yes")
    eventually(lambda: namespace.get("statefulset", "web")["metadata"]["generation"] == 3, 120)
    namespace.run("patch", "pod", "web-2", "-p", '{"metadata": {"finalizers": null}}')
    out, _ = going.communicate(timeout=180)
    assert '"rolled_back"' in out and '"platform"' in out, out
    assert "pod web-2 cannot go until its finalizer example.org/keep is taken away" in out
    assert as_written(namespace.get("statefulset", "web")) == as_written(before)
    settled(namespace, "StatefulSet")
    eventually(lambda: running(namespace) == old, 60)
