"""Runs of a CronJob that were made with a version that was taken back, and are still at work.

One that waits for ever (no node, no quota, no Secret) would keep the old version from running at
all where `concurrencyPolicy` is `Forbid`, and run the other one once it can. One that is at work
and well may be a backup half way: whether it ends is a person's decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from safe_auto_updater.platforms.kubernetes import jobs, runs
from safe_auto_updater.platforms.kubernetes import pods as of
from safe_auto_updater.platforms.kubernetes.cluster import Refused
from safe_auto_updater.platforms.kubernetes.workloads import Workloads


def end_runs(
    workloads: Workloads, cron_job: Mapping[str, Any], images: Mapping[str, str]
) -> list[str]:
    """Delete its Jobs that run these images and cannot do their work. What people must know."""
    told = []
    for job in workloads.jobs(cron_job) or ():
        if jobs.ended(job) is not None or not jobs.is_owned(job, cron_job):
            continue
        if not of.runs(job["spec"]["template"], images):
            continue
        name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
        fact = f"job {name}, made with the version that was taken back,"
        remedy = f"`kubectl delete job {name} -n {namespace}` ends it"
        try:
            if _at_work(workloads.pods_of_job(job)):
                told.append(f"{fact} is at work and goes on; {remedy}")
                continue
            workloads.remove_job(job)
        except Refused as error:
            told.append(f"{fact} goes on: {error}; {remedy}")
        else:
            told.append(f"{fact} had not ended, and was deleted")
    return told


def _at_work(pods: Sequence[Mapping[str, Any]]) -> bool:
    """Whether something runs in them, and nothing is wrong with any."""
    return runs.worst(pods) is None and any(map(of.has_running, pods))
