"""Whether everything that a release owns is there, as its manifest says, and well. Pure.

Workloads are judged as workloads are anywhere here; of other kinds what Kubernetes itself says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckResult, CheckState
from safe_auto_updater.platforms.kubernetes import pods as of
from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece
from safe_auto_updater.platforms.kubernetes.jobs import ended
from safe_auto_updater.platforms.kubernetes.judging import Judged, Wanted, judge
from safe_auto_updater.platforms.kubernetes.kinds import conditions, images

Json = Mapping[str, Any]
_CONDITIONS = {
    "CustomResourceDefinition": "Established",
    "APIService": "Available",
}
"""Kinds of which one condition says that they work."""


def judge_piece(piece: Piece, live: Json | None, pods: Sequence[Json]) -> Judged:
    """One object: present, as written where it matters, and well."""
    if live is None and piece.goes_by_itself:
        return Judged(())
    if live is None or "deletionTimestamp" in live["metadata"]:
        return _only(CheckState.FAILING, f"{piece.label} is not there", Cause.CONFLICT)
    kind = piece.workload
    if kind is not None:
        wanted = images(kind.pod_spec(piece.body))
        mine = [pod for pod in pods if of.owner_of(pod) == (kind.name, piece.name)]
        judged = judge(kind, live, mine, Wanted(wanted, {}))
        named = tuple(replace(one, check=f"{piece.label}, {one.check}") for one in judged.results)
        return replace(judged, results=named)
    if piece.kind == "Job" and piece.api_version == "batch/v1":
        return _job(piece, live)
    if piece.kind == "Pod" and piece.api_version == "v1":
        return _pod(piece, live)
    if piece.kind == "PersistentVolumeClaim":
        return _claim(piece, live)
    if piece.kind in _CONDITIONS:
        return _by_condition(piece, live, _CONDITIONS[piece.kind])
    return Judged(())


def all_prove(judged: Iterable[Judged]) -> bool:
    """Whether each workload whose pods were seen can say that it is well, and there is one."""
    told = [one.results for one in judged if one.results and one.unverified is None]
    return bool(told) and all(result.proves for results in told for result in results)


def _job(piece: Piece, live: Json) -> Judged:
    told = ended(live)
    if told is None:
        return _only(CheckState.FAILING, f"{piece.label} has not ended yet", Cause.IMAGE)
    done, why = told
    if done:
        return Judged(())
    return _only(CheckState.FAILED, f"{piece.label} failed: {why}", Cause.IMAGE)


def _pod(piece: Piece, live: Json) -> Judged:
    phase = (live.get("status") or {}).get("phase")
    if phase == "Succeeded":
        return Judged(())
    found = of.trouble(live)
    if found is None:
        return Judged((), seen=of.fingerprint([live]), progress=1)
    return _only(found.state, f"{piece.label}: {found.fact}", found.cause)


def _claim(piece: Piece, live: Json) -> Judged:
    """Bound, or waiting for the first pod that wants it, which the pod itself would tell."""
    phase = (live.get("status") or {}).get("phase")
    if phase == "Lost":
        return _only(CheckState.FAILED, f"{piece.label} has lost its volume", Cause.PLATFORM)
    return Judged(())


def _by_condition(piece: Piece, live: Json, condition: str) -> Judged:
    for one in conditions(live):
        if one.get("type") == condition and one.get("status") == "True":
            return Judged(())
    return _only(CheckState.FAILING, f"{piece.label} is not {condition} yet", Cause.PLATFORM)


def _only(state: CheckState, fact: str, cause: Cause) -> Judged:
    return Judged((CheckResult(fact.partition(":")[0], state, fact, cause, proves=False),))
