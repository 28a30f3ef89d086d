"""A hold is told once per asset, candidate and reason, with what waits and where to read of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.links import LABELS, link, said_by
from safe_auto_updater.core.model import Asset, Change, Health, Image, ImageUse, Status
from safe_auto_updater.core.policy import AssetPolicy, Keys, Settings
from safe_auto_updater.core.ports import Scan, Trees
from safe_auto_updater.core.spelling import Approval
from safe_auto_updater.core.windows import parse_window
from tests.cycle_kit import CycleScene

WEB = "docker:local/web"
SOURCE = {"org.opencontainers.image.source": "https://example.org/web"}


class House(CycleScene):
    """One container, what detection finds for it, and a cycle over a real state folder."""

    name = "house"

    def __init__(self, folder: Path, default: Keys) -> None:
        self.labels: tuple[tuple[str, str], ...] = ()
        self.candidate: str | None = "1.1"
        self.says: dict[str, Any] = dict(SOURCE)
        nobody = lambda step: pytest.fail("nothing is executed here")  # noqa: E731
        super().__init__(folder, [self], Settings(default=default), nobody)

    def scan(self) -> Scan:
        use = ImageUse("web", Image("r/web:1.0", "1.0", "sha256:1.0"), policy_labels=self.labels)
        running = (Status.RUNNING, Health.HEALTHY)
        return Scan((Asset(WEB, "docker", "container", "web", (use,), *running),))

    def check(self, asset: Asset, policy: AssetPolicy) -> tuple[Change, ...]:
        found = Change(WEB, "web", asset.images[0].image)
        if self.candidate is None:
            return (found,)
        new = Image(
            f"r/web:{self.candidate}", self.candidate, f"sha256:{self.candidate}", self.candidate
        )
        return (replace(found, candidate=new, bump="minor", first_seen=self.clock.at),)

    def trees(self, asset: Asset, change: Change) -> Trees:
        return Trees({"image": {"labels": {}}}, {"image": {"labels": self.says}})

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """What one more cycle tells."""
        self.events.clear()
        plan, _ = self.cycle.plan()
        self.telling.holds(plan)
        assert {event.kind for event in self.events} <= {"held"}
        return [(event.message, dict(event.details)) for event in self.events]


def test_hold_is_told_once_until_candidate_or_reason_is_another(tmp_path: Path) -> None:
    house = House(tmp_path, Keys(approval=Approval.REQUIRED))
    details = {"changes": "web 1.0 -> 1.1 (minor)", "links": ("https://example.org/web",)}
    [(message, told)] = house.told()
    assert "approve" in message and told == details
    assert house.told() == []

    house.candidate = "1.2"
    [(_, told)] = house.told()
    assert told["changes"] == "web 1.0 -> 1.2 (minor)"
    assert house.told() == []

    house.decisions.hold(WEB, "holidays")
    [(message, _)] = house.told()
    assert "holidays" in message
    assert house.told() == []


def test_hold_is_news_again_after_there_was_none(tmp_path: Path) -> None:
    house = House(tmp_path, Keys(approval=Approval.REQUIRED))
    assert len(house.told()) == 1
    house.candidate = None
    assert house.told() == []
    house.candidate = "1.1"
    assert len(house.told()) == 1


def test_hold_that_comes_between_plan_and_update_is_told_once_too(tmp_path: Path) -> None:
    house = House(tmp_path, Keys())
    plan, _ = house.cycle.plan()
    assert plan.updates
    house.decisions.hold(WEB, "holidays")

    assert house.cycle.execute(plan, lambda: False) == ()
    [event] = house.events
    assert (event.kind, event.details["changes"]) == ("held", "web 1.0 -> 1.1 (minor)")
    assert "holidays" in event.message
    assert house.told() == []


def test_window_that_comes_closer_is_no_news(tmp_path: Path) -> None:
    house = House(tmp_path, Keys(window=(parse_window("Sat 02:00-05:00 UTC"),)))
    assert len(house.told()) == 1
    house.clock.at += 86400
    assert house.told() == []


def test_link_of_the_user_wins_over_that_of_the_image(tmp_path: Path) -> None:
    house = House(tmp_path, Keys(approval=Approval.REQUIRED))
    house.labels = (("safe-auto-updater.link", "https://example.org/mine"),)
    [(_, told)] = house.told()
    assert told["links"] == ("https://example.org/mine",)


def test_link_that_is_none_holds_with_the_remedy(tmp_path: Path) -> None:
    house = House(tmp_path, Keys())
    house.labels = (("safe-auto-updater.link", "javascript:alert(1)"),)
    [(message, _)] = house.told()
    assert "label safe-auto-updater.link" in message and "write for example https://" in message


def test_image_that_says_nothing_usable_has_no_link(tmp_path: Path) -> None:
    house = House(tmp_path, Keys(approval=Approval.REQUIRED))
    house.says = {LABELS[0]: "git@example.org:web", LABELS[1]: "", LABELS[2]: None}
    [(_, told)] = house.told()
    assert told == {"changes": "web 1.0 -> 1.1 (minor)"}


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({}, None),
        ({LABELS[2]: "https://h/docs"}, "https://h/docs"),
        ({LABELS[1]: "https://h/", LABELS[2]: "https://h/docs"}, "https://h/"),
        ({LABELS[0]: "ftp://h/", LABELS[1]: "http://h/"}, "http://h/"),
        ({LABELS[0]: "https://u:p@h/"}, None),
        ({LABELS[0]: "https://h/ x"}, None),
        ({LABELS[0]: "https://[::1"}, None),
        ({LABELS[0]: "https://h/" + "x" * 500}, None),
    ],
)
def test_first_usable_address_of_the_image_counts(
    labels: dict[str, str], found: str | None
) -> None:
    assert said_by({"image": {"labels": labels}}) == found


def test_tree_of_a_chart_has_no_link() -> None:
    assert said_by({"images": {}}) is None


@pytest.mark.parametrize("text", ["", "example.org", "https://", "file:///x", "https://h/\nx"])
def test_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        link(text)
