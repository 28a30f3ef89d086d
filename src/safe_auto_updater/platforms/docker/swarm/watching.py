"""What the engine says of an update of a service, and of its tasks. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import HealthSettings
from safe_auto_updater.core.ports import CheckResult, CheckState
from safe_auto_updater.core.updater import Patience, Side
from safe_auto_updater.platforms.docker.state import (
    SOAK_PROVEN_S,
    SOAK_UNPROVEN_S,
    TIMEOUT_S,
    start_error_cause,
)
from safe_auto_updater.platforms.docker.swarm.checking import seconds, verdict_s
from safe_auto_updater.platforms.docker.swarm.view import (
    GOING,
    STUCK,
    changed_at,
    container_spec,
    ended,
    running,
    runs_on,
    slot_of,
    state_of,
    turned_back,
    wanted,
)

Json = Mapping[str, Any]
TASK_S = 30.0  # scheduling, creating and starting one task, beside what it itself needs
_PACE: Json = {"Parallelism": 1}  # the engine's own, where a spec has none
STOP_S, MONITOR_S = 10.0, 5.0  # what the engine takes where a spec does not say


def judge(
    service: Json | None, tasks: Sequence[Json], image: str, since: float | None, proves: bool
) -> list[CheckResult]:
    """One look at a service that is to run this image: whose update, its verdict, its tasks.

    `since` is when the engine called the update completed; a task that ended later was not seen by
    it.
    """
    if service is None:
        return [_said("identity", CheckState.FAILED, "the service is gone", Cause.CONFLICT)]
    spec, state = service["Spec"], state_of(service)
    message = str((service.get("UpdateStatus") or {}).get("Message", ""))
    broken = ended(tasks, image)
    if runs_on(spec) != image:
        if not turned_back(service):
            fact = f"somebody updated it: its image is {runs_on(spec)}"
            return [_said("identity", CheckState.FAILED, fact, Cause.CONFLICT)]
        why = f": {told(broken[0])}" if broken else ""
        cause = cause_of(broken[0]) if broken else Cause.IMAGE
        return [_said("update", CheckState.FAILED, f"the engine took it back{why}", cause)]
    if state in STUCK:
        cause = cause_of(broken[0]) if broken else Cause.UNKNOWN
        return [_said("update", CheckState.FAILED, f"{state}: {message}", cause)]
    many, well = wanted(spec, tasks), [t for t in running(tasks) if _runs(t, image)]
    stale = [task for task in tasks if task["DesiredState"] == "running" and not _runs(task, image)]
    count = f"{len(well)} of {many} tasks run"
    if state in GOING:
        cause = _cause_of_waiting(tasks, image)
        return [_said("update", CheckState.FAILING, f"{state}, {count}{_waiting(tasks)}", cause)]
    late = [task for task in broken if since is not None and changed_at(task) > since]
    if late:
        fact = f"a task ended after the update was completed: {told(late[0])}"
        return [_said("tasks", CheckState.FAILED, fact, cause_of(late[0]))]
    if len(well) < many or stale:
        cause = _cause_of_waiting(tasks, image)
        return [_said("tasks", CheckState.FAILING, f"{count}{_waiting(tasks)}", cause)]
    return [CheckResult("tasks", CheckState.PASSED, count, proves=proves and many > 0)]


def cause_of(task: Json) -> Cause:
    """What a task that ended is the fault of, by the words of its node."""
    error = str(task["Status"].get("Err") or "")
    container = task["Status"].get("ContainerStatus") or {}
    if container.get("OOMKilled"):
        return Cause.CAPACITY
    if "no such image" in error.lower():
        return Cause.REGISTRY
    known = start_error_cause(error)
    if known is not Cause.UNKNOWN:
        return known
    return Cause.IMAGE if container.get("ContainerID") else Cause.PLATFORM  # it never began


def told(task: Json) -> str:
    """Which task, and how it ended."""
    status = task["Status"]
    code = (status.get("ContainerStatus") or {}).get("ExitCode", "?")
    why = status.get("Err") or f"it ended, or was unhealthy (exit code {code})"
    return f"task {slot_of(task)} {status['State']}: {why}"


def patience_for(
    spec: Json,
    check: Json | None,
    tasks: Sequence[Json],
    health: HealthSettings,
    checked: bool,
    side: Side = Side.NEW,
) -> Patience:
    """As long as the engine itself takes for all tasks in their turns, and the time-out over it.

    The way back has a pace of its own, or that of an update, where it is one to the engine.
    """
    paces = ["UpdateConfig"] if side is Side.NEW else ["UpdateConfig", "RollbackConfig"]
    needed = max(_needed_s(spec, spec.get(pace) or _PACE, check, tasks) for pace in paces)
    timeout_s = health.timeout_s if health.timeout_s is not None else TIMEOUT_S
    soak_s = health.stable_for_s
    if soak_s is None:
        soak_s = SOAK_PROVEN_S if check is not None or checked else SOAK_UNPROVEN_S
    return Patience(timeout_s + needed, soak_s)


def _needed_s(spec: Json, config: Json, check: Json | None, tasks: Sequence[Json]) -> float:
    """What the engine takes at one pace."""
    at_once = config.get("Parallelism") or math.inf
    rounds = math.ceil(wanted(spec, tasks) / at_once) if at_once < math.inf else 1
    grace = seconds(container_spec(spec), "StopGracePeriod") or STOP_S
    each = grace + TASK_S + verdict_s(check) + seconds(config, "Delay")
    return max(rounds, 1) * each + (seconds(config, "Monitor") or MONITOR_S)


def _runs(task: Json, image: str) -> bool:
    return runs_on({"TaskTemplate": task["Spec"]}) == image


def _waiting(tasks: Sequence[Json]) -> str:
    """What the node or the scheduler says of a task that is to run and does not."""
    for task in tasks:
        status = task["Status"]
        if task["DesiredState"] in ("ready", "running") and status["State"] != "running":
            error = status.get("Err") or status.get("Message") or ""
            return f"; task {slot_of(task)} is {status['State']}{f': {error}' if error else ''}"
    return ""


def _cause_of_waiting(tasks: Sequence[Json], image: str) -> Cause:
    """What is to blame if it never gets there: no node for it, else whatever ended last."""
    pending = [task for task in tasks if task["Status"]["State"] == "pending"]
    if any("no suitable node" in str(task["Status"].get("Err")) for task in pending):
        return Cause.CAPACITY
    broken = ended(tasks, image)
    if broken:
        return cause_of(broken[0])
    fetching = any(task["Status"]["State"] == "preparing" for task in tasks)
    return Cause.REGISTRY if fetching else Cause.IMAGE


def _said(check: str, state: CheckState, detail: str, cause: Cause) -> CheckResult:
    return CheckResult(check, state, detail, cause, proves=False)
