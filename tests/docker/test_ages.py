"""How old a version is: counted from our own first sight of it, over every run of the program."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.docker.test_choosing import chosen, label, plan, said, why
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine

THREE_DAYS = "detection: {minimum_age: 3d}\n"
FORGED = "2001-01-01T00:00:00Z"


def later(sau: Sau, days: float) -> None:
    """So many days pass: what was seen is older by them."""
    with closing(sqlite3.connect(sau.state / "state.db")) as state, state:
        state.execute("UPDATE sightings SET first_seen = first_seen - ?", (days * 86400,))


def test_forged_date_in_an_image_makes_it_no_older(world: World, sau: Sau) -> None:
    sau.configure(extra=THREE_DAYS)
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0", created=FORGED, labels={"org.opencontainers.image.created": FORGED})

    for days in (1, 1.9, 0.2):  # each a process of its own
        step = plan(sau)
        assert (step["action"], step["hold_rules"]) == ("hold", ["age"])
        assert "minimum age is 3d (default)" in step["reasons"][0]
        later(sau, days)

    assert chosen(plan(sau)["changes"][0]) == "1.1.0"
    assert sau("apply", "--yes").update["outcome"] == "succeeded"


def test_date_in_the_future_makes_it_no_younger(world: World, sau: Sau) -> None:
    sau.configure(extra=THREE_DAYS)
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0", created="2099-01-01T00:00:00Z")
    assert plan(sau)["hold_rules"] == ["age"]
    later(sau, 3)
    assert plan(sau)["action"] == "update"


def test_the_newest_that_is_old_enough_is_taken_and_the_newer_ones_are_told(
    world: World, sau: Sau
) -> None:
    sau.configure(extra=THREE_DAYS)
    world.run(world.publish("1.0.0").reference)
    for tag in ("1.1.0", "1.2.0", "1.3.0"):
        world.publish(tag)
        plan(sau)
        later(sau, 2)

    change = plan(sau)["changes"][0]

    assert (chosen(change), set(why(change))) == ("1.2.0", {"1.3.0"})
    assert why(change)["1.3.0"] == "younger than 3d (default)"
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "1.2.0"


def test_a_version_that_was_pushed_again_is_as_young_as_its_new_content(
    world: World, sau: Sau
) -> None:
    sau.configure(extra=THREE_DAYS)
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")
    plan(sau)
    later(sau, 5)
    world.publish("1.1.0", version="other content")
    assert plan(sau)["hold_rules"] == ["age"]


def test_of_a_tag_that_moves_every_day_the_newest_old_enough_content_is_taken(
    world: World, sau: Sau
) -> None:
    sau.configure(extra=THREE_DAYS)
    world.publish("latest", version="monday")
    world.run(f"{world.repository}:latest")
    plan(sau)
    for day in ("tuesday", "wednesday", "thursday"):
        later(sau, 1)
        world.publish("latest", version=day)
        assert plan(sau)["hold_rules"] == ["age"]
    later(sau, 1.5)

    assert why(plan(sau)["changes"][0]) == {"latest": "younger than 3d (default)"}
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "tuesday"
    later(sau, 1)
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "wednesday"


def test_content_that_its_publisher_took_back_is_not_taken_when_it_gets_old(
    world: World, sau: Sau
) -> None:
    sau.configure(extra=THREE_DAYS)
    old = world.publish("latest", version="good")
    world.run(old.reference)
    plan(sau)
    world.publish("latest", version="bad")
    assert plan(sau)["hold_rules"] == ["age"]
    world.publish("latest", version="good")
    assert plan(sau)["action"] == "none"
    later(sau, 5)
    world.publish("latest", version="new")
    assert plan(sau)["hold_rules"] == ["age"]
    assert sau("apply", "--yes").json["updates"] == []


def test_an_age_that_passes_while_we_watch_lets_the_update_go(world: World, sau: Sau) -> None:
    world.run(world.publish("1.0.0").reference, **label(**{"minimum-age": "4s"}))
    world.publish("1.1.0")
    first = plan(sau)
    assert (first["action"], first["hold_rules"]) == ("hold", ["age"])
    assert "minimum age is 4s (label)" in first["reasons"][0]
    eventually(lambda: plan(sau)["action"] == "update", 30)


def test_a_hold_that_waits_for_time_is_told_once_though_its_words_change(
    world: World, sau: Sau
) -> None:
    sau.configure(extra=THREE_DAYS)
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")
    reasons = set()
    for _ in range(3):
        assert sau("apply", "--yes").json["updates"] == []
        reasons.add(plan(sau)["reasons"][0])
        later(sau, 0.5)
    assert len(reasons) == 3
    (told,) = said(sau, "held")
    assert told["reason"] in reasons

    world.publish("1.2.0")  # something else that waits is news
    sau("apply", "--yes")
    assert len(said(sau, "held")) == 2
