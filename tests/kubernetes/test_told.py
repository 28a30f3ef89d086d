"""Told where operators look: Events on the workload, read as people read them."""

from __future__ import annotations

from tests.kubernetes.kit import Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import begun

REQUIRED = "  approval: required\n"


def told(namespace: Namespace) -> list[tuple[str, str, str]]:
    """Reason, type and message of each Event that the program wrote, oldest first."""
    found = namespace.get("events", "--field-selector=involvedObject.name=web")["items"]
    ours = [one for one in found if one["reportingComponent"] == "safe-auto-updater"]
    ours.sort(key=lambda one: (one["lastTimestamp"], one["metadata"]["creationTimestamp"]))
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
    assert "web:1.1.0" in last and "web:1.2.0 (minor): rolled back" in last
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
    assert told(namespace) == [("UpdateHeld", "Normal", "; ".join(step["reasons"]))]
    assert f"sau approve {step['id']}" in step["reasons"][0]
