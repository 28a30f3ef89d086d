"""What one run of a CronJob says, row by row; and how long is waited for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster, Refused
from safe_auto_updater.platforms.kubernetes.leftover_runs import end_runs
from safe_auto_updater.platforms.kubernetes.next_run import NextRun
from safe_auto_updater.platforms.kubernetes.pods import Trouble
from safe_auto_updater.platforms.kubernetes.runs import first_run, judge_run
from safe_auto_updater.platforms.kubernetes.workloads import Workloads
from tests.clock import FakeClock
from tests.unit.kubernetes.test_judging import (
    FAILED,
    FAILING,
    NEW,
    OLD,
    PASSED,
    WANTED,
    ended,
    pod,
    waiting,
)

WRITTEN = "2026-11-29T10:00:30Z"
NOW = 1795946431.0  # a second later
MINE = {"name": "web", "uid": "c", "namespace": "shop"}


def cron_job(schedule: str = "* * * * *", **spec: Any) -> dict[str, Any]:
    ours = {"manager": "safe-auto-updater", "time": WRITTEN}
    return {"metadata": {**MINE, "managedFields": [ours]}, "spec": {"schedule": schedule, **spec}}


def job(
    name: str = "web-1", image: str = NEW, at: str = "10:01:00", of: str = "c", **status: Any
) -> dict[str, Any]:
    reason = status.pop("failed", None)
    done = [{"type": "Complete", "status": "True"}] if status.pop("done", False) else []
    if reason:
        done = [{"type": "Failed", "status": "True", "reason": reason}]
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "namespace": "shop",
            "creationTimestamp": f"2026-11-29T{at}Z",
            "ownerReferences": [{"uid": of, "controller": True}],
        },
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}},
        "status": {"conditions": done},
    }


RUNS = {
    "none": ([], None),
    "of the old template": ([job(image=OLD)], None),
    "of somebody else": ([job(of="other")], None),
    "from before": ([job(at="10:00:29")], None),
    "in the very second": ([job("a", at="10:00:30")], "a"),
    "the first": ([job("b", at="10:03:00"), job("a", at="10:02:00")], "a"),
    "the first that ended": ([job("a"), job("b", at="10:02:00", done=True)], "b"),
}


@pytest.mark.parametrize("row", RUNS)
def test_the_run_that_counts(row: str) -> None:
    made, name = RUNS[row]
    found = first_run(cron_job(), made, WANTED, WRITTEN)
    assert (found and found["metadata"]["name"]) == name


DISRUPTED = {"type": "DisruptionTarget", "status": "True"}
CRASHED = pod(0, ready=False, state=ended(1))
OOM = pod(0, ready=False, state=ended(137, "OOMKilled"))
JUDGED = {
    "done": (job(done=True), [pod(0, ready=False, state=ended(0))], PASSED, None),
    "done on other content": (job(done=True), [pod(0, digest="sha256:" + "c" * 64)], FAILED,
                              Cause.PLATFORM),
    "done and tidied up": (job(done=True), [], PASSED, None),
    "at work": (job(), [pod(0)], FAILING, Cause.PLATFORM),
    "starting": (job(), [pod(0, **waiting("ContainerCreating"))], FAILING, Cause.PLATFORM),
    "failed": (job(failed="BackoffLimitExceeded"), [CRASHED], FAILED, Cause.IMAGE),
    "out of memory": (job(failed="BackoffLimitExceeded"), [OOM], FAILED, Cause.CAPACITY),
    "failed, pods gone": (job(failed="BackoffLimitExceeded"), [], FAILED, Cause.IMAGE),
    "failed, pods evicted": (job(failed="BackoffLimitExceeded"),
                             [pod(0, ready=False, state=ended(143), conditions=[DISRUPTED])],
                             FAILED, Cause.PLATFORM),
    "tries again": (job(), [CRASHED], FAILING, Cause.IMAGE),
    "tries again in place": (job(), [pod(0, **waiting("CrashLoopBackOff"), last=ended(1))],
                             FAILING, Cause.IMAGE),
    "image not there": (job(), [pod(0, **waiting("ErrImagePull", "not found"))], FAILED,
                        Cause.REGISTRY),
    "registry away": (job(), [pod(0, **waiting("ImagePullBackOff", "refused"))], FAILING,
                      Cause.REGISTRY),
    "bad user": (job(), [pod(0, **waiting("CreateContainerConfigError",
                 "container has runAsNonRoot and image will run as root"))], FAILED, Cause.IMAGE),
    "no node": (job(), [pod(0, ready=False, conditions=[
                {"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1"}])], FAILING,
                Cause.CAPACITY),
}  # fmt: skip


@pytest.mark.parametrize("row", JUDGED)
def test_what_a_run_says(row: str) -> None:
    made, pods, state, cause = JUDGED[row]
    judged = judge_run(made, pods, WANTED)
    (only,) = judged.results[:1]
    assert only.state is state, judged
    assert cause is None or only.cause is cause, judged
    assert only.proves == (state is PASSED)
    assert (judged.unverified is not None) == (row in ("at work", "starting"))


def test_refusal_of_its_pod_and_what_was_wrong_before_are_told() -> None:
    (refused,) = judge_run(job(), [], WANTED, "exceeded quota: small").results
    assert (refused.state, refused.cause) == (FAILING, Cause.CAPACITY)
    before = Trouble(FAILING, "web: ran out", Cause.CAPACITY)
    (gone,) = judge_run(job(failed="BackoffLimitExceeded"), [], WANTED, None, before).results
    assert gone.cause is Cause.CAPACITY and "web: ran out" in gone.detail


class Jobs(Cluster):
    """A cluster that has these Jobs, or does not tell."""

    def __init__(self, *made: dict[str, Any], forbidden: bool = False) -> None:
        super().__init__("lab", Access())
        self.made, self.forbidden = list(made), forbidden

    def listed(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        if path.endswith("/jobs"):
            if self.forbidden:
                raise Refused("no", 403, "Forbidden")
            yield from self.made


def looks(cluster: Jobs, found: dict[str, Any], wait_s: float = 600.0) -> tuple[NextRun, FakeClock]:
    clock = FakeClock(NOW)
    return NextRun(Workloads(cluster), clock), clock


NEVER = {
    "suspended": ("* * * * *", Jobs(), "until somebody resumes it"),
    "too far away": ("0 3 * * *", Jobs(), "at 0 3 * * * (2026-11-30 03:00 UTC)"),
    "cannot be told": ("@every 5m", Jobs(), "at @every 5m"),
    "may not be seen": ("* * * * *", Jobs(forbidden=True), "its jobs may not be listed"),
}


@pytest.mark.parametrize("row", NEVER)
def test_what_does_not_show_soon_is_unverified_at_once(row: str) -> None:
    schedule, cluster, words = NEVER[row]
    found = cron_job(schedule, suspend=row == "suspended")
    judged = looks(cluster, found)[0].look(found, WANTED, 600.0)
    assert judged.unverified is not None and judged.unverified.endswith(words), judged
    assert [result.state for result in judged.results] == [PASSED]


@pytest.mark.slow
def test_run_that_is_to_come_soon_is_waited_for_and_no_longer() -> None:
    found, cluster = cron_job(concurrencyPolicy="Forbid"), Jobs()
    next_run, clock = looks(cluster, found)
    states = []
    for _ in range(13):
        states.append(next_run.look(found, WANTED, 600.0).results[0].state)
        clock.sleep(50)
    assert states == [FAILING] * 12 + [PASSED]


def test_run_that_takes_long_is_unverified() -> None:
    found, cluster = cron_job(), Jobs()
    next_run, clock = looks(cluster, found)
    waits = next_run.look(found, WANTED, 100.0)
    clock.sleep(99)
    cluster.made = [job()]
    begun = next_run.look(found, WANTED, 100.0)
    clock.sleep(101)
    late = next_run.look(found, WANTED, 100.0)
    assert [one.results[0].state for one in (waits, begun, late)] == [FAILING, FAILING, PASSED]
    assert late.unverified == "job web-1 is at work, and has not ended yet"
    assert waits.progress < begun.progress


class Keeping(Cluster):
    """Has these Jobs, each with this pod or none, and may delete them or not."""

    def __init__(
        self, *made: dict[str, Any], runs: dict[str, Any] | None = None, refused: bool = False
    ) -> None:
        super().__init__("lab", Access())
        self._made = made
        self._runs = runs
        self._refused = refused
        self.deleted: list[str] = []

    def listed(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        if not path.endswith("/pods"):
            yield from self._made
        elif self._runs is not None:
            owner = params["labelSelector"].removeprefix("job-name=")
            yield {**self._runs, "metadata": {"name": "p", "ownerReferences": [{"uid": owner}]}}

    def delete(self, path: str, uid: str, *, and_dependents: bool = False) -> None:
        assert and_dependents
        if self._refused:
            raise Refused("cluster lab: jobs is forbidden", 403, "Forbidden")
        self.deleted.append(uid)


def test_runs_of_what_was_taken_back_are_ended_and_no_others() -> None:
    cluster = Keeping(
        job("at-work"), job("done", done=True), job("failed", failed="BackoffLimitExceeded"),
        job("old", image=OLD), job("others", of="other"),
    )  # fmt: skip
    told = end_runs(Workloads(cluster), cron_job(), WANTED.images)
    assert cluster.deleted == ["at-work"]
    assert told == [
        "job at-work, made with the version that was taken back, had not ended, and was deleted"
    ]


def test_run_that_may_not_be_ended_is_told_with_the_remedy() -> None:
    cluster = Keeping(job("at-work"), refused=True)
    (told,) = end_runs(Workloads(cluster), cron_job(), WANTED.images)
    assert "goes on" in told and "`kubectl delete job at-work -n shop` ends it" in told


@pytest.mark.parametrize(
    ("runs", "goes_on"),
    [
        (pod(0, ready=False), True),
        (pod(0, **waiting("ContainerCreating")), False),
        (pod(0, **waiting("CreateContainerConfigError")), False),
        (pod(0, ready=False, restarts=1, last=ended(1)), False),
    ],
)
def test_run_that_is_at_work_and_well_is_left_to_a_person(
    runs: dict[str, Any], goes_on: bool
) -> None:
    cluster = Keeping(job("backup"), runs=runs)
    (told,) = end_runs(Workloads(cluster), cron_job(), WANTED.images)
    assert (cluster.deleted == []) is goes_on
    assert ("`kubectl delete job backup -n shop` ends it" in told) is goes_on
