"""Many assets asked at once: in order, and nobody is asked any more once one question broke."""

from __future__ import annotations

import threading

import pytest

from safe_auto_updater.core.model import Asset, Health, Image, ImageUse, Status
from safe_auto_updater.engine.side_by_side import AT_ONCE, place_of, side_by_side


def asset(number: int, host: str = "one.example") -> Asset:
    use = ImageUse("web", Image(f"{host}/web:{number}"))
    name = f"web-{number}"
    return Asset(name, "docker", "container", name, (use,), Status.RUNNING, Health.NONE)


def test_answers_come_in_the_order_of_the_assets() -> None:
    assets = [asset(number, f"{number % 3}.example") for number in range(40)]
    assert side_by_side(assets, place_of, lambda one: one.id) == tuple(a.id for a in assets)


def test_a_slow_place_keeps_no_other_waiting() -> None:
    quick = threading.Event()

    def work(one: Asset) -> bool:
        if place_of(one) == "slow.example":
            return quick.wait(60)
        quick.set()
        return True

    slow = [asset(number, "slow.example") for number in range(2 * AT_ONCE)]
    assert all(side_by_side([*slow, asset(0)], place_of, work))


def test_nothing_more_is_begun_once_one_has_broken() -> None:
    begun = []
    broken = threading.Event()

    def work(one: Asset) -> None:
        begun.append(one.id)
        if one.id == "web-0":
            broken.set()
            raise KeyboardInterrupt
        broken.wait(60)
        threading.Event().wait(0.05)  # still under way while the first is told

    with pytest.raises(KeyboardInterrupt):
        side_by_side([asset(number) for number in range(20 * AT_ONCE)], place_of, work)
    assert len(begun) < 10 * AT_ONCE
