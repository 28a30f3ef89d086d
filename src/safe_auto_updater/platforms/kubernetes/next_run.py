"""The next run of a CronJob shows what its new image is worth: waited for where it comes soon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckResult, CheckState, Clock
from safe_auto_updater.platforms.kubernetes.judging import Judged, Wanted, missing
from safe_auto_updater.platforms.kubernetes.kinds import CRON_JOB, reaches_none
from safe_auto_updater.platforms.kubernetes.pods import Trouble
from safe_auto_updater.platforms.kubernetes.runs import first_run, judge_run, worst
from safe_auto_updater.platforms.kubernetes.schedules import next_run
from safe_auto_updater.platforms.kubernetes.workloads import Workloads, written_at

Json = Mapping[str, Any]
LATE_S = 30.0  # after its time, until its Job is there


class NextRun:
    """Looks at the runs of one CronJob since its new image was written, and touches none.

    It is told how long may be waited: for a run to begin, and again for it to end. A run that takes
    longer is nobody's failure, and unverified.
    """

    def __init__(self, workloads: Workloads, clock: Clock) -> None:
        self._workloads = workloads
        self._clock = clock
        self._began = clock.now()
        self._met: dict[str, float] = {}  # uid -> when it was first looked at, monotonic
        self._ill: dict[str, Trouble] = {}  # what was wrong with pods that may be gone

    def look(self, cron_job: Json, wanted: Wanted, wait_s: float) -> Judged:
        """One look at the first run of the new template, or at when it is to come."""
        if cron_job["spec"].get("suspend"):
            return _unverified(str(reaches_none(CRON_JOB, cron_job)))
        since, made = written_at(cron_job), self._workloads.jobs(cron_job)
        if made is None:
            return _unverified(f"{self._due(cron_job)[1]}; its jobs may not be listed")
        if since is None:
            return _unverified(self._due(cron_job)[1])
        job = first_run(cron_job, made, wanted, since)
        if job is None:
            return self._awaited(cron_job, since, wait_s)
        return self._begun(job, wanted, since, wait_s)

    def _awaited(self, cron_job: Json, since: str, wait_s: float) -> Judged:
        when, fact = self._due(cron_job)
        now, left_s = self._clock.now(), self._left_s(cron_job, wait_s)
        if when is not None and when <= now:
            refusal = self._workloads.refusal(cron_job, since)
            if refusal is not None:
                return Judged((missing("its run is due", refusal, "job"),))
        if when is None or left_s <= 0 or when - now > left_s:
            return _unverified(fact)
        waits = CheckResult("run", CheckState.FAILING, fact, Cause.PLATFORM, proves=False)
        return Judged((waits,), fact)

    def _begun(self, job: Json, wanted: Wanted, since: str, wait_s: float) -> Judged:
        uid, pods = job["metadata"]["uid"], self._workloads.pods_of_job(job)
        refusal = None if pods else self._workloads.refusal(job, since)
        ill = worst(pods)
        if ill is not None:
            self._ill[uid] = ill
        judged = judge_run(job, pods, wanted, refusal, self._ill.get(uid))
        if judged.unverified is not None and self._left_s(job, wait_s) <= 0:
            return replace(_unverified(judged.unverified), progress=judged.progress)
        return judged

    def _left_s(self, thing: Json, wait_s: float) -> float:
        now = self._clock.monotonic()
        return self._met.setdefault(thing["metadata"]["uid"], now) + wait_s - now

    def _due(self, cron_job: Json) -> tuple[float | None, str]:
        """When the next run is, in seconds since the epoch, and in words."""
        spec = cron_job["spec"]
        after = max(self._began, self._clock.now() - LATE_S)
        when = next_run(spec["schedule"], spec.get("timeZone"), after)
        fact = f"the next job runs it, at {spec['schedule']}"
        if when is not None:
            fact += f" ({datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC)"
        return when, fact


def _unverified(why: str) -> Judged:
    """As it was told to be, and nobody can say more."""
    passed = CheckResult("run", CheckState.PASSED, why, proves=False)
    return Judged((passed,), why)
