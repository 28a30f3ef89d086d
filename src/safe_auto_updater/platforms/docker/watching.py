"""How a container of an update is looked at: identity first, then what the engine says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.identity import matches
from safe_auto_updater.core.model import Status
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import AssetPolicy, Settings, resolve
from safe_auto_updater.core.ports import CheckResult, CheckState
from safe_auto_updater.core.updater import Look, Patience, Work
from safe_auto_updater.platforms.docker.state import judge, patience_for, status_of
from safe_auto_updater.platforms.docker.subject import subject_of

Json = Mapping[str, Any]
_AT_REST = (Status.EXITED, Status.CREATED)


def policy_of(settings: Settings, work: Work) -> AssetPolicy:
    """The settings of the asset that is worked on, by the labels that PRECHECK saw."""
    return resolve(settings, work.step.asset, work.facts.get("labels", {}))


def look_at(
    settings: Settings,
    work: Work,
    wanted: str,
    container: Json | None,
    restarts: int,
    called: str | None = None,
) -> Look:
    """One look at the container of one ID; `restarts` of it are no news.

    It must be `called` so: by default, like the asset.
    """
    name = called or work.change.container
    if container is None or container["Name"].lstrip("/") != name:
        fact = "gone" if container is None else f"called {container['Name'].lstrip('/')} now"
        result = CheckResult(
            "identity", CheckState.FAILED, f"container {wanted[:12]} is {fact}", Cause.CONFLICT
        )
        return Look((result,), (subject_of(work, container or {}),))
    if not work.facts.get("ran", True):
        return Look((_at_rest(container),), ())
    results = judge(container, restarts, policy_of(settings, work).one_shot)
    return Look(results, (subject_of(work, container),))


def patience_with(settings: Settings, work: Work, container: Json | None) -> Patience:
    """By the HEALTHCHECK in force, and the settings."""
    checked = any(matches(spec.pattern, work.step.asset) for spec in settings.checks)
    health = policy_of(settings, work).health
    return patience_for(container or {"Config": {}}, health, checked)


def _at_rest(container: Json) -> CheckResult:
    """One that did not run before and must not run now."""
    status = status_of(container)
    state = CheckState.PASSED if status in _AT_REST else CheckState.FAILED
    fact = f"{status.value}; it did not run before"
    return CheckResult("running", state, fact, Cause.CONFLICT, proves=False)
