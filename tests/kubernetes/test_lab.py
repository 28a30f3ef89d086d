"""The cluster of the lab keeps its word: pods, Services, users, a crash, and cleaning up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.cluster import programs
from lab.layout import Layout
from tests.kubernetes.kit import Cluster, Namespace, deployment, service
from tests.lab_kit import eventually, fetch


@pytest.fixture(autouse=True)
def ours(cluster: Cluster) -> None:
    if cluster.layout is None:
        pytest.skip("about the lab's own cluster, and this one is lent")


def test_the_node_is_ready_and_says_its_version(cluster: Cluster) -> None:
    for node in cluster.get("nodes")["items"]:
        conditions = {one["type"]: one["status"] for one in node["status"]["conditions"]}
        assert conditions["Ready"] == "True"
        assert node["status"]["nodeInfo"]["kubeletVersion"] == f"v{programs.version()}"
    assert f"Server Version: v{programs.version()}" in cluster.run("version")


def test_a_deployment_becomes_ready_and_its_pod_can_be_asked(namespace: Namespace) -> None:
    namespace.apply(deployment("web", namespace.publish("1").reference, replicas=2))
    namespace.rolled_out("web")
    pods = namespace.get("pods")["items"]
    assert len(pods) == 2
    one = pods[0]["metadata"]["name"]
    page = namespace.run("exec", one, "--", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/")
    assert page == "1\n"


def test_a_job_ends_and_its_words_are_kept(namespace: Namespace) -> None:
    image = namespace.publish("1", behaviour="one_shot").reference
    namespace.run("create", "job", "once", f"--image={image}")
    namespace.wait("job/once", "condition=complete")
    assert namespace.run("logs", "job/once") == "lab: done\n"


def test_a_crashing_pod_is_restarted_and_says_why(namespace: Namespace) -> None:
    namespace.apply(deployment("web", namespace.publish("1", behaviour="crash").reference))
    eventually(lambda: any(one["restartCount"] for one in namespace.containers()), 60)
    assert "this image crashes at once" in namespace.run("logs", "deployment/web")


def test_a_service_answers_on_a_port_of_the_node_and_on_its_own(namespace: Namespace) -> None:
    namespace.apply(deployment("web", namespace.publish("1").reference), service("web"))
    namespace.rolled_out("web")
    spec = namespace.get("service", "web")["spec"]
    port = spec["ports"][0]["nodePort"]
    assert eventually(lambda: fetch(f"http://127.0.0.1:{port}/")) == "1"
    itself = f"http://{spec['clusterIP']}/"
    page = namespace.run("exec", "deployment/web", "--", "wget", "-q", "-O", "-", itself)
    assert page == "1\n"


def test_another_image_rolls_out(namespace: Namespace) -> None:
    namespace.apply(deployment("web", namespace.publish("1").reference), service("web"))
    namespace.rolled_out("web")
    port = namespace.get("service", "web")["spec"]["ports"][0]["nodePort"]
    new = namespace.publish("2")
    namespace.run("set", "image", "deployment/web", f"web={new.pinned}")
    namespace.rolled_out("web")
    eventually(lambda: fetch(f"http://127.0.0.1:{port}/") == "2")
    eventually(lambda: {one["imageID"] for one in namespace.containers()} == {new.pinned})


def test_an_image_that_is_missing_is_not_ready_and_the_old_pod_stays(namespace: Namespace) -> None:
    there = namespace.publish("1")
    namespace.apply(deployment("web", there.reference))
    namespace.rolled_out("web")
    namespace.run("set", "image", "deployment/web", f"web={there.repository}:none")

    def reasons() -> set[str | None]:
        return {one["state"].get("waiting", {}).get("reason") for one in namespace.containers()}

    eventually(lambda: reasons() & {"ErrImagePull", "ImagePullBackOff"}, 60)
    assert namespace.get("deployment", "web")["status"]["readyReplicas"] == 1


REFUSED = ["reader", "updater", "stranger"]


@pytest.mark.parametrize("user", REFUSED)
def test_a_user_without_roles_may_nothing(namespace: Namespace, user: str) -> None:
    said = namespace.say("get", "pods", user=user)
    assert (said.code, f'User "{user}" cannot list resource "pods"' in said.err) == (1, True)


def test_a_role_binding_is_all_that_a_user_has(namespace: Namespace) -> None:
    namespace.run("create", "rolebinding", "reads", "--clusterrole=view", "--user=reader")
    assert namespace.get("pods", user="reader")["items"] == []
    assert "forbidden" in namespace.say("create", "configmap", "mine", user="reader").err
    assert "forbidden" in namespace.say("get", "secrets", user="reader").err
    assert namespace.cluster.say("get", "pods", "-A", user="reader").code == 1


@pytest.mark.engine_crash
def test_the_api_server_killed_and_started_has_the_same_objects(namespace: Namespace) -> None:
    cluster = namespace.cluster
    namespace.apply(deployment("web", namespace.publish("1").reference), service("web"))
    namespace.rolled_out("web")
    port = namespace.get("service", "web")["spec"]["ports"][0]["nodePort"]

    def known() -> list[tuple[str, str]]:
        found = namespace.get("deployments,replicasets,pods,services")["items"]
        return sorted((one["kind"], one["metadata"]["uid"]) for one in found)

    eventually(lambda: fetch(f"http://127.0.0.1:{port}/") == "1")
    before = known()
    cluster.crash_api()
    try:
        assert "refused" in namespace.say("get", "pods").err
        assert fetch(f"http://127.0.0.1:{port}/") == "1"
    finally:
        cluster.start_api()
    assert known() == before
    namespace.run("scale", "deployment/web", "--replicas=2")
    namespace.rolled_out("web")


def left_of(layout: Layout) -> dict[str, Any]:
    """What of a lab can be found on the machine."""
    words = (str(layout.home), layout.name)
    processes = []
    for entry in os.listdir("/proc"):
        try:
            line = Path(f"/proc/{entry}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if entry.isdigit() and int(entry) != os.getpid() and any(word in line for word in words):
            processes.append(line)
    mounts = Path("/proc/self/mounts").read_text()
    return {
        "processes": processes,
        "mounts": [line for line in mounts.splitlines() if any(word in line for word in words)],
        "cgroups": sorted(map(str, Path("/sys/fs/cgroup").glob(f"**/{layout.name}"))),
        "namespaces": [one for one in os.listdir("/run/netns") if one == layout.name],
        "files": [str(one) for one in (layout.run, layout.data) if one.exists()],
    }


@pytest.mark.engine_crash
def test_down_leaves_nothing_behind(cluster: Cluster) -> None:
    """In a lab beside this one, which has pods when it is ended."""
    layout = Layout.here("left", "kubernetes")
    machine = {one for one in os.listdir("/run/netns") if one.startswith("cni-")}
    program = [sys.executable, "-m", "lab", "--engine", "kubernetes", "--instance", "left"]
    inside = [*program, "run", "--", sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    inside += [__file__, "-k", "becomes_ready"]
    try:
        ran = subprocess.run(inside, cwd=layout.clone, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert all(left_of(layout)[kind] for kind in ("processes", "cgroups", "files"))
    finally:
        subprocess.run([*program, "down"], cwd=layout.clone, check=True, capture_output=True)
    assert not any(left_of(layout).values()), left_of(layout)
    assert {one for one in os.listdir("/run/netns") if one.startswith("cni-")} <= machine
