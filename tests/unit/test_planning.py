"""One step per asset: every guard has its row, and says its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from safe_auto_updater.core import planning
from safe_auto_updater.core.case import Case
from safe_auto_updater.core.memory import Blocked, Failed, Hold, Memory
from safe_auto_updater.core.model import (
    Action,
    Asset,
    Change,
    Health,
    Image,
    ImageUse,
    Obstacle,
    Plan,
    Status,
)
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import AssetPolicy, Rule, Settings, resolve
from safe_auto_updater.core.versions import PolicyLevel

WEB = "docker:local/web"
OLD = Image("web:1.0.0", "1.0.0", "sha256:old", image_id="sha256:oldid")
NEW = Image("web:1.1.0", "1.1.0", "sha256:new", "sha256:content")
MOVED = Image("web:1.0.0", "1.0.0", "sha256:moved", "sha256:content")
FOUND = Change(WEB, "web", OLD, NEW, "minor")
ASSET = Asset(
    WEB, "docker", "container", "web", (ImageUse("web", OLD),), Status.RUNNING, Health.HEALTHY
)
POLICY = resolve(Settings(), WEB, {})
MEMORY = Memory(now=100.0)
FAILED = Failed(WEB, "web", "sha256:content", Cause.IMAGE, "u1", "it crashed")
TAGGED = Obstacle("x", "the tag is fixed", only_tag_changes=True)

HELD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"changes": (Change(WEB, "web", OLD, error="429"),)}, "429"),
    "unknown label": (
        {"policy": resolve(Settings(), WEB, {"safe-auto-updater.polcy": "none"})},
        "did you mean policy?",
    ),
    "bad label": ({"policy": resolve(Settings(), WEB, {"safe-auto-updater.policy": "x"})}, "label"),
    "switched off": ({"policy": replace(POLICY, enable=False)}, "enable=false"),
    "held": ({"memory": replace(MEMORY, holds=(Hold(WEB, "by me", 1.0),))}, "by me"),
    "all held": ({"memory": replace(MEMORY, holds=(Hold("*", "freeze", 1.0),))}, "freeze"),
    "version held": (
        {"memory": replace(MEMORY, holds=(Hold(WEB, "went back", 1.0, None, "sha256:content"),))},
        "went back",
    ),
    "interrupted": ({"memory": replace(MEMORY, blocked=(Blocked(WEB, "u", "half"),))}, "half"),
    "obstacle": ({"asset": replace(ASSET, obstacles=(Obstacle("x", "no way"),))}, "no way"),
    "fixed tag": ({"asset": replace(ASSET, obstacles=(TAGGED,))}, "the tag is fixed"),
    "quarantined": ({"memory": replace(MEMORY, quarantine=(FAILED,))}, "it crashed"),
    "failed elsewhere": (
        {"memory": replace(MEMORY, quarantine=(replace(FAILED, asset="docker:local/b"),))},
        "docker:local/b",
    ),
    "paused": ({"asset": replace(ASSET, status=Status.PAUSED)}, "paused"),
    "stopped": ({"asset": replace(ASSET, status=Status.EXITED)}, "stays as it is"),
    "crash loop": ({"asset": replace(ASSET, status=Status.RESTARTING)}, "restarting"),
    "unhealthy": ({"asset": replace(ASSET, health=Health.UNHEALTHY)}, "unhealthy before"),
}


def case(**given: Any) -> Case:
    return Case(
        **{"asset": ASSET, "changes": (FOUND,), "policy": POLICY, "memory": MEMORY, **given}
    )


def test_newer_version_without_an_obstacle_is_an_update() -> None:
    step = planning.decide(case())
    assert step.action is Action.UPDATE
    assert step.reasons == ("1.1.0 is the newest that policy minor (default) allows (minor)",)


@pytest.mark.parametrize("what", HELD)
def test_hold_says_why(what: str) -> None:
    given, reason = HELD[what]
    step = planning.decide(case(**given))
    assert step.action is Action.HOLD
    assert reason in " ".join(step.reasons)


GO: dict[str, dict[str, Any]] = {
    "a fixed tag with new content": {
        "asset": replace(ASSET, obstacles=(TAGGED,)),
        "changes": (Change(WEB, "web", OLD, MOVED, "digest"),),
    },
    "another version was quarantined": {
        "memory": replace(MEMORY, quarantine=(replace(FAILED, content="sha256:bad"),))
    },
    "it failed elsewhere by its configuration": {
        "memory": replace(
            MEMORY, quarantine=(replace(FAILED, asset="docker:local/b", cause=Cause.CONFIG),)
        )
    },
    "another asset is held": {"memory": replace(MEMORY, holds=(Hold("docker:local/b", "x", 1.0),))},
    "it is still starting, which the check before the update waits for": {
        "asset": replace(ASSET, health=Health.STARTING)
    },
    "unhealthy, and fix-forward allows it": {
        "asset": replace(ASSET, health=Health.UNHEALTHY),
        "policy": replace(POLICY, fix_forward=True),
    },
}


@pytest.mark.parametrize("what", GO)
def test_update_goes_on_when(what: str) -> None:
    assert planning.decide(case(**GO[what])).action is Action.UPDATE


def test_nothing_newer_is_none_and_not_a_hold() -> None:
    step = planning.decide(case(changes=(Change(WEB, "web", OLD),)))
    assert (step.action, step.reasons) == (Action.NONE, ("nothing newer exists",))


def test_nothing_newer_is_none_even_where_something_stands_in_the_way() -> None:
    stopped = replace(ASSET, status=Status.EXITED)
    step = planning.decide(case(asset=stopped, changes=(Change(WEB, "web", OLD),)))
    assert step.action is Action.NONE


def test_step_id_is_stable_over_plans_and_differs_with_from_and_to() -> None:
    step = planning.decide(case())
    assert step.id == planning.decide(case(memory=Memory(now=999.0))).id
    other = replace(FOUND, candidate=replace(NEW, content="sha256:else"))
    assert step.id != planning.decide(case(changes=(other,))).id
    assert Plan((step,)).id == Plan((step,)).id


PRECEDENCE = [
    ({}, (), PolicyLevel.MINOR, "default"),
    ({}, (Rule("*/web", policy=PolicyLevel.PATCH),), PolicyLevel.PATCH, "rule */web"),
    (
        {},
        (Rule("*/web", enable=True), Rule("*", policy=PolicyLevel.MAJOR)),
        PolicyLevel.MINOR,
        "default",
    ),
    (
        {"safe-auto-updater.policy": "none"},
        (Rule("*", policy=PolicyLevel.MAJOR),),
        PolicyLevel.NONE,
        "label",
    ),
]


@pytest.mark.parametrize(("labels", "rules", "level", "source"), PRECEDENCE)
def test_label_over_first_matching_rule_over_default(
    labels: dict[str, str], rules: tuple[Rule, ...], level: PolicyLevel, source: str
) -> None:
    found: AssetPolicy = resolve(Settings(rules=rules), WEB, labels)
    assert (found.level, found.source("policy")) == (level, source)
