"""Told where operators look: Events on the workload, read as people read them."""

from __future__ import annotations

from tests.kubernetes.kit import Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import begun, running

REQUIRED = "  approval: required\n"


def told(namespace: Namespace) -> list[tuple[str, str, str]]:
    """Reason, type and message of each Event that the program wrote, oldest first."""
    found = namespace.get("events", "--field-selector=involvedObject.name=web")["items"]
    ours = [one for one in found if one["reportingComponent"] == "safe-auto-updater"]
    ours.sort(key=lambda one: int(one["metadata"]["resourceVersion"]))  # times have whole seconds
    return [(one["reason"], one["type"], one["message"]) for one in ours]


def test_update_and_way_back_are_told_on_the_object(namespace: Namespace, sau: ClusterSau) -> None:
    begun(namespace, "Deployment")
    namespace.publish("1.1.0")
    good = sau("apply", "--yes", timeout_s=180)
    assert good.update["outcome"] == "succeeded", good
    namespace.publish("1.2.0", behaviour="crash")
    bad = sau("apply", "--yes", timeout_s=180)
    assert bad.update["outcome"] == "rolled_back", bad

    assert [one[:2] for one in told(namespace)] == [
        ("UpdateStarted", "Normal"),
        ("UpdateSucceeded", "Normal"),
        ("UpdateStarted", "Normal"),
        ("UpdateRolledBack", "Warning"),
    ]
    *_, (_, _, last) = told(namespace)
    assert last.startswith("web 1.1.0 -> 1.2.0 (minor): rolled back: "), last
    assert "cause: image" in last and f"sau show {bad.update['id']}" in last

    described = namespace.run("describe", "deployment", "web")
    assert "UpdateRolledBack" in described and "safe-auto-updater" in described


def test_hold_is_told_on_the_object_once(namespace: Namespace, sau: ClusterSau) -> None:
    sau.configure(detection=REQUIRED)
    begun(namespace, "Deployment")
    namespace.publish("1.1.0")
    for _ in range(3):
        sau("apply", "--yes")
    step = sau("plan").step("web")
    assert step["action"] == "hold", step
    said = f"web 1.0.0 -> 1.1.0 (minor): {'; '.join(step['reasons'])}"
    assert told(namespace) == [("UpdateHeld", "Normal", said)]
    assert f"sau approve {step['id']}" in step["reasons"][0]


def test_annotation_lets_exactly_the_version_go_that_it_names(
    namespace: Namespace, sau: ClusterSau
) -> None:
    sau.configure(detection=REQUIRED)
    begun(namespace, "Deployment")
    new = namespace.publish("1.1.0")
    (reason,) = sau("plan").step("web")["reasons"]
    command = reason.partition(", or kubectl ")[2]
    assert command.endswith("safe-auto-updater/approve=1.1.0"), reason

    namespace.run("annotate", "deployment/web", "safe-auto-updater/approve=1.0.9")
    said = sau("apply", "--yes")
    assert (said.code, said.json["updates"]) == (0, [])
    assert "approve=1.0.9 does not name it" in sau("plan").step("web")["reasons"][0]

    namespace.cluster.run(*command.split())
    said = sau("apply", "--yes", timeout_s=180)
    assert said.update["outcome"] == "succeeded", said
    assert running(namespace) == {new.digest}
    approved = "approved by annotation safe-auto-updater/approve=1.1.0"
    shown = sau("show", said.update["id"], json_output=False)
    assert approved in " ".join(shown.out.split())
    words = sau("history", "web").json["decisions"]
    assert ("annotated", "1.0.0 -> 1.1.0 (minor)") in [(w["kind"], w["reason"]) for w in words]

    namespace.publish("1.2.0")
    said = sau("apply", "--yes")
    assert said.json["updates"] == [], "the annotation is still there, and names another"
    assert running(namespace) == {new.digest}


def test_new_content_behind_a_tag_is_approved_by_its_digest(
    namespace: Namespace, sau: ClusterSau
) -> None:
    sau.configure(detection=REQUIRED)
    begun(namespace, "Deployment")
    new = namespace.publish("1.0.0", version="1.0.0 again")
    namespace.run("annotate", "deployment/web", "safe-auto-updater/approve=1.0.0")
    assert sau("apply", "--yes").json["updates"] == []
    command = sau("plan").step("web")["reasons"][0].partition(", or kubectl ")[2]
    assert command.endswith(f"approve={new.digest[:19]}")
    namespace.cluster.run(*command.split())
    assert sau("apply", "--yes", timeout_s=180).update["outcome"] == "succeeded"
    assert running(namespace) == {new.digest}
