"""Whatever a container was made of is recognised: no crash, no false update."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab import images
from safe_auto_updater.core.model import Action, Step
from tests.docker.fidelity import kit
from tests.lab_kit import World


def step(world: World) -> Step:
    (only,) = kit.plan(world).steps
    return only


def create(world: World, image: str) -> None:
    made = world.call("POST", f"/containers/create?name={world.prefix}-web", {"Image": image})
    world.call("POST", f"/containers/{made['Id']}/start")


def by_digest(world: World) -> None:
    world.run(world.publish("1.0.0").pinned)


def by_image_id(world: World) -> None:
    published = world.publish("1.0.0")
    world.pull(published.reference)
    create(world, world.id_of(published))


def by_short_image_id(world: World) -> None:
    published = world.publish("1.0.0")
    world.pull(published.reference)
    create(world, world.id_of(published).removeprefix("sha256:")[:12])


def untagged_since(world: World) -> None:
    published = world.publish("1.0.0")
    world.run(published.reference)
    world.call("DELETE", f"/images/{published.reference}?force=1")
    for known in world.image(world.id_of(published))["RepoDigests"] or ():
        world.call("DELETE", f"/images/{known}?force=1")
    assert not world.image(world.id_of(published))["RepoDigests"]


def dangling(world: World) -> None:
    world.run(world.publish("1.0.0").reference)
    other = world.publish("1.0.0", env={"A": "b"})
    world.pull(other.reference)
    assert not world.image(world.get("web")["Image"])["RepoTags"]


def without_a_tag(world: World) -> None:
    world.publish("latest")
    world.run(world.repository)


def tag_and_digest(world: World) -> None:
    published = world.publish("1.0.0")
    world.run(f"{published.reference}@{published.digest}")


def built_here(world: World) -> None:
    world.run(world.publish("1", name="base").reference, "base")
    made = f"{world.repository}:1.0.0"
    world.call("POST", f"/commit?container={world.prefix}-base&repo={world.repository}&tag=1.0.0")
    world.publish("1.5.0")  # a public namesake
    world.call("DELETE", f"/containers/{world.prefix}-base?force=1")
    create(world, made)


def tag_gone_from_the_registry(world: World) -> None:
    published = world.publish("latest")
    world.run(published.reference)
    images.delete(world.lab.registry, world.name, "latest")


# how it came about, what is planned, a word of the reason
TABLE: list[tuple[Callable[[World], None], Action, str]] = [
    (by_digest, Action.NONE, "pinned by digest"),
    (by_image_id, Action.HOLD, "image ID"),
    (by_short_image_id, Action.NONE, "not known"),
    (untagged_since, Action.NONE, "not known"),
    (dangling, Action.UPDATE, "new content"),
    (without_a_tag, Action.NONE, "nothing newer"),
    (tag_and_digest, Action.NONE, "nothing newer"),
    (built_here, Action.NONE, "not known"),
    (tag_gone_from_the_registry, Action.HOLD, "unknown"),
]


@pytest.mark.parametrize(
    ("make", "action", "word"), TABLE, ids=lambda value: getattr(value, "__name__", "")
)
def test_unusual_reference_is_recognised_and_reported(
    world: World, make: Callable[[World], None], action: Action, word: str
) -> None:
    make(world)
    if make is untagged_since and world.lab.engine_api >= (1, 53):
        word = "nothing newer"  # these engines remember where it came from

    found = step(world)

    assert found.action is action, found.reasons
    assert word in " ".join(found.reasons)


@pytest.mark.parametrize("reference", ["{}", "{}:latest"])
def test_new_content_is_found_for_a_reference_without_a_tag_too(
    world: World, reference: str
) -> None:
    world.publish("latest", version="1")
    world.run(reference.format(world.repository))

    after = kit.updated(world, "latest", version="2")

    assert after["Config"]["Image"] == reference.format(world.repository)
    assert step(world).action is Action.NONE


def test_newer_version_of_a_tag_with_a_digest_is_pinned_again(world: World) -> None:
    old = world.publish("1.0.0")
    world.run(f"{old.reference}@{old.digest}")
    new = world.publish("1.1.0")

    record = kit.update(world)

    assert record.rows[-1].name == "SUCCEEDED", record.rows[-1].facts
    assert world.get("web")["Config"]["Image"] == f"{new.reference}@{new.digest}"
    assert world.get("web")["Image"] == world.id_of(new)
    assert step(world).action is Action.NONE


def index(world: World, *more: images.Published, attested: bool = False) -> images.Published:
    """`1.0.0` as an index: this machine's image, and others."""
    members = [world.publish("amd64", version="1.0.0", oci=attested), *more]
    where = (world.lab.registry, world.name, "1.0.0")
    return images.publish_index(*where, members, attestation=attested)


def other_platform(world: World, text: str = "1.0.0") -> images.Published:
    return world.publish("arm64", version=text, architecture="arm64")


def test_index_is_not_mistaken_for_news(world: World) -> None:
    published = index(world, other_platform(world))
    world.run(published.reference)
    assert step(world).action is Action.NONE


def test_attestations_in_an_index_are_not_mistaken_for_an_image(world: World) -> None:
    world.run(index(world, attested=True).reference)
    assert step(world).action is Action.NONE


@pytest.mark.parametrize(
    "around",
    [
        lambda world: index(world, other_platform(world, "rebuilt")),
        lambda world: images.tag(world.lab.registry, world.name, "amd64", "1.0.0"),
        lambda world: index(world),
    ],
    ids=["another platform was rebuilt", "the index became a manifest", "a platform went"],
)
def test_another_index_around_the_same_content_is_no_update(
    world: World, around: Callable[[World], object]
) -> None:
    world.run(index(world, other_platform(world)).reference)
    around(world)
    assert step(world).action is Action.NONE


def test_attestation_added_to_the_same_content_is_no_update(world: World) -> None:
    member = world.publish("amd64", version="1.0.0", oci=True)
    where = (world.lab.registry, world.name, "1.0.0")
    before = images.publish_index(*where, [member])
    world.run(before.reference)
    assert images.publish_index(*where, [member], attestation=True).digest != before.digest
    assert step(world).action is Action.NONE


def test_new_content_for_this_platform_in_an_index_is_an_update(world: World) -> None:
    world.run(index(world, other_platform(world)).reference)
    member = world.publish("amd64", version="2")
    images.publish_index(world.lab.registry, world.name, "1.0.0", [member, other_platform(world)])

    kit.update(world)

    assert world.runs("web", member)
    assert step(world).action is Action.NONE


def test_several_digests_of_one_image_are_all_known(world: World) -> None:
    """Pulled by an index, by its manifest, and from a second repository."""
    published = index(world, other_platform(world))
    world.run(published.reference)
    member = world.publish("amd64", version="1.0.0")
    elsewhere = world.publish("1.0.0", name="mirror", version="1.0.0")
    assert world.id_of(elsewhere) == world.id_of(member)
    world.pull(f"{world.repository}:amd64")
    world.pull(elsewhere.reference)
    known = world.image(world.id_of(member))["RepoDigests"]
    assert len(known) == (2 if world.lab.containerd_store else 3)  # there, an index is an image

    assert step(world).action is Action.NONE
    images.tag(world.lab.registry, world.name, "amd64", "1.0.0")
    assert step(world).action is Action.NONE
