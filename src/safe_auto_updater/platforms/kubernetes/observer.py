"""How a workload is: whose images it has, how far its rollout is, and its pods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from safe_auto_updater.core.errors import SafeAutoUpdaterError
from safe_auto_updater.core.model import matches
from safe_auto_updater.core.policy import Settings, resolve
from safe_auto_updater.core.ports import CheckState, Facts, Look, Patience, Side, Subject, Work
from safe_auto_updater.platforms.kubernetes import pods as of
from safe_auto_updater.platforms.kubernetes.judging import Judged, Wanted, judge, probes
from safe_auto_updater.platforms.kubernetes.kinds import DAEMON_SET, STATEFUL_SET, Kind, pace_s
from safe_auto_updater.platforms.kubernetes.target import Target, digests_of, images_of, new_images
from safe_auto_updater.platforms.kubernetes.workloads import Workloads, written_at

Json = dict[str, Any]
STALL_S = 600.0  # without another pod that is ready
CAP = 6  # times that long in all, however steadily it goes on
SOAK_PROVEN_S = 30.0
SOAK_UNPROVEN_S = 60.0


class Observer:
    """One look at a workload, and how long looking goes on."""

    def __init__(self, workloads: Workloads, settings: Settings) -> None:
        self._workloads = workloads
        self._settings = settings

    def look(self, work: Work, side: Side) -> Look:
        """Identity first: the template has this side's images; then its pods."""
        target = Target.of(work.step.asset)
        workload = self._workloads.find(target)
        if workload is not None and workload["metadata"]["uid"] != work.facts["uid"]:
            workload = None
        pods = [] if workload is None else self._workloads.pods(target, workload)
        wanted = Wanted(images_of(work, side, workload), digests_of(work, side))
        judged = self._judged(target.kind, workload, pods, wanted)
        calm = all(result.state is CheckState.PASSED for result in judged.results)
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
            subjects if calm and judged.unverified is None else (),
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
        health = resolve(self._settings, work.step.asset, work.facts.get("labels", {})).health
        checked = any(matches(spec.pattern, work.step.asset) for spec in self._settings.checks)
        proven = checked or (workload is not None and probes(target.kind.pod_spec(workload)))
        stall_s = STALL_S if health.timeout_s is None else health.timeout_s
        stall_s += 0.0 if workload is None else pace_s(target.kind, workload)
        soak_s = health.stable_for_s
        if soak_s is None:
            soak_s = SOAK_PROVEN_S if proven else SOAK_UNPROVEN_S
        return Patience(stall_s, soak_s, stall_s * CAP)

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
            found = of.trouble(pod) if of.runs(pod, new) else None
            if found is not None:
                lines += [f"pod {pod['metadata']['name']}: {found.fact}"]
                lines += self._workloads.log(pod, tuple(new))
        return {"last_words": lines[:40]} if lines else {}
