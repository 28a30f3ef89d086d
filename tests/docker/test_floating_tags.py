"""Tags that stay: which versions are behind them, and that an index is not mistaken for news."""

from __future__ import annotations

from typing import Any

import pytest

from lab import images
from tests.docker.test_choosing import chosen, label, plan
from tests.lab_kit import World
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine

VERSION = "org.opencontainers.image.version"


def told(version: str | None) -> dict[str, str]:
    return {VERSION: version} if version else {}


def moves(world: World, before: str | None, after: str | None, **settings: Any) -> str:
    """`latest` runs, and points to something else by now; both may say their version."""
    world.publish("latest", version="old", labels=told(before))
    container = world.run(f"{world.repository}:latest", **settings)
    world.publish("latest", version="new", labels=told(after))
    return container


# what the labels say before and after, the policy, and what becomes of it
LABELLED = [
    ("1.4.0", "2.0.0", "minor", "hold", "major"),
    ("1.4.0", "2.0.0", "major", "update", "major"),
    ("1.4.0", "1.5.0", "minor", "update", "minor"),
    ("1.4.0", "1.5.0", "patch", "hold", "minor"),
    ("v1.4.0", "1.4.1", "patch", "update", "patch"),
    ("1.4.0", "1.4.0", "digest", "update", "digest"),
    ("2.0.0", "1.4.0", "major", "hold", "unknown"),
    ("1.4.0", None, "minor", "update", None),
    (None, None, "digest", "update", None),
]


@pytest.mark.parametrize(("before", "after", "policy", "action", "behind"), LABELLED)
def test_policy_counts_for_the_versions_behind_a_tag_that_stays(
    world: World,
    sau: Sau,
    before: str | None,
    after: str | None,
    policy: str,
    action: str,
    behind: str | None,
) -> None:
    moves(world, before, after, **label(policy=policy))

    step = plan(sau)

    (change,) = step["changes"]
    assert (change["bump"], change["behind"], step["action"]) == ("digest", behind, action)
    assert step["hold_rules"] == (["policy"] if action == "hold" else [])
    if behind == "major" and action == "hold":
        assert "goes from 1.4.0 to 2.0.0: major, policy is minor (label)" in step["reasons"][0]
    if behind == "unknown":
        assert "it goes back" in step["reasons"][0]


# the policy, whether the new one bears a version tag too, and what becomes of it
TAGGED = [("minor", True, "hold", "major"), ("major", True, "update", None),
          ("minor", False, "update", None)]  # fmt: skip


@pytest.mark.parametrize(("policy", "tagged", "action", "behind"), TAGGED)
def test_without_labels_the_version_tags_of_the_same_content_tell(
    world: World, sau: Sau, policy: str, tagged: bool, action: str, behind: str | None
) -> None:
    where = (world.lab.registry, world.name)
    old = world.publish("1.4.0")
    for tag in ("1", "1.4", "latest"):
        images.tag(*where, old.digest, tag)
    world.run(f"{world.repository}:latest", **label(policy=policy))
    new = world.publish("latest", version="new")
    for tag in ("2", "2.0", "2.0.0") if tagged else ():
        images.tag(*where, new.digest, tag)

    step = plan(sau)

    assert (step["action"], step["changes"][0]["behind"]) == (action, behind)
    assert ("policy" in step["hold_rules"]) == (action == "hold")


def test_new_content_of_a_tag_that_stays_is_taken_once_and_then_quiet(
    world: World, sau: Sau
) -> None:
    moves(world, "1.4.0", "1.4.1")
    done = sau("apply", "--yes").update
    assert (done["outcome"], done["changes"][0]["bump"]) == ("succeeded", "digest")
    assert world.text("web") == "new"
    assert sau("apply", "--yes").json["updates"] == []


def test_index_with_attestations_and_several_digests_is_no_news_and_never_a_crash(
    world: World, sau: Sau
) -> None:
    where = (world.lab.registry, world.name, "latest")
    ours = world.publish("amd64", version="1", oci=True)
    arm = world.publish("arm64", version="1 arm", oci=True, architecture="arm64")
    images.publish_index(*where, [ours, arm], attestation=True)
    world.run(f"{world.repository}:latest")
    assert plan(sau)["action"] == "none"
    world.pull(f"{world.repository}:amd64")  # another digest of the same image
    known = world.image(world.id_of(ours))["RepoDigests"]
    assert len(known) == (1 if world.lab.containerd_store else 2)  # there, an index is an image
    rebuilt = world.publish("arm64", version="2 arm", oci=True, architecture="arm64")
    images.publish_index(*where, [ours, rebuilt], attestation=True)
    assert plan(sau)["action"] == "none"
    assert sau("apply", "--yes").json["updates"] == []


def test_whatever_a_container_was_made_of_is_told_and_left_alone(world: World, sau: Sau) -> None:
    published = world.publish("1.0.0")
    world.publish("1.1.0")
    images.tag(world.lab.registry, world.name, published.digest, "latest")
    world.pull(published.reference)
    made_of = {
        "pinned": published.pinned,
        "by-id": world.id_of(published),
        "by-short-id": world.id_of(published)[7:19],
        "no-tag": world.repository,
    }
    world.pull(world.repository)
    world.pull(published.pinned)
    before = {
        world.call("POST", f"/containers/create?name={world.prefix}-{name}", {"Image": image})["Id"]
        for name, image in made_of.items()
    }
    for container in before:
        world.call("POST", f"/containers/{container}/start")

    steps = {name: plan(sau, name) for name in made_of}

    words = {name: step["reasons"][0] for name, step in steps.items()}
    assert {name: step["action"] for name, step in steps.items()} == {
        "pinned": "none", "by-id": "hold", "by-short-id": "none", "no-tag": "none"}  # fmt: skip
    assert "pinned by digest" in words["pinned"]
    assert "image ID" in words["by-id"]
    assert "not known to come from" in words["by-short-id"]
    assert words["no-tag"] == "nothing newer exists"
    assert sau("apply", "--yes").json["updates"] == []
    assert world.ids() == before


def database(world: World, major: str, tag: str = "latest", **more: Any) -> str:
    version = {"PG_MAJOR": major, "PG_VERSION": f"{major}.2-1.pgdg120+1"}
    made = world.publish(tag, "postgres", env=version, volumes=("/data",), **more)
    return made.reference


def data(world: World) -> dict[str, Any]:
    return {"HostConfig": {"Binds": [f"{world.volume('data')}:/data"]}}


@pytest.mark.parametrize("policy", ["minor", "major"])
def test_major_jump_of_a_database_behind_its_tag_is_held_and_goes_when_approved(
    world: World, sau: Sau, policy: str
) -> None:
    old = world.run(database(world, "16"), "db", **data(world), **label(policy=policy))
    database(world, "17")

    step = plan(sau, "db")

    (change,) = step["changes"]
    assert (step["action"], change["behind"]) == ("hold", "major")
    assert (change["current"]["version"], change["candidate"]["version"]) == ("16.2", "17.2")
    assert step["hold_rules"] == (["approval"] if policy == "major" else ["policy", "approval"])
    assert (step["risk"]["level"], step["reversibility"]) == ("approval", "R3")
    findings = {finding["rule"]: finding["why"] for finding in step["risk"]["findings"]}
    assert "does not take the data back" in findings["one-way-data"]
    assert sau("apply", "--yes").json["updates"] == []
    assert world.ids() == {old}

    sau("approve", "db", "--by", "ann")
    if policy == "minor":
        assert plan(sau, "db")["hold_rules"] == ["policy"]  # approval is no other policy
        return
    assert "approved by ann" in plan(sau, "db")["reasons"][-1]
    assert sau("apply", "--yes").update["outcome"] == "succeeded"


def test_database_whose_versions_nobody_tells_waits_for_a_human(world: World, sau: Sau) -> None:
    reference = world.publish("latest", "postgres").reference
    world.run(reference, "db", **data(world))
    world.publish("latest", "postgres", version="new")
    step = plan(sau, "db")
    assert (step["action"], step["hold_rules"]) == ("hold", ["approval"])


# what happens over a writable mount, and what going back would cost at least
STEPS = [("1.0.1", "R1"), ("1.1.0", "R2"), ("2.0.0", "R2")]


@pytest.mark.parametrize(("to", "cost"), STEPS)
def test_anything_but_a_patch_over_a_writable_mount_cannot_be_taken_back_for_free(
    world: World, sau: Sau, to: str, cost: str
) -> None:
    world.run(world.publish("1.0.0").reference, **data(world), **label(policy="major"))
    world.publish(to)

    said = sau("diff", "web")

    assert chosen(said.json["changes"][0]) == to
    assert said.json["reversibility"] >= cost
    told = " ".join(sau("diff", "web", json_output=False).out.split())
    assert ("does not take the data back" in told) == (cost == "R2")


@pytest.mark.parametrize(("before", "after"), [("1.0.0", "1.1.0"), (None, None)])
def test_new_content_over_a_writable_mount_costs_more_than_a_patch(
    world: World, sau: Sau, before: str | None, after: str | None
) -> None:
    moves(world, before, after, **data(world))
    said = sau("diff", "web")
    assert (said.json["action"], said.json["reversibility"]) == ("update", "R2")
