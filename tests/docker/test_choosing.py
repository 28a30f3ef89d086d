"""Which version is chosen, against a real registry: never half an answer, never backwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from lab import images
from tests.lab_kit import World
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine


def label(**keys: str) -> dict[str, Any]:
    """Settings of one container, as its user writes them."""
    return {"Labels": {f"safe-auto-updater.{key}": value for key, value in keys.items()}}


def stock(world: World, *tags: str) -> None:
    """Many tags of one new content: what they bring is not what runs."""
    new = world.publish(tags[0], version="new")
    for tag in tags[1:]:
        images.tag(world.lab.registry, world.name, new.digest, tag)


def delete(world: World, *tags: str) -> None:
    for tag in tags:
        images.delete(world.lab.registry, world.name, tag)


def found(sau: Sau) -> dict[str, dict[str, Any]]:
    """What `sau check` says of each container, by its name in the test."""
    changes = sau("check").json["changes"]
    return {change["container"].removeprefix(f"{sau.world.prefix}-"): change for change in changes}


def chosen(change: dict[str, Any]) -> str | None:
    return None if change["candidate"] is None else change["candidate"]["version"]


def why(change: dict[str, Any]) -> dict[str, str]:
    return {rejection["tag"]: rejection["reason"] for rejection in change["rejected"]}


def plan(sau: Sau, name: str = "web") -> dict[str, Any]:
    return sau("plan").step(f"{sau.world.prefix}-{name}")


def said(sau: Sau, kind: str, name: str = "web") -> list[dict[str, Any]]:
    """What humans decided, or were told, of one kind."""
    words = sau("history", name).json["decisions"]
    return [word for word in words if word["kind"] == kind]


def a_day_later(sau: Sau) -> None:
    with closing(sqlite3.connect(sau.state / "state.db")) as state, state:
        state.execute("UPDATE tag_lists SET doubted_since = doubted_since - 86400")


TEN = [f"1.0.{patch}" for patch in range(10)]

# which tags go at the registry, what is said of the rest, and what is taken once it is believed
SHRUNK = {
    "fewer": (TEN[1:5], "lists 6 tags, and listed 10 before", "1.0.9"),
    "the newest gone": (TEN[9:], "lists 1.0.9 no more, the newest of its kind", "1.0.8"),
    "only what runs is left": (TEN[1:], "lists 1 tags, and listed 10 before", None),
}


@pytest.mark.parametrize("what", SHRUNK)
def test_list_that_shrank_over_night_changes_nothing_for_a_day(
    world: World, sau: Sau, what: str
) -> None:
    gone, words, believed = SHRUNK[what]
    for tag in TEN:
        world.publish(tag)
    old = world.run(f"{world.repository}:1.0.0")
    assert chosen(plan(sau)["changes"][0]) == "1.0.9"
    delete(world, *gone)

    for _ in range(2):
        applied = sau("apply", "--yes")
        assert (applied.code, applied.json["updates"], world.ids()) == (0, [], {old})
    step = plan(sau)
    assert (step["action"], step["hold_rules"]) == ("hold", ["unknown"])
    assert words in step["reasons"][0]
    (told,) = said(sau, "held")
    assert words in told["reason"]

    a_day_later(sau)
    assert chosen(found(sau)["web"]) == believed


def test_list_that_is_empty_is_no_answer(world: World, sau: Sau) -> None:
    world.run(world.publish("1.0.0").reference)
    assert plan(sau)["action"] == "none"
    delete(world, "1.0.0")
    assert plan(sau)["hold_rules"] == ["unknown"]


def test_half_a_list_is_no_reason_to_go_back(world: World, sau: Sau) -> None:
    """What runs is gone, older versions are left: also when that is believed."""
    for tag in TEN:
        world.publish(tag)
    old = world.run(f"{world.repository}:1.0.9")
    assert plan(sau)["action"] == "none"
    delete(world, *TEN[5:])
    assert plan(sau)["hold_rules"] == ["unknown"]
    a_day_later(sau)
    assert chosen(found(sau)["web"]) is None
    assert sau("apply", "--yes").json["updates"] == []
    assert world.ids() == {old}


def test_versions_are_compared_as_numbers_in_whatever_order_they_are_listed(
    world: World, sau: Sau
) -> None:
    for tag in ("1.9.0", "1.10.0", "1.2.0", "1.9.10"):
        world.publish(tag)
    stock(world, "0.9.0", "1.1.0", "1.10.1", "1.8.20", "1.10.0-alpine", "v1.99.0", "2.0.0", "zzz")
    for tag in ("1.9.0", "1.10.0", "1.2.0", "1.9.10"):
        world.create(f"{world.repository}:{tag}", tag)

    changes = found(sau)

    assert {chosen(change) for change in changes.values()} == {"1.10.1"}
    assert why(changes["1.9.0"])["2.0.0"] == "major, policy is minor"
    assert why(changes["1.9.0"])["v1.99.0"] == "another track: prefix v"


def test_what_is_lower_than_what_runs_is_never_taken_nor_mentioned(world: World, sau: Sau) -> None:
    stock(world, "1.0.0", "1.9.9", "0.1", "1.10.0-rc9", "latest")
    world.run(world.publish("1.10.0").reference, **label(policy="major", prereleases="true"))
    (change,) = found(sau).values()
    assert (chosen(change), change["rejected"]) == (None, [])


def test_prereleases_only_follow_one_of_the_same_version_unless_a_rule_wants_them(
    world: World, sau: Sau
) -> None:
    sau.configure(extra="detection: {rules: [{match: {asset: '*-ruled'}, prereleases: true}]}\n")
    release = world.publish("1.0.0").reference
    candidate = world.publish("1.1.0-rc1").reference
    stock(world, "1.1.0-rc2", "1.2.0-beta1", "1.0.1-alpha")
    world.create(release, "plain")
    world.create(release, "labelled", **label(prereleases="true"))
    world.create(release, "ruled")
    world.create(candidate, "candidate")

    changes = found(sau)

    assert {name: chosen(change) for name, change in changes.items()} == {
        "plain": None,
        "labelled": "1.2.0-beta1",
        "ruled": "1.2.0-beta1",
        "candidate": "1.1.0-rc2",
    }
    assert set(why(changes["plain"]).values()) == {"prerelease"}
    stock(world, "1.1.0")
    assert chosen(found(sau)["candidate"]) == "1.1.0"


# what runs, how far it may go, and what is chosen; all of it in one repository
TRACKS = [
    ("6.14.0", "major", "6.15.1"),
    ("2021.12.14", "major", "2022.1.3"),
    ("2.4.7-p9", "minor", "2.4.7-p13"),
    ("4.1.2.7", "minor", "4.1.3.10"),
    ("20240101", "minor", "20240215"),
    ("2024-01-11", "minor", "2024-02-01"),
    ("1.26.0-alpine", "minor", "1.27.1-alpine"),
    ("16.1.0-debian-12-r4", "patch", "16.1.0-debian-12-r11"),
    ("3.1.0-alpine3.19", "minor", "3.1.0-alpine3.20"),
    ("3.1.0-alpine3.19", "patch", None),
    ("1.26", "minor", "1.27"),
    ("abc1234", "major", None),
    ("sha-1234567", "major", None),
    ("latest", "major", None),
    ("stable-alpine", "major", None),
]  # fmt: skip


def test_each_way_of_counting_goes_on_in_its_own_way(world: World, sau: Sau) -> None:
    """Calendar beside count, patches behind p, four parts, dates, hashes, distributions."""
    stock(world, *{new for _, _, new in TRACKS if new}, "2.4.7-p10", "4.1.3.9", "def5678",
          "sha-7654321", "6.15.1-alpine", "1.27.1-bookworm", "v7.0.0", "17", "nightly")  # fmt: skip
    old = world.publish("abc1234", version="old")
    for running in {running for running, _, _ in TRACKS}:
        images.tag(world.lab.registry, world.name, old.digest, running)
    for number, (running, policy, _) in enumerate(TRACKS):
        world.create(f"{world.repository}:{running}", str(number), **label(policy=policy))

    changes = found(sau)

    for number, (running, policy, new) in enumerate(TRACKS):
        assert chosen(changes[str(number)]) == new, (running, policy)
        assert changes[str(number)]["error"] is None


def test_two_tags_of_one_content_are_one_update_and_then_quiet(world: World, sau: Sau) -> None:
    old, new = world.publish("1.11"), world.publish("1.12")
    for content, tags in ((old, ("1.11.0", "1")), (new, ("1.12.0",))):
        for tag in tags:
            images.tag(world.lab.registry, world.name, content.digest, tag)
    world.run(old.reference, "short")
    world.run(f"{world.repository}:1.11.0", "long")

    done = sau("apply", "--yes").json["updates"]

    assert sorted(update["changes"][0]["candidate"]["version"] for update in done) == [
        "1.12",
        "1.12.0",
    ]
    images.tag(world.lab.registry, world.name, new.digest, "1.13")
    images.tag(world.lab.registry, world.name, new.digest, "1.13.0")
    assert sau("apply", "--yes").json["updates"] == []
    assert plan(sau, "short")["reasons"] == ["1.13 is the newest allowed, and is what runs already"]
    assert plan(sau, "long")["action"] == "none"


def no_manifest(world: World, tag: str) -> None:
    images.lose_manifest(world.lab.layout.data / "registry", world.publish(tag))


def no_configuration(world: World, tag: str) -> None:
    images.lose_config(world.publish(tag, version=f"{world.prefix} {tag}"))


def another_machine(world: World, tag: str) -> None:
    world.publish(tag, architecture="arm64")


def index_without_this_machine(world: World, tag: str) -> None:
    arm = world.publish("", version="7 arm", architecture="arm64")
    power = world.publish("", version="7 power", architecture="ppc64le")
    images.publish_index(world.lab.registry, world.name, tag, [arm, power])


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (no_manifest, "listed, but not to be had"),
        (no_configuration, "listed, but not to be had"),
        (another_machine, "linux/arm64"),
        (index_without_this_machine, "linux/arm64"),
    ],
)
def test_tag_that_cannot_be_had_here_is_no_candidate_and_the_next_one_is(
    world: World, sau: Sau, made: Callable[[World, str], None], words: str
) -> None:
    world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")
    made(world, "1.2.0")

    change = plan(sau)["changes"][0]

    assert chosen(change) == "1.1.0"
    assert words in why(change)["1.2.0"]
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "1.1.0"
    assert (plan(sau)["action"], plan(sau)["changes"][0]["candidate"]) == ("none", None)


@pytest.mark.parametrize("made", [another_machine, index_without_this_machine])
def test_tag_that_stays_and_dropped_this_machine_is_never_taken(
    world: World, sau: Sau, made: Callable[[World, str], None]
) -> None:
    old = world.run(world.publish("latest").reference)
    made(world, "latest")
    step = plan(sau)
    assert (step["action"], step["hold_rules"]) == ("hold", ["unknown"])
    assert "linux/arm64" in step["reasons"][0]
    assert sau("apply", "--yes").json["updates"] == []
    assert world.ids() == {old}


def test_versions_that_must_be_walked_are_taken_one_minor_at_a_time(world: World, sau: Sau) -> None:
    sau.configure(extra="detection: {rules: [{match: {asset: '*-web'}, walk: minor}]}\n")
    for tag in ("1.10.0", "1.10.3", "1.11.0", "1.11.2", "1.13.1", "2.0.0"):
        world.publish(tag)
    world.run(f"{world.repository}:1.10.0")

    (change,) = plan(sau)["changes"]
    assert change["path"] == ["1.10.3", "1.11.2", "1.13.1"]
    assert why(change)["1.13.1"] == "later on the path: first 1.10.3"
    served = []
    for _ in range(3):
        assert sau("apply", "--yes").update["outcome"] == "succeeded"
        served.append(world.http("web"))

    assert served == ["1.10.3", "1.11.2", "1.13.1"]
    assert sau("apply", "--yes").json["updates"] == []


def test_version_that_a_human_took_back_is_held_there_until_released_and_not_elsewhere(
    world: World, sau: Sau
) -> None:
    old = world.publish("1.0.0").reference
    world.run(old)
    world.publish("1.1.0")
    sau("rollback", sau("apply", "--yes").update["id"])
    world.run(old, "other")

    for _ in range(2):  # each a process of its own
        held = plan(sau)
        assert (held["action"], held["hold_rules"]) == ("hold", ["memory"])
        assert "a human took 1.1.0 back" in held["reasons"][0]
        world.publish("1.1.0", labels={"pushed": "anew"})  # it is the same version still
    assert plan(sau, "other")["action"] == "update"
    assert [update["asset"] for update in sau("apply", "--yes").json["updates"]] == [
        f"docker:local/{world.prefix}-other"
    ]
    assert world.text("web") == "1.0.0"

    assert sau("release", "web").code == 0
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    (word,) = said(sau, "release")
    assert word["who"] and word["at"] > 0


def test_denied_version_is_skipped_the_next_one_taken_and_a_newer_one_too(
    world: World, sau: Sau
) -> None:
    for tag in ("1.0.0", "1.1.0", "1.2.0"):
        world.publish(tag)
    world.run(f"{world.repository}:1.0.0")
    assert chosen(plan(sau)["changes"][0]) == "1.2.0"

    assert sau("deny", "web", "--by", "ann").code == 0

    change = plan(sau)["changes"][0]
    assert (chosen(change), why(change)["1.2.0"]) == ("1.1.0", "denied by ann")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert plan(sau)["action"] == "none"
    (word,) = said(sau, "deny")
    assert (word["who"], word["reason"]) == ("ann", "1.0.0 -> 1.2.0 (minor)")
    assert word["at"] > 0
    world.publish("1.3.0")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "1.3.0"


def test_the_last_word_on_a_step_counts(world: World, sau: Sau) -> None:
    sau.configure(extra="detection: {approval: required}\n")
    for tag in ("1.0.0", "1.1.0"):
        world.publish(tag)
    world.run(f"{world.repository}:1.0.0")
    step = plan(sau)
    assert (step["hold_rules"], step["reasons"]) == (
        ["approval"],
        [f"approval is required (default): sau approve {step['id']}"],
    )

    sau("deny", step["id"], "--by", "ann")
    sau("approve", step["id"], "--by", "bob")

    approved = plan(sau)
    assert (approved["action"], approved["id"]) == ("update", step["id"])
    assert "approved by bob" in approved["reasons"][-1]
    assert [(w["kind"], w["who"]) for w in sau("history", "web").json["decisions"]
            if w["kind"] != "skip"] == [("deny", "ann"), ("approve", "bob")]  # fmt: skip
    world.publish("1.2.0")  # another candidate was never approved
    assert plan(sau)["hold_rules"] == ["approval"]
