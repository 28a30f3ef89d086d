"""What would go wrong is known before anything is changed: by the registry, and by the server."""

from __future__ import annotations

from contextlib import ExitStack

from lab import images
from safe_auto_updater.core.outcome import Cause, Outcome
from tests.docker.kill.hitting import update_when
from tests.kubernetes.admission import refusing
from tests.kubernetes.kit import Json, Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.workloads import begun

WORDS = ("set", "image", "deployment/web", "web=lab:1.1.0")
AT = "object.spec.template.spec"


def test_change_that_the_server_would_refuse_is_held(namespace: Namespace, sau: ClusterSau) -> None:
    before = begun(namespace, "Deployment")
    namespace.publish("1.1.0")

    with refusing(namespace, "apps", "deployments", "UPDATE", AT, WORDS):
        step = sau("plan").step("web")
        diff = sau("diff", "web").json
        said = sau("apply", "--yes")

    assert (step["action"], step["hold_rules"]) == ("hold", ["server"]), step
    assert (diff["action"], diff["reasons"]) == ("hold", step["reasons"]), diff
    assert "the server would not take it" in step["reasons"][0]
    assert "1.1.0 is not approved here" in step["reasons"][0]
    assert (said.code, said.json["updates"]) == (0, [])
    assert namespace.get("deployment", "web") == before


def test_change_that_the_server_refuses_by_now_is_not_made(
    namespace: Namespace, sau: ClusterSau
) -> None:
    before = begun(namespace, "Deployment")
    namespace.publish("1.1.0")

    with ExitStack() as until:
        policy = refusing(namespace, "apps", "deployments", "UPDATE", AT, WORDS)
        record = update_when(sau, "STAGE", lambda: until.enter_context(policy))

    assert (record.outcome, record.cause) == (Outcome.ABORTED, Cause.PLATFORM), record
    assert "1.1.0 is not approved here" in str(record.facts)
    assert namespace.get("deployment", "web") == before


def take_away(namespace: Namespace, workload: Json) -> None:
    """Delete the image that a workload was made with from its registry."""
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    name, _, tag = container["image"].partition("/")[2].partition(":")
    images.delete(namespace.cluster.registry, name, tag)


def test_old_image_that_is_gone_from_the_registry_holds_the_update(
    namespace: Namespace, sau: ClusterSau
) -> None:
    before = begun(namespace, "Deployment")
    namespace.publish("1.1.0")
    take_away(namespace, before)
    step = sau("plan").step("web")
    assert step["action"] == "hold" and "There may be no way back" in step["reasons"][0], step
    assert sau("apply", "--yes").json["updates"] == []
    assert namespace.get("deployment", "web") == before


def test_old_image_that_goes_after_the_plan_leaves_all_as_it_is(
    namespace: Namespace, sau: ClusterSau
) -> None:
    before = begun(namespace, "Deployment")
    namespace.publish("1.1.0")
    record = update_when(sau, "PREPARE", lambda: take_away(namespace, before))
    assert (record.outcome, record.cause) == (Outcome.ABORTED, Cause.REGISTRY), record
    assert "there would be no way back" in str(record.facts)
    assert namespace.get("deployment", "web") == before
