"""How a workload is: whose images it has, how far its rollout is, and its pods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from safe_auto_updater.core.errors import SafeAutoUpdaterError
from safe_auto_updater.core.identity import matches
from safe_auto_updater.core.policy import HealthSettings, Settings, resolve
from safe_auto_updater.core.ports import CheckState, Clock, Subject
from safe_auto_updater.core.updater import Facts, Look, Patience, Side, Work
from safe_auto_updater.platforms.kubernetes import pods as of
from safe_auto_updater.platforms.kubernetes.judging import Judged, Wanted, judge, probes
from safe_auto_updater.platforms.kubernetes.kinds import (
    CRON_JOB,
    DAEMON_SET,
    STATEFUL_SET,
    Kind,
    pace_s,
)
from safe_auto_updater.platforms.kubernetes.next_run import LATE_S, NextRun
from safe_auto_updater.platforms.kubernetes.target import Target, digests_of, images_of, new_images
from safe_auto_updater.platforms.kubernetes.workloads import Workloads, written_at

Json = dict[str, Any]
STALL_S = 600.0  # without another pod that is ready
CAP = 6  # times that long in all, however steadily it goes on
SOAK_PROVEN_S = 30.0
SOAK_UNPROVEN_S = 60.0


class Observer:
    """One look at a workload, and how long looking goes on."""

    def __init__(self, workloads: Workloads, settings: Settings, clock: Clock) -> None:
        self._workloads = workloads
        self._settings = settings
        self._next_run = NextRun(workloads, clock)

    def look(self, work: Work, side: Side) -> Look:
        """Identity first: the template has this side's images; then its pods."""
        target = Target.of(work.step.asset)
        workload = self._workloads.find(target)
        if workload is not None and workload["metadata"]["uid"] != work.facts["uid"]:
            workload = None
        shows_by_a_run = target.kind is CRON_JOB and side is Side.NEW
        pods: list[Json] = []
        if workload is not None and not shows_by_a_run:
            pods = self._workloads.pods(target, workload)
        wanted = Wanted(images_of(work, side, workload), digests_of(work, side))
        judged = self._judged(target.kind, workload, pods, wanted)
        if workload is not None and shows_by_a_run and _is_as_told(judged):
            judged = self._next_run.look(workload, wanted, self._stall_s(work))
        mine = [pod for pod in pods if of.runs(pod, wanted.images) and of.is_ready(pod)]
        subjects = tuple(
            Subject(
                work.step.asset,
                work.change.container,
                tuple(one["ip"] for one in pod["status"].get("podIPs") or ()),
                pod,
                wanted.images,
            )
            for pod in mine
        )
        return Look(
            judged.results,
            subjects if _is_as_told(judged) and judged.unverified is None else (),
            judged.unverified,
            judged.seen,
            judged.progress,
        )

    def _judged(
        self, kind: Kind, workload: Json | None, pods: Sequence[Json], wanted: Wanted
    ) -> Judged:
        """Events tell what the status of some kinds does not."""
        judged = judge(kind, workload, pods, wanted)
        if workload is None or not judged.is_short or kind not in (STATEFUL_SET, DAEMON_SET):
            return judged
        refusal = self._workloads.refusal(workload, written_at(workload))
        return judged if refusal is None else judge(kind, workload, pods, wanted, refusal)

    def patience(self, work: Work) -> Patience:
        """By the settings, else by what can say that a pod is ready."""
        target = Target.of(work.step.asset)
        workload = self._workloads.find(target)
        health = self._health(work)
        checked = any(matches(spec.pattern, work.step.asset) for spec in self._settings.checks)
        proven = checked or (workload is not None and probes(target.kind.pod_spec(workload)))
        stall_s = self._stall_s(work)
        stall_s += 0.0 if workload is None else pace_s(target.kind, workload)
        if target.kind is CRON_JOB:  # a run that has ended stays as it is
            return Patience(stall_s + LATE_S, 0.0, stall_s * CAP)
        soak_s = health.stable_for_s
        if soak_s is None:
            soak_s = SOAK_PROVEN_S if proven else SOAK_UNPROVEN_S
        return Patience(stall_s, soak_s, stall_s * CAP)

    def _health(self, work: Work) -> HealthSettings:
        return resolve(self._settings, work.step.asset, work.facts.get("labels", {})).health

    def _stall_s(self, work: Work) -> float:
        """How long nothing may come further, by the settings."""
        timeout_s = self._health(work).timeout_s
        return STALL_S if timeout_s is None else timeout_s

    def last_words(self, work: Work) -> Facts:
        """What kept the pods of the new version, for whoever reads it at night."""
        target, new = Target.of(work.step.asset), new_images(work)
        try:
            workload = self._workloads.find(target)
            pods = [] if workload is None else self._workloads.pods(target, workload)
        except SafeAutoUpdaterError as error:
            return {"last_words": [f"its pods could not be asked: {error}"]}
        lines = []
        for pod in pods:
            found = of.trouble(pod) if of.runs(pod, new) and not of.has_succeeded(pod) else None
            if found is not None:
                lines += [f"pod {pod['metadata']['name']}: {found.fact}"]
                lines += self._workloads.log(pod, tuple(new))
        return {"last_words": lines[:40]} if lines else {}


def _is_as_told(judged: Judged) -> bool:
    return all(result.state is CheckState.PASSED for result in judged.results)
