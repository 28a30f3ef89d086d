"""An update that must wait for a human, for its window and for its age, seen through to the end."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from safe_auto_updater.app import App, SystemClock
from safe_auto_updater.config import ConfigLoader
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.model import Action
from safe_auto_updater.core.windows import opening, parse_window
from tests.lab_kit import World
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine

DAY_S = 86400.0
WINDOW = "Sat 02:00-05:00 Europe/Berlin"
CONFIG = f"""\
inventory:
  include: ["*/{{prefix}}*"]
detection:
  rules:
    - match: {{{{asset: "*/*-web"}}}}
      approval: required
      window: "{WINDOW}"
      minimum_age: 3d
execution:
  health: {{{{timeout: 10s, stable_for: 0s}}}}
"""


class Later(SystemClock):
    """The machine's clock, put forward."""

    ahead_s = 0.0

    def now(self) -> float:
        return super().now() + self.ahead_s

    def until(self, at: float) -> None:
        self.ahead_s += at - self.now()


def test_update_waits_for_its_age_its_human_and_its_window(world: World, sau: Sau) -> None:
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")
    config = ConfigLoader().load_text(CONFIG.format(prefix=world.prefix), "test")
    clock, told = Later(), list[Event]()
    # Sunday noon: more than the age before the window opens, so that each has to be waited for.
    clock.until(opening([parse_window(WINDOW)], time.time() + 7 * DAY_S).start - 5.5 * DAY_S)  # type: ignore[union-attr]

    def program() -> App:
        return App(config, sau.state, os.environ, [told.append], clock)

    def held_by() -> tuple[str, ...]:
        with program() as app:
            plan, _ = app.cycle.plan([])
            app.telling.holds(plan)
            assert not app.cycle.execute(plan, lambda: False)
        (step,) = plan.steps
        assert step.action is Action.HOLD
        assert all("rule */*-web" in reason for reason in step.reasons), step.reasons
        return step.hold_rules

    assert held_by() == ("age", "approval", "window")
    with program() as app:
        (step,) = app.decisions.proposals()
        app.decisions.approve(step, "alice")
    assert held_by() == ("age", "window")
    clock.ahead_s += 3 * DAY_S + 60
    assert held_by() == ("window",)
    with program() as app:
        period = opening([parse_window(WINDOW)], clock.now())
    assert period is not None
    clock.until(period.start - 30)
    assert held_by() == ("window",)
    clock.until(period.start + 1)
    with program() as app:
        plan, _ = app.cycle.plan([])
        (record,) = app.cycle.execute(plan, lambda: False)

    assert world.text("web") == "1.1.0"
    assert record.step.id == step.id
    assert "approved by alice" in " ".join(record.step.reasons)
    shown = sau("show", record.id, json_output=False)
    assert "approved by alice" in " ".join(shown.out.split())
    words = [(word["kind"], word["who"]) for word in sau("history").json["decisions"]]
    assert words[0] == ("held", "")
    assert ("approve", "alice") in words
    assert len([word for word in words if word[0] == "held"]) == 3  # once each time it is news
    assert [event.kind for event in told].count("held") == 3


def test_command_line_tells_three_reasons_and_takes_an_approval(world: World, sau: Sau) -> None:
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")
    closed = datetime.fromtimestamp(time.time() + 3 * DAY_S, UTC)
    labels = {
        "safe-auto-updater.approval": "required",
        "safe-auto-updater.window": f"{closed:%a} 00:00-23:59 UTC",
        "safe-auto-updater.minimum-age": "3d",
    }
    world.call("DELETE", f"/containers/{world.prefix}-web?force=1")
    container = world.run(f"{world.repository}:1.0.0", Labels=labels)

    step = sau("plan").step(f"{world.prefix}-web")
    waiting = sau("status").json["approvals"]
    approved = sau("approve", step["id"][:6], "--by", "bob")
    after = sau("plan").step(f"{world.prefix}-web")
    applied = sau("apply", "--yes")

    assert step["hold_rules"] == ["age", "approval", "window"]
    assert all("(label)" in reason for reason in step["reasons"]), step["reasons"]
    assert [one["id"] for one in waiting] == [step["id"]]
    assert (approved.code, approved.json["who"]) == (0, "bob")
    assert sau("status").json["approvals"] == []
    assert (after["id"], after["hold_rules"]) == (step["id"], ["age", "window"])
    assert (applied.code, applied.json["updates"]) == (0, [])
    assert world.ids() == {container}


def test_approval_of_what_no_plan_showed_is_refused(world: World, sau: Sau, tmp_path: Path) -> None:
    said = sau("approve", "0123456789ab")
    assert said.code == 2
    assert "sau plan" in said.err
    assert json.loads(sau("history").out)["decisions"] == []
