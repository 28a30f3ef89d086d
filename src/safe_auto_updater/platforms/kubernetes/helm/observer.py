"""How a release is: whose revision it is, and everything that the revision owns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from safe_auto_updater.core.identity import matches
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import Settings, resolve
from safe_auto_updater.core.ports import CheckResult, CheckState, Subject
from safe_auto_updater.core.updater import Look, Patience, Work
from safe_auto_updater.platforms.kubernetes import pods as of
from safe_auto_updater.platforms.kubernetes.helm.objects import Objects
from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece
from safe_auto_updater.platforms.kubernetes.helm.readiness import all_prove, judge_piece
from safe_auto_updater.platforms.kubernetes.judging import probes
from safe_auto_updater.platforms.kubernetes.kinds import CRON_JOB, Kind, pace_s
from safe_auto_updater.platforms.kubernetes.observer import (
    CAP,
    SOAK_PROVEN_S,
    SOAK_UNPROVEN_S,
    STALL_S,
)

Json = Mapping[str, Any]


class ReleaseObserver:
    """One look at all objects of one revision, and how long looking goes on."""

    def __init__(self, objects: Objects, settings: Settings) -> None:
        self._objects = objects
        self._settings = settings

    def look(self, work: Work, pieces: Sequence[Piece]) -> Look:
        """Every object of a manifest, and its pods."""
        pods = self._pods(pieces)
        judged = [
            judge_piece(piece, self._objects.get(piece), pods[piece.namespace]) for piece in pieces
        ]
        results = tuple(result for one in judged for result in one.results)
        wrong = tuple(result for result in results if result.state is not CheckState.PASSED)
        proves = all_prove(judged)
        told = [one.unverified for one in judged if one.unverified]
        well = CheckResult("release", CheckState.PASSED, _all(pieces, told), proves=proves)
        ready = [
            pod
            for all_of_it in pods.values()
            for pod in all_of_it
            if of.is_ready(pod) and not of.is_leaving(pod)
        ]
        subject = Subject(
            work.step.asset,
            work.change.container,
            tuple(one["ip"] for pod in ready for one in pod["status"].get("podIPs") or ()),
        )
        return Look(
            wrong or (well,),
            () if wrong else (subject,),
            told[0] if told and len(told) == _workloads(pieces) else None,
            " ".join(one.seen for one in judged if one.seen),
            sum(one.progress for one in judged),
        )

    def patience(self, work: Work, pieces: Sequence[Piece]) -> Patience:
        """By the settings, else by what can say that the pods are ready."""
        asset = work.step.asset
        health = resolve(self._settings, asset, work.facts.get("labels", {})).health
        workloads = [(kind, p.body) for p in pieces if (kind := _serving(p)) is not None]
        checked = any(matches(spec.pattern, asset) for spec in self._settings.checks)
        proven = checked or all(probes(kind.pod_spec(body)) for kind, body in workloads)
        stall_s = STALL_S if health.timeout_s is None else health.timeout_s
        stall_s += max((pace_s(kind, body) for kind, body in workloads), default=0.0)
        soak_s = health.stable_for_s
        if soak_s is None:
            soak_s = SOAK_PROVEN_S if proven else SOAK_UNPROVEN_S
        return Patience(stall_s, soak_s, stall_s * CAP)

    def _pods(self, pieces: Sequence[Piece]) -> defaultdict[str, list[Json]]:
        """The pods of these workloads, by namespace: asked for once each. Runs of CronJobs not."""
        found: defaultdict[str, list[Json]] = defaultdict(list)
        mine = {(p.namespace, p.kind, p.name) for p in pieces if _serving(p) is not None}
        for namespace in sorted({namespace for namespace, _, _ in mine}):
            path = f"/api/v1/namespaces/{namespace}/pods"
            for pod in self._objects.cluster.listed(path):
                if (namespace, *of.owner_of(pod)) in mine:
                    found[namespace].append(pod)
        return found


def _serving(piece: Piece) -> Kind | None:
    """Its kind, where that is one whose pods go on running."""
    return None if piece.workload is CRON_JOB else piece.workload


def _all(pieces: Sequence[Piece], untold: Sequence[str]) -> str:
    fact = f"all {len(pieces)} objects are there, {_workloads(pieces)} workloads are through"
    return fact + "".join(f"; not seen running: {why}" for why in untold)


def _workloads(pieces: Sequence[Piece]) -> int:
    return sum(piece.workload is not None for piece in pieces)


def conflict(fact: str) -> Look:
    """Somebody else changed the release: this is not what we are to judge."""
    result = CheckResult("identity", CheckState.FAILED, fact, Cause.CONFLICT, proves=False)
    return Look((result,), ())


def left_alone(fact: str) -> Look:
    """What is there is somebody else's, and not ours to judge."""
    return Look((CheckResult("identity", CheckState.PASSED, fact, proves=False),), ())
