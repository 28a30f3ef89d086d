"""Somebody else writes too: owners, humans, pipelines, and those who scale."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kubernetes.kit import Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import begun, of_kind, running, settled
from tests.lab_kit import eventually

OWNERS = {
    "argocd.argoproj.io/tracking-id": ("shop:apps/Deployment:shop/web", "Argo CD shop"),
    "meta.helm.sh/release-name": ("shop", "Helm release shop"),
}


@pytest.mark.parametrize("mark", OWNERS)
def test_what_another_owns_is_held_with_its_name(
    namespace: Namespace, sau: ClusterSau, mark: str
) -> None:
    value, named = OWNERS[mark]
    workload = of_kind("Deployment", namespace.publish("1.0.0").reference)
    workload["metadata"]["annotations"] = {mark: value}
    namespace.apply(workload)
    settled(namespace, "Deployment")
    namespace.publish("1.1.0")
    step = sau("plan").step("web")
    assert step["action"] == "hold" and named in step["reasons"][0], step


def test_pipeline_is_told_what_its_next_apply_would_do(
    namespace: Namespace, sau: ClusterSau
) -> None:
    begun(namespace, "Deployment")
    namespace.publish("1.1.0")
    step = sau("plan").step("web")
    assert step["action"] == "update"
    puts_back = "the next one of the same manifest puts 1.0.0 back"
    assert any(puts_back in reason for reason in step["reasons"])

    said = sau("apply", "--yes", json_output=False, timeout_s=120)
    (made,) = sau("history").json["updates"]

    assert puts_back in " ".join(said.out.split()), "and after it: nobody may have read the plan"
    assert any(puts_back in warning for warning in made["warnings"]), made


def test_pipelines_workload_is_held_where_a_rule_says_so(
    namespace: Namespace, sau: ClusterSau
) -> None:
    before = begun(namespace, "Deployment")
    namespace.publish("1.1.0")
    sau.configure(detection='  rules: [{match: {asset: "*"}, pipeline: hold}]\n')
    step = sau("plan").step("web")
    assert step["action"] == "hold" and "change its manifest instead" in step["reasons"][0]
    assert sau("apply", "--yes").json["updates"] == []
    assert namespace.get("deployment", "web") == before


def test_annotations_decide_and_an_unknown_one_is_named(
    namespace: Namespace, sau: ClusterSau
) -> None:
    workload = of_kind("Deployment", namespace.publish("1.0.0").reference)
    workload["metadata"]["annotations"] = {"safe-auto-updater/policy": "patch"}
    namespace.apply(workload)
    settled(namespace, "Deployment")
    namespace.publish("1.1.0")
    assert sau("plan").step("web")["action"] == "none"
    namespace.run(
        "annotate", "deployment/web", "safe-auto-updater/polcy=minor", "safe-auto-updater/policy-"
    )
    step = sau("plan").step("web")
    assert "did you mean policy?" in str(step["reasons"]), step


def test_scaling_and_notes_in_the_middle_are_nobodys_loss(
    namespace: Namespace, sau: ClusterSau
) -> None:
    begun(namespace, "Deployment")
    namespace.publish("1.1.0", behaviour="never_ready")
    sau.configure("{timeout: 15s, stable_for: 2s}")
    going = sau.start("apply", "--yes")
    namespace.wait("deployment/web", "jsonpath={.metadata.generation}=2")
    namespace.run("scale", "deployment/web", "--replicas=3")
    namespace.run("annotate", "deployment/web", "team=shop")
    out, _ = going.communicate(timeout=180)
    assert '"rolled_back"' in out
    now = namespace.get("deployment", "web")
    assert now["spec"]["replicas"] == 3
    assert now["metadata"]["annotations"]["team"] == "shop"


@pytest.mark.parametrize("behaviour", ["good", "never_ready"])
def test_autoscaler_keeps_its_replicas_forward_and_back(
    namespace: Namespace, sau: ClusterSau, behaviour: str
) -> None:
    begun(namespace, "Deployment")
    namespace.run("autoscale", "deployment/web", "--min=3", "--max=5", "--cpu=50%")
    namespace.wait("deployment/web", "jsonpath={.status.readyReplicas}=3")
    namespace.publish("1.1.0", behaviour=behaviour)
    sau.configure("{timeout: 60s, stable_for: 30s}")  # an autoscaler looks every 15 s
    going = sau.start("apply", "--yes")
    eventually(lambda: "1.1.0@" in str(namespace.get("deployment", "web")["spec"]), 60)
    namespace.run("patch", "hpa/web", "--patch", '{"spec": {"minReplicas": 4}}')
    namespace.wait("deployment/web", "jsonpath={.spec.replicas}=4")
    assert going.poll() is None, "it was scaled after the update"
    fewest = 4
    while going.poll() is None:
        fewest = min(fewest, namespace.get("deployment", "web")["spec"]["replicas"])
    out, _ = going.communicate()
    assert ('"succeeded"' if behaviour == "good" else '"rolled_back"') in out, out
    assert fewest == 4


@pytest.mark.parametrize("behaviour", ["good", "crash"])
def test_two_programs_at_once_end_in_one_version(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path, behaviour: str
) -> None:
    begun(namespace, "Deployment")
    (old,) = running(namespace)
    new = namespace.publish("1.1.0", behaviour=behaviour)
    (tmp_path / "other").mkdir()
    both = sau, ClusterSau(namespace, tmp_path / "other")
    going = [one.start("apply", "--yes") for one in both]
    said = [json.loads(one.communicate(timeout=240)[0]) for one in going]
    ends = {update["outcome"] for one in said for update in one["updates"]}
    well = "succeeded" if behaviour == "good" else "rolled_back"
    assert well in ends and ends <= {well, "aborted"}, said
    settled(namespace, "deployment")
    eventually(lambda: running(namespace) == {new.digest if behaviour == "good" else old}, 60)
    for one in both:
        assert "Nothing was interrupted" in one("recover", json_output=False).out


def test_human_who_sets_another_image_in_the_middle_wins(
    namespace: Namespace, sau: ClusterSau
) -> None:
    begun(namespace, "Deployment")
    namespace.publish("1.1.0", behaviour="never_ready")
    theirs = namespace.publish("3.0.0")
    going = sau.start("apply", "--yes")
    namespace.wait("deployment/web", "jsonpath={.metadata.generation}=2")
    namespace.run("set", "image", "deployment/web", f"web={theirs.pinned}")
    out, _ = going.communicate(timeout=180)
    assert going.returncode == 4 and '"inconsistent"' in out, out
    settled(namespace, "Deployment")
    assert running(namespace) == {theirs.digest}


UNVERIFIED = {
    "paused": ("Deployment", {"paused": True}),
    "OnDelete": ("StatefulSet", {"updateStrategy": {"type": "OnDelete"}}),
    "scaled to 0": ("Deployment", {"replicas": 0}),
    "partition": (
        "StatefulSet",
        {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}},
    ),
    "suspended": ("CronJob", {"suspend": True}),
}


@pytest.mark.parametrize("how", UNVERIFIED)
def test_what_nobody_can_say_is_unverified_and_never_resumed(
    namespace: Namespace, sau: ClusterSau, how: str
) -> None:
    kind, more = UNVERIFIED[how]
    workload = of_kind(kind, namespace.publish("1.0.0").reference)
    if "paused" not in more:
        workload["spec"] |= more
    namespace.apply(workload)
    if kind != "CronJob":
        settled(namespace, kind)
    if "paused" in more:
        namespace.run("rollout", "pause", "deployment/web")
    before = namespace.get(kind, "web")
    new = namespace.publish("1.1.0")
    said = sau("apply", "--yes", timeout_s=120)
    assert (said.code, said.update["outcome"]) == (0, "unverified"), said
    now = namespace.get(kind, "web")
    for key in ("paused", "replicas", "suspend", "updateStrategy"):
        assert now["spec"].get(key) == before["spec"].get(key)
    assert f"1.1.0@{new.digest}" in str(now["spec"])
