"""Why a service must not be updated, each with the command that would let it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from safe_auto_updater.core.model import Obstacle
from safe_auto_updater.platforms.docker.swarm.checking import seconds, verdict_s
from safe_auto_updater.platforms.docker.swarm.view import (
    GOING,
    STACK,
    STUCK,
    container_spec,
    image_of,
    is_job,
    state_of,
)

Json = Mapping[str, Any]
MONITOR_S = 60  # what a remedy proposes, unless the health check needs longer
MOST_FAILING = 0.5  # of the tasks; above, the engine would go on with most of them broken


def obstacles_of(service: Json, check: Json | None, digests: tuple[str, ...]) -> list[Obstacle]:
    """Every reason in itself to leave this service alone.

    `check` is the HEALTHCHECK in force, `digests` what its tasks are known to run.
    """
    spec = service["Spec"]
    if not container_spec(spec):
        return [Obstacle("swarm", "its tasks are no containers; update it by hand")]
    if is_job(spec):
        return [Obstacle("swarm", "a job: its tasks are to end, and nobody could watch a new one")]
    return [
        *_under_way(service),
        *_unpinned(spec, digests),
        *_no_way_back(spec, check),
        *_stack(spec),
    ]


def _under_way(service: Json) -> Iterator[Obstacle]:
    state, name = state_of(service), service["Spec"]["Name"]
    message = (service.get("UpdateStatus") or {}).get("Message", "")
    if state in GOING:
        yield Obstacle("swarm", f"the engine is updating it ({state}: {message}); wait for its end")
    if state in STUCK:
        yield Obstacle(
            "swarm",
            f"its last update is stuck ({state}: {message}); end it by `docker service rollback "
            f"{name}`, or go on by `docker service update {name}`",
        )


def _unpinned(spec: Json, digests: tuple[str, ...]) -> Iterator[Obstacle]:
    image = image_of(spec)
    if image.digest is None:
        target = f"{image.reference}@{digests[0]}" if digests else image.reference
        yield Obstacle(
            "swarm",
            f"{image.reference} is not pinned to a digest, so that a task that starts again may "
            f"run something else, also after going back: `docker service update --image {target} "
            f"{spec['Name']}`",
        )


def _no_way_back(spec: Json, check: Json | None) -> Iterator[Obstacle]:
    """The engine itself must take a bad update back, and look long enough to see it.

    What it must do is asked of a way forward: what runs now, and brought a HEALTHCHECK that is
    slower, must not keep anybody on it.
    """
    config = spec.get("UpdateConfig") or {}
    needed, monitor = verdict_s(check), seconds(config, "Monitor")
    reasons, remedy = [], []
    action = config.get("FailureAction") or "pause"
    if action != "rollback":
        reasons.append(f"its update_config's failure_action is {action}, not rollback")
        remedy.append("--update-failure-action rollback")
    if monitor <= 0 or monitor < needed:
        told = "is not set" if monitor <= 0 else f"of {monitor:g} s is too short"
        until = f": its health check needs {needed:g} s for its word" if needed else ""
        reasons.append(f"its update_config's monitor {told}{until}")
    if reasons:
        remedy.append(f"--update-monitor {max(MONITOR_S, math.ceil(needed))}s")
    ratio = config.get("MaxFailureRatio") or 0.0
    if ratio > MOST_FAILING:
        reasons.append(f"its update_config's max_failure_ratio {ratio:g} lets most tasks fail")
        remedy.append("--update-max-failure-ratio 0")
    if reasons:
        command = f"docker service update {' '.join(remedy)} {spec['Name']}"
        also = f", and write it into the file of stack {_stack_of(spec)}" if _stack_of(spec) else ""
        fact = f"{'; '.join(reasons)}: `{command}`{also}"
        yield Obstacle("swarm", fact, only_forward=True)


def _stack(spec: Json) -> Iterator[Obstacle]:
    stack = _stack_of(spec)
    if stack:
        service = str(spec["Name"]).removeprefix(f"{stack}_")
        yield Obstacle(
            "stack",
            f"the file of stack {stack} names this tag for service {service}: write the new tag "
            "into it, then `docker stack deploy`; with compose set to container-only the next "
            "deploy puts the old tag back",
            only_tag_changes=True,
        )


def _stack_of(spec: Json) -> str | None:
    return (spec.get("Labels") or {}).get(STACK)
