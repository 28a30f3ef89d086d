"""Workloads of each kind: a new image that is well stays, one that is not goes back."""

from __future__ import annotations

import pytest

from tests.kubernetes.kit import Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import (
    KINDS,
    as_written,
    begun,
    of_kind,
    pods_of,
    running,
    settled,
)
from tests.lab_kit import eventually


@pytest.mark.parametrize("kind", KINDS)
def test_plan_changes_nothing_and_apply_rolls_out_the_pinned_digest(
    namespace: Namespace, sau: ClusterSau, kind: str
) -> None:
    before = begun(namespace, kind)
    new = namespace.publish("1.1.0")

    planned = sau("plan").step("web")
    assert (planned["action"], planned["asset"]) == ("update", sau.asset(kind)), planned
    assert namespace.get(kind, "web") == before

    said = sau("apply", "--yes", timeout_s=180)

    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    now = namespace.get(kind, "web")
    (container,) = now["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{new.reference}@{new.digest}"
    assert running(namespace) == {new.digest}
    container["image"] = before["spec"]["template"]["spec"]["containers"][0]["image"]
    assert as_written(now) == as_written(before), "nothing but the image was written"
    assert sau("plan").step("web")["action"] == "none"


BROKEN = {
    "crashes at once": ("crash", "image"),
    "crashes after it was ready": ("crash_later", "image"),
    "never gets ready": ("never_ready", "image"),
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("kind", KINDS)
def test_broken_image_is_taken_back_and_not_tried_again(
    namespace: Namespace, sau: ClusterSau, kind: str, broken: str
) -> None:
    before = begun(namespace, kind)
    old = running(namespace)
    behaviour, cause = BROKEN[broken]
    namespace.publish("1.1.0", behaviour=behaviour)
    sau.configure("{timeout: 12s, stable_for: 8s}")

    said = sau("apply", "--yes", timeout_s=240)

    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said
    assert said.update["cause"] == cause, said.update["error"]
    assert as_written(namespace.get(kind, "web")) == as_written(before)
    settled(namespace, kind)
    eventually(lambda: running(namespace) == old, 60)
    again = sau("plan").step("web")
    assert again["action"] == "hold" and "quarantined" in again["reasons"][0]


@pytest.mark.parametrize("kind", KINDS)
def test_image_that_is_gone_changes_nothing(
    namespace: Namespace, sau: ClusterSau, kind: str
) -> None:
    before = begun(namespace, kind)
    namespace.publish("1.1.0", architecture="arm64")
    said = sau("apply", "--yes")
    assert (said.code, said.json["updates"]) == (0, [])
    assert namespace.get(kind, "web") == before


@pytest.mark.parametrize("kind", KINDS)
def test_image_that_runs_out_of_memory_blames_capacity(
    namespace: Namespace, sau: ClusterSau, kind: str
) -> None:
    before = begun(namespace, kind, resources={"limits": {"memory": "24Mi"}})
    old = running(namespace)
    hungry = ("/bin/sh", "-c", "a=x; while :; do a=$a$a; done")
    namespace.publish("1.1.0", entrypoint=hungry)
    said = sau("apply", "--yes", timeout_s=180)
    assert (said.update["outcome"], said.update["cause"]) == ("rolled_back", "capacity"), said
    assert as_written(namespace.get(kind, "web")) == as_written(before)
    settled(namespace, kind)
    eventually(lambda: running(namespace) == old, 60)
    assert "quarantined" not in str(sau("plan").step("web")["reasons"])


@pytest.mark.parametrize("kind", KINDS)
def test_image_whose_user_is_not_allowed_is_taken_back(
    namespace: Namespace, sau: ClusterSau, kind: str
) -> None:
    old = namespace.publish("1.0.0", user="1000")
    security = {"runAsNonRoot": True}
    namespace.apply(of_kind(kind, old.reference, securityContext=security))
    settled(namespace, kind)
    before = namespace.get(kind, "web")
    namespace.publish("1.1.0", user="0")
    sau.configure(execution="  risk: {automatic: 90, approval: 95}\n")
    said = sau("apply", "--yes", timeout_s=180)
    assert (said.update["outcome"], said.update["cause"]) == ("rolled_back", "image"), said
    assert as_written(namespace.get(kind, "web")) == as_written(before)
    settled(namespace, kind)
    eventually(lambda: running(namespace) == {old.digest}, 60)


@pytest.mark.parametrize("kind", ["CronJob", "StatefulSet"])
def test_what_no_pod_has_run_yet_is_neither_news_nor_mistaken_for_what_runs(
    namespace: Namespace, sau: ClusterSau, kind: str
) -> None:
    workload = of_kind(kind, namespace.publish("1.0.0").reference)
    if kind == "StatefulSet":
        workload["spec"]["updateStrategy"] = {"type": "OnDelete"}
    namespace.apply(workload)
    if kind == "CronJob":
        namespace.run("create", "job", "web-12345678", "--from=cronjob/web")
        namespace.wait("job/web-12345678", "jsonpath={.status.active}=1")
    else:
        settled(namespace, kind)
    eventually(lambda: len(namespace.containers()) > 0 and running(namespace) != {""})
    middle = namespace.publish("1.1.0")
    assert sau("apply", "--yes").update["outcome"] == "unverified"
    assert sau("plan").step("web")["action"] == "none"
    namespace.publish("1.2.0")
    assert sau("apply", "--yes").update["outcome"] == "unverified"
    assert sau("rollback", "web", "--yes").code == 0
    assert f"{middle.reference}@{middle.digest}" in str(namespace.get(kind, "web")["spec"])


def test_finished_update_is_taken_back_by_a_human(namespace: Namespace, sau: ClusterSau) -> None:
    begun(namespace, "Deployment")
    old = running(namespace)
    namespace.publish("1.1.0")
    assert sau("apply", "--yes", timeout_s=180).code == 0
    said = sau("rollback", "web", "--yes", timeout_s=180)
    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    eventually(lambda: running(namespace) == old, 60)
    assert sau("plan").step("web")["action"] == "hold"


def test_tag_with_new_content_is_pinned_and_verified(namespace: Namespace, sau: ClusterSau) -> None:
    begun(namespace, "Deployment", imagePullPolicy="IfNotPresent")
    new = namespace.publish("1.0.0", version="1.0.0 again")
    planned = sau("plan").step("web")
    assert planned["changes"][0]["bump"] == "digest"
    assert sau("apply", "--yes", timeout_s=180).update["outcome"] == "succeeded"
    assert running(namespace) == {new.digest}


def test_broken_content_behind_a_tag_is_taken_back_to_the_old_content(
    namespace: Namespace, sau: ClusterSau
) -> None:
    before = begun(namespace, "Deployment", imagePullPolicy="Always")
    old = running(namespace)
    namespace.publish("1.0.0", version="1.0.0 again", behaviour="crash")
    said = sau("apply", "--yes", timeout_s=180)
    assert said.update["outcome"] == "rolled_back", said
    settled(namespace, "Deployment")
    eventually(lambda: running(namespace) == old, 60)
    now = namespace.get("Deployment", "web")
    (container,) = now["spec"]["template"]["spec"]["containers"]
    (written,) = before["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{written['image']}@{old.pop()}", "the tag leads elsewhere now"


def test_one_of_several_containers_changes_by_its_name(
    namespace: Namespace, sau: ClusterSau
) -> None:
    main, side = namespace.publish("1.0.0"), namespace.publish("5.0.0", name="side")
    workload = of_kind("Deployment", main.reference)
    spec = workload["spec"]["template"]["spec"]
    same = {"name": "twin", "image": side.reference, "env": [{"name": "PORT", "value": "9001"}]}
    first = {
        "name": "first",
        "image": namespace.publish("7.0.0", name="init", behaviour="one_shot").reference,
    }
    spec["containers"].insert(0, same)
    spec["initContainers"] = [first]
    namespace.apply(workload)
    settled(namespace, "Deployment")
    namespace.publish("1.1.0")
    said = sau("apply", "--yes", timeout_s=180)
    assert said.update["outcome"] == "succeeded", said
    spec = namespace.get("Deployment", "web")["spec"]["template"]["spec"]
    images = [one["image"].partition("@")[0] for one in spec["containers"]]
    assert images == [side.reference, main.reference.replace("1.0.0", "1.1.0")]
    assert spec["initContainers"][0]["image"] == first["image"]
    assert len(pods_of(namespace)) == 2
