"""Which updates need nobody."""

from __future__ import annotations

import pytest

from safe_auto_updater.core.memory import Approved, Memory
from safe_auto_updater.core.model import Action, Change, Image, Plan, Step
from safe_auto_updater.core.risk import Reversibility
from safe_auto_updater.core.unattended import Unattended, permitted


def step(*assets: str, action: Action = Action.UPDATE) -> Step:
    changes = tuple(Change(a, a, Image(f"{a}:1"), Image(f"{a}:2"), "minor") for a in assets)
    return Step(assets[0], action, changes=changes, members=assets if len(assets) > 1 else ())


def assets(steps: tuple[Step, ...]) -> list[str]:
    return [one.asset for one in steps]


@pytest.mark.parametrize(
    ("whose", "expected"),
    [
        (Unattended.LABELLED, ["web"]),
        (Unattended.ALL, ["web", "both", "other"]),
        (Unattended.NONE, []),
    ],
)
def test_each_asset_of_a_step_has_to_be_enabled(whose: Unattended, expected: list[str]) -> None:
    held = step("held", action=Action.HOLD)
    plan = Plan((step("web"), step("both", "other2"), step("other"), held))
    enabled = {"web", "both", "held"}

    to_do, to_ask = permitted(plan, whose, enabled.__contains__, Memory(0.0))

    assert assets(to_do.updates) == expected
    assert assets(to_ask) == [a for a in ("web", "both", "other") if a not in expected]
    assert held in to_do.steps, "holds are told with what is done"


@pytest.mark.parametrize("whose", Unattended)
def test_what_a_human_approved_needs_no_more(whose: Unattended) -> None:
    one = step("web")
    word = Approved(one.id, "web", "me", 0.0, 0, Reversibility.R0)
    to_do, to_ask = permitted(Plan((one,)), whose, lambda _: False, Memory(0.0, approved=(word,)))
    assert (assets(to_do.updates), to_ask) == (["web"], ())
