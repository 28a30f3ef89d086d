"""What one run of a CronJob says of the image that it was made with. Pure.

A Job tries again by itself within its own limits (`backoffLimit`, `activeDeadlineSeconds`): a pod
that ended badly is no failure of the run yet, one that can never start is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckResult, CheckState
from safe_auto_updater.platforms.kubernetes import jobs
from safe_auto_updater.platforms.kubernetes import pods as of
from safe_auto_updater.platforms.kubernetes.judging import Judged, Wanted, missing, other_content

Json = Mapping[str, Any]


def first_run(cron_job: Json, made: Iterable[Json], wanted: Wanted, since: str) -> Json | None:
    """The Job that shows what the new template is worth: the first that ended, else the first.

    Runs of another template, and those of before `since`, are none of our business.
    """
    mine = [
        job
        for job in made
        if jobs.is_owned(job, cron_job)
        and str(job["metadata"]["creationTimestamp"]) >= since
        and of.runs(job["spec"]["template"], wanted.images)
    ]
    mine.sort(key=lambda job: (jobs.ended(job) is None, str(job["metadata"]["creationTimestamp"])))
    return next(iter(mine), None)


def judge_run(
    job: Json,
    pods: Sequence[Json],
    wanted: Wanted,
    refusal: str | None = None,
    before: of.Trouble | None = None,
) -> Judged:
    """How far it is. `before`: what was wrong with a pod of it that may be gone by now."""
    name, ended, ill = f"job {job['metadata']['name']}", jobs.ended(job), worst(pods)
    seen, progress = of.fingerprint(pods), 1 if ended is None else 2
    if ended is not None and not ended[0]:
        return Judged((_failed(name, ended[1], ill or before, pods),), None, seen, progress)
    differs = other_content(pods, wanted)
    if differs:
        return Judged(tuple(differs), None, seen, progress)
    if ended is not None:
        done = CheckResult(name, CheckState.PASSED, "it did its work")
        return Judged((done,), None, seen, progress)
    if ill is not None:
        result = CheckResult(name, ill.state, ill.fact, ill.cause, proves=False)
        return Judged((result,), None, seen, progress)
    if refusal is not None and not pods:
        return Judged((missing(f"{name} has no pod", refusal),), None, seen, progress)
    working = CheckResult(name, CheckState.FAILING, "it is at work", Cause.PLATFORM, proves=False)
    return Judged((working,), f"{name} is at work, and has not ended yet", seen, progress)


def worst(pods: Sequence[Json]) -> of.Trouble | None:
    """What is wrong with its pods: one that can never start decides."""
    found = [
        replace(one, state=CheckState.FAILING) if of.has_ended_once(pod) else one
        for pod in pods
        if not of.is_disrupted(pod) and (one := of.ailment(pod)) is not None
    ]
    found.sort(key=lambda one: one.state is not CheckState.FAILED)
    return next(iter(found), None)


def _failed(name: str, reason: str, ill: of.Trouble | None, pods: Sequence[Json]) -> CheckResult:
    """That somebody else ended its pods is no word about the image."""
    fact, cause = f"it failed ({reason})", Cause.IMAGE
    if ill is not None:
        fact, cause = f"{fact}: {ill.fact}", ill.cause
    elif any(map(of.is_disrupted, pods)):
        fact, cause = f"{fact}: its pod was removed", Cause.PLATFORM
    return CheckResult(name, CheckState.FAILED, fact, cause, proves=False)
