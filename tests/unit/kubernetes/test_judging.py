"""What one look at a workload and its pods says, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckState
from safe_auto_updater.platforms.kubernetes.judging import Judged, Wanted, judge
from safe_auto_updater.platforms.kubernetes.kinds import (
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    STATEFUL_SET,
    Kind,
)

OLD, NEW = "r/web:1.0.0", "r/web:1.1.0@sha256:" + "b" * 64
DIGEST = "sha256:" + "b" * 64
WANTED = Wanted({"web": NEW}, {"web": (DIGEST,)})
PASSED, FAILING, FAILED = CheckState.PASSED, CheckState.FAILING, CheckState.FAILED


def workload(
    image: str = NEW, seen: int = 2, probe: bool = True, anew: int = 2, **spec: Any
) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "web", "image": image}
    if probe:
        container["readinessProbe"] = {"httpGet": {}}
    return {
        "metadata": {"name": "web", "generation": 2},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [container]}}, **spec},
        "status": {
            "observedGeneration": seen,
            "desiredNumberScheduled": 2,
            "updatedReplicas": anew,
            "updatedNumberScheduled": anew,
        },
    }


def pod(number: int, image: str = NEW, **how: Any) -> dict[str, Any]:
    ready = how.pop("ready", True)
    status = {
        "name": "web",
        "imageID": f"r/web@{how.pop('digest', DIGEST)}",
        "ready": ready,
        "restartCount": how.pop("restarts", 0),
        "state": how.pop("state", {"running": {}}),
        "lastState": how.pop("last", {}),
    }
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    conditions += how.pop("conditions", [])
    return {
        "metadata": {"name": f"web-{number}", "uid": f"u{number}", **how},
        "spec": {"containers": [{"name": "web", "image": image}]},
        "status": {"conditions": conditions, "containerStatuses": [status]},
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"ready": False, "state": {"waiting": {"reason": reason, "message": message}}}


def ended(code: int, reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason}}


def worst(judged: Judged) -> tuple[CheckState, Cause]:
    return judged.results[0].state, judged.results[0].cause


@pytest.mark.parametrize("kind", [DEPLOYMENT, STATEFUL_SET, DAEMON_SET])
def test_all_pods_new_and_ready_is_well(kind: Kind) -> None:
    judged = judge(kind, workload(), [pod(0), pod(1)], WANTED)
    (only,) = judged.results
    assert only.state is PASSED and only.proves
    assert judged.unverified is None and judged.progress == 2


@pytest.mark.parametrize("kind", [DEPLOYMENT, STATEFUL_SET, DAEMON_SET])
def test_pods_of_the_same_image_and_an_older_template_are_not_the_new_ones(kind: Kind) -> None:
    judged = judge(kind, workload(anew=0), [pod(0), pod(1)], WANTED, "exceeded quota: small")
    (only,) = judged.results
    assert (only.state, only.cause) == (FAILING, Cause.CAPACITY), only
    assert only.detail == (
        "2 of 2 pods are ready, 2 of them made before the last change of its template; "
        "no pod can be made: exceeded quota: small"
    )
    assert judged.is_short
    halfway = judge(kind, workload(anew=1), [pod(0), pod(1)], WANTED)
    assert (judged.progress, halfway.progress) == (0, 1), "each that is made anew is progress"


def test_without_a_readiness_probe_nothing_is_proven() -> None:
    (only,) = judge(DEPLOYMENT, workload(probe=False), [pod(0), pod(1)], WANTED).results
    assert only.state is PASSED and not only.proves


ROWS = {
    "gone": (None, [], FAILED, Cause.CONFLICT),
    "another image": (workload("r/web:9"), [], FAILED, Cause.CONFLICT),
    "not seen": (workload(seen=1), [pod(0), pod(1)], FAILING, Cause.PLATFORM),
    "one is missing": (workload(), [pod(0)], FAILING, Cause.PLATFORM),
    "old one still there": (workload(), [pod(0), pod(1), pod(2, OLD)], FAILING, Cause.PLATFORM),
    "old one stands in": (workload(), [pod(0), pod(1, OLD)], FAILING, Cause.PLATFORM),
    "leaving does not count": (workload(), [pod(0), pod(1, deletionTimestamp="now")], FAILING,
                               Cause.PLATFORM),
    "not ready": (workload(), [pod(0), pod(1, ready=False)], FAILING, Cause.IMAGE),
    "other content": (workload(), [pod(0), pod(1, digest="sha256:" + "c" * 64)], FAILED,
                      Cause.PLATFORM),
    "image not there": (workload(), [pod(0, **waiting("ErrImagePull", "not found"))], FAILED,
                        Cause.REGISTRY),
    "registry away": (workload(), [pod(0, **waiting("ImagePullBackOff", "refused"))], FAILING,
                      Cause.REGISTRY),
    "crash loop": (workload(), [pod(0, **waiting("CrashLoopBackOff"), last=ended(1))], FAILED,
                   Cause.IMAGE),
    "out of memory": (workload(), [pod(0, **waiting("CrashLoopBackOff"),
                                       last=ended(137, "OOMKilled"))], FAILED, Cause.CAPACITY),
    "ended once": (workload(), [pod(0, ready=False, state=ended(1))], FAILING, Cause.IMAGE),
    "bad user": (workload(), [pod(0, **waiting("CreateContainerConfigError",
                 "container has runAsNonRoot and image will run as root"))], FAILED, Cause.IMAGE),
    "secret missing": (workload(), [pod(0, **waiting("CreateContainerConfigError",
                       'secret "x" not found'))], FAILING, Cause.CONFIG),
    "no node": (workload(), [pod(0, ready=False, conditions=[
                {"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1"}])], FAILING,
                Cause.CAPACITY),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_what_is_not_well_is_named_with_its_cause(row: str) -> None:
    found, pods, state, cause = ROWS[row]
    assert worst(judge(DEPLOYMENT, found, pods, WANTED)) == (state, cause)


UNVERIFIED = {
    "paused": (DEPLOYMENT, workload(paused=True), [pod(0, OLD), pod(1, OLD)]),
    "on delete": (STATEFUL_SET, workload(updateStrategy={"type": "OnDelete"}), [pod(0, OLD)]),
    "partition": (STATEFUL_SET, workload(updateStrategy={"rollingUpdate": {"partition": 1}}),
                  [pod(0, OLD), pod(1)]),
    "scaled to 0": (DEPLOYMENT, workload(replicas=0), []),
    "no node for it": (DAEMON_SET, {**workload(), "status": {"observedGeneration": 2}}, []),
}  # fmt: skip


@pytest.mark.parametrize("row", UNVERIFIED)
def test_what_nobody_can_say_is_unverified(row: str) -> None:
    kind, found, pods = UNVERIFIED[row]
    judged = judge(kind, found, pods, WANTED)
    assert judged.unverified and row.split()[0].lower() in judged.unverified.lower().replace(
        "ondelete", "on delete"
    )
    assert [result.state for result in judged.results] == [PASSED]


@pytest.mark.parametrize("pods", [[pod(0, OLD)], [pod(0, OLD), pod(1, OLD)],
                                  [pod(0, OLD), pod(1, OLD, deletionTimestamp="now")]])  # fmt: skip
def test_pod_that_a_partition_lets_through_is_waited_for(pods: list[dict[str, Any]]) -> None:
    found = workload(updateStrategy={"rollingUpdate": {"partition": 1}})
    judged = judge(STATEFUL_SET, found, pods, WANTED)
    assert [result.state for result in judged.results] == [FAILING], judged
    unseen = judge(STATEFUL_SET, {**found, "status": {"observedGeneration": 1}}, pods, WANTED)
    assert unseen.results[0].detail == "its controller has not seen the change yet"


@pytest.mark.parametrize(
    ("said", "cause"),
    [("exceeded quota: small", Cause.CAPACITY), ("no such account", Cause.PLATFORM)],
)
def test_refusal_to_make_a_pod_is_told_with_its_cause(said: str, cause: Cause) -> None:
    """By the status of a Deployment; of others by what is handed in."""
    failing = {"type": "ReplicaFailure", "status": "True", "message": said}
    told = workload()
    told["status"]["conditions"] = [failing]
    for judged in (
        judge(DEPLOYMENT, told, [pod(0)], WANTED),
        judge(STATEFUL_SET, workload(), [pod(0)], WANTED, said),
    ):
        (only,) = judged.results
        assert (only.state, only.cause) == (FAILING, cause)
        assert only.detail == f"1 of 2 pods are ready; no pod can be made: {said}"
        assert judged.is_short


def test_pods_that_are_being_stopped_are_named() -> None:
    judged = judge(DEPLOYMENT, workload(), [pod(0), pod(1, OLD, deletionTimestamp="now")], WANTED)
    assert judged.results[0].detail == "1 of 2 pods are ready, 1 are still being stopped"


def test_finalizer_that_keeps_a_pod_is_named() -> None:
    stays = {"deletionTimestamp": "now", "finalizers": ["example.org/keep"]}
    done = pod(1, ready=False, state=ended(0), **stays)
    judged = judge(STATEFUL_SET, workload(), [pod(0), done], WANTED)
    assert judged.results[0].detail == (
        "1 of 2 pods are ready, 1 are still being stopped; "
        "pod web-1 cannot go until its finalizer example.org/keep is taken away"
    )
    still_up = judge(STATEFUL_SET, workload(), [pod(0), pod(1, **stays)], WANTED)
    assert "finalizer" not in still_up.results[0].detail


def test_scheduled_job_waits_for_its_next_run() -> None:
    template = {"spec": {"containers": [{"name": "web", "image": NEW}]}}
    spec = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}}
    judged = judge(CRON_JOB, {"metadata": {}, "spec": spec}, [], WANTED)
    assert judged.unverified == "the next job runs it, at 0 3 * * *"
    spec["suspend"] = True
    judged = judge(CRON_JOB, {"metadata": {}, "spec": spec}, [], WANTED)
    assert judged.unverified is not None and judged.unverified.startswith("suspended")


def test_pod_above_a_partition_is_judged() -> None:
    found = workload(updateStrategy={"rollingUpdate": {"partition": 1}})
    broken = pod(1, **waiting("CrashLoopBackOff"), last=ended(1))
    assert worst(judge(STATEFUL_SET, found, [pod(0, OLD), broken], WANTED))[0] is FAILED


def test_what_was_seen_changes_with_each_restart() -> None:
    first = judge(DEPLOYMENT, workload(), [pod(0), pod(1)], WANTED)
    same = judge(DEPLOYMENT, workload(), [pod(1), pod(0)], WANTED)
    restarted = judge(DEPLOYMENT, workload(), [pod(0), pod(1, restarts=1)], WANTED)
    assert first.seen == same.seen != restarted.seen
