"""Policies of plugins: whatever one does, there is an answer, in time, and it names the policy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from safe_auto_updater.core.case import Veto
from safe_auto_updater.core.model import Asset, Health, Image, ImageUse, Status
from safe_auto_updater.core.ports import Policy, Proposal
from safe_auto_updater.engine.policies import PluginPolicies

USE = ImageUse("web", Image("web:1"))
WEB = Asset("web", "docker", "container", "web", (USE,), Status.RUNNING, Health.NONE)
PROPOSAL = Proposal(WEB, (), None, 0.0)


@dataclass(frozen=True)
class Says:
    answer: Callable[[], str | None]

    def judge(self, proposal: Proposal) -> str | None:
        return self.answer()


def failing(error: BaseException) -> Policy:
    def fail() -> str | None:
        raise error

    return Says(fail)


def test_every_no_is_told_with_the_name_of_who_said_it() -> None:
    asked = [("yes", Says(lambda: None)), ("one", Says(lambda: "no")), ("two", Says(lambda: "nor"))]
    policies = PluginPolicies(lambda asset: asked)
    assert policies.judge(PROPOSAL) == (
        Veto("plugin", "policy one: no"),
        Veto("plugin", "policy two: nor"),
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [(ValueError("too late"), "too late"), (ValueError(), "ValueError"), (SystemExit(), "System")],
)
def test_one_that_raises_holds_and_says_what(error: BaseException, told: str) -> None:
    (veto,) = PluginPolicies(lambda asset: [("bad", failing(error))]).judge(PROPOSAL)
    assert veto.reason.startswith(f"policy bad: failed: {told}")


def test_one_that_hangs_holds_and_is_not_asked_again_meanwhile() -> None:
    asked: list[int] = []
    over = threading.Event()

    def hang() -> None:
        asked.append(1)
        over.wait(60)

    slow: Policy = Says(hang)
    policies = PluginPolicies(lambda asset: [("slow", slow)], deadline_s=0.02)
    told = [policies.judge(PROPOSAL)[0].reason for _ in range(2)]
    over.set()
    assert "no answer within 0.02 s" in told[0]
    assert "still not answered" in told[1]
    assert len(asked) == 1
