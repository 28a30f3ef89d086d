"""The next run of a CronJob shows what its new image is worth. Each minute has one here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab import images
from tests.docker.kill.hitting import update_when
from tests.kubernetes import roles
from tests.kubernetes.kit import Json, Namespace
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.test_told import told
from tests.kubernetes.workloads import as_written, cron_job
from tests.lab_kit import eventually

MINUTELY = "* * * * *"
PATIENT = "{timeout: 100s, stable_for: 3s}"
RISKY = "  risk: {automatic: 90, approval: 95}\n"


def begun(
    namespace: Namespace, schedule: str = MINUTELY, old: str = "one_shot", **pod: Any
) -> Json:
    """A CronJob of 1.0.0 whose Jobs are not repeated."""
    workload = cron_job("web", namespace.publish("1.0.0", behaviour=old).reference, schedule)
    job = workload["spec"]["jobTemplate"]["spec"]
    job["backoffLimit"] = 0
    (container,) = job["template"]["spec"]["containers"]
    container |= pod.pop("container", {})
    job["template"]["spec"] |= pod
    namespace.apply(workload)
    return namespace.get("cronjob", "web")


def jobs_of(namespace: Namespace, image: str) -> list[Json]:
    """The Jobs that run an image."""
    found = namespace.get("jobs")["items"]
    return [one for one in found if image in str(one["spec"]["template"]["spec"]["containers"])]


def test_run_that_completes_is_a_success(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path
) -> None:
    begun(namespace)
    new = namespace.publish("1.1.0", behaviour="one_shot")
    sau.configure(PATIENT, kubeconfig=roles.account(namespace, "role.yaml", tmp_path))
    said = sau("apply", "--yes", timeout_s=180)
    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said
    ran = [one for one in jobs_of(namespace, new.digest) if one["status"].get("succeeded")]
    assert ran and f"job {ran[0]['metadata']['name']}" in str(told(namespace))
    assert sau("plan").step("web")["action"] == "none"


def test_run_that_tries_again_and_then_completes_is_a_success(
    namespace: Namespace, sau: ClusterSau
) -> None:
    """A Job's own limits say how often; its first pod that ends badly is no failure."""
    volume = {"name": "memory", "emptyDir": {}}
    mount = {"volumeMounts": [{"name": "memory", "mountPath": "/memory"}]}
    begun(namespace, container=mount, volumes=[volume], restartPolicy="OnFailure")
    namespace.run(
        "patch", "cronjob", "web", "-p", '{"spec": {"jobTemplate": {"spec": {"backoffLimit": 3}}}}'
    )
    twice = ("/bin/sh", "-c", "[ -e /memory/x ] && exit 0; : > /memory/x; exit 1")
    namespace.publish("1.1.0", entrypoint=twice)
    sau.configure(PATIENT, execution=RISKY)
    said = sau("apply", "--yes", timeout_s=240)
    assert (said.code, said.update["outcome"]) == (0, "succeeded"), said


WAITING = "may not run as its user"
HUNGRY = ("/bin/sh", "-c", "a=x; while :; do a=$a$a; done")
SMALL = {"resources": {"limits": {"memory": "24Mi"}}}
BROKEN: dict[str, tuple[Json, Json, str, str]] = {
    "crashes": ({}, {"behaviour": "crash"}, "image", "BackoffLimitExceeded"),
    "crashes in place": (
        {"restartPolicy": "OnFailure"}, {"behaviour": "crash"}, "image", "BackoffLimitExceeded",
    ),
    "runs out of memory": (
        {"container": SMALL}, {"entrypoint": HUNGRY}, "capacity", "out of its memory limit",
    ),
    WAITING: (
        {"securityContext": {"runAsNonRoot": True}}, {"behaviour": "one_shot", "user": "0"},
        "image", "runAsNonRoot",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_run_that_fails_takes_the_update_back(
    namespace: Namespace, sau: ClusterSau, what: str
) -> None:
    pod, recipe, cause, words = BROKEN[what]
    before = begun(namespace, **pod)
    new = namespace.publish("1.1.0", **recipe)
    sau.configure(PATIENT, execution=RISKY)

    said = sau("apply", "--yes", timeout_s=240)

    assert (said.code, said.update["outcome"]) == (3, "rolled_back"), said
    assert said.update["cause"] == cause and words in said.update["error"], said
    now = namespace.get("cronjob", "web")
    assert as_written(now) == as_written(before)
    left = jobs_of(namespace, new.digest)
    assert bool(left) is (what != WAITING), "what it did is left to be looked at, and nothing waits"
    step = sau("plan").step("web")
    assert ("quarantined" in str(step["reasons"])) == (cause == "image"), step


def test_image_that_is_gone_when_the_run_begins_is_taken_back(
    namespace: Namespace, sau: ClusterSau
) -> None:
    before = begun(namespace)
    new = namespace.publish("1.1.0", behaviour="one_shot")
    sau.configure(PATIENT)
    record = update_when(sau, "APPLY", lambda: images.delete(new.registry, new.name, new.digest))
    assert (str(record.outcome), str(record.cause)) == ("rolled_back", "registry"), record
    assert as_written(namespace.get("cronjob", "web")) == as_written(before)


def test_quota_that_lets_no_pod_of_the_run_in_blames_capacity(
    namespace: Namespace, sau: ClusterSau
) -> None:
    begun(namespace)
    new = namespace.publish("1.1.0", behaviour="one_shot")
    namespace.run("create", "quota", "none", "--hard=pods=0")
    sau.configure("{timeout: 65s}")
    said = sau("apply", "--yes", timeout_s=300)
    assert (said.update["outcome"], said.update["cause"]) == ("rolled_back", "capacity"), said
    assert "exceeded quota: none" in said.update["error"]
    assert jobs_of(namespace, new.digest) == [], "it would have run once there was room"


def test_run_of_the_old_template_goes_on_and_the_new_one_waits_for_it(
    namespace: Namespace, sau: ClusterSau
) -> None:
    """With `concurrencyPolicy: Forbid` no other run begins meanwhile."""
    begun(namespace, old="good")
    namespace.run("patch", "cronjob", "web", "-p", '{"spec": {"concurrencyPolicy": "Forbid"}}')
    eventually(lambda: namespace.get("cronjob", "web")["status"].get("active"), 90)
    (active,) = namespace.get("cronjob", "web")["status"]["active"]
    new = namespace.publish("1.1.0", behaviour="one_shot")
    sau.configure("{timeout: 65s}")
    said = sau("apply", "--yes", timeout_s=180)
    assert (said.code, said.update["outcome"]) == (0, "unverified"), said
    assert "the next job runs it, at * * * * * (" in str(told(namespace))
    assert namespace.get("cronjob", "web")["status"]["active"] == [active]
    assert new.digest in str(namespace.get("cronjob", "web")["spec"])


@pytest.mark.parametrize("schedule", ["0 3 29 2 *", "@every 24h"])
def test_run_that_is_far_away_is_told_and_not_waited_for(
    namespace: Namespace, sau: ClusterSau, schedule: str
) -> None:
    begun(namespace, schedule)
    new = namespace.publish("1.1.0", behaviour="crash")
    said = sau("apply", "--yes")
    assert (said.code, said.update["outcome"]) == (0, "unverified"), said
    pod = namespace.get("cronjob", "web")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == f"{new.reference}@{new.digest}"
    assert ("02-29 03:00 UTC" in str(told(namespace))) == (schedule != "@every 24h")


def test_without_the_rule_runs_are_not_watched_and_it_is_said(
    namespace: Namespace, sau: ClusterSau, tmp_path: Path
) -> None:
    begun(namespace)
    namespace.publish("1.1.0", behaviour="crash")
    account = roles.account(namespace, "role.yaml", tmp_path, ("list", "jobs"))
    sau.configure(PATIENT, kubeconfig=account)
    doctor = sau("doctor")
    said = sau("apply", "--yes")
    assert doctor.code == 0 and "may not list jobs" in doctor.out
    assert (said.code, said.update["outcome"]) == (0, "unverified"), said
    assert "its jobs may not be listed" in str(told(namespace))
