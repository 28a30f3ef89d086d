"""Labels that an image brings set no policy, those of the user do."""

from __future__ import annotations

import pytest

from safe_auto_updater.core.model import Action, Step
from tests.docker.fidelity import kit
from tests.lab_kit import World

ENABLE, POLICY = "safe-auto-updater.enable", "safe-auto-updater.policy"


def step(world: World) -> Step:
    (only,) = kit.plan(world).steps
    return only


@pytest.mark.parametrize(
    ("image", "user", "action"),
    [
        ({ENABLE: "false"}, {}, Action.UPDATE),
        ({POLICY: "none"}, {}, Action.UPDATE),
        ({POLICY: "nonsense"}, {}, Action.UPDATE),
        ({}, {ENABLE: "false"}, Action.HOLD),
        ({}, {POLICY: "none"}, Action.NONE),
        ({}, {POLICY: "nonsense"}, Action.HOLD),
        ({ENABLE: "true", POLICY: "major"}, {ENABLE: "false"}, Action.HOLD),
        ({POLICY: "major"}, {POLICY: "patch"}, Action.NONE),
    ],
    ids=str,
)
def test_policy_comes_from_the_users_labels_alone(
    world: World, image: dict[str, str], user: dict[str, str], action: Action
) -> None:
    world.run(world.publish("1.0.0", labels=image).reference, Labels=user)
    world.publish("1.1.0")
    assert step(world).action is action, step(world).reasons


def test_users_label_still_counts_after_an_update(world: World) -> None:
    world.run(world.publish("1.0.0").reference, Labels={POLICY: "patch"})
    kit.updated(world, "1.0.1", labels={POLICY: "major", ENABLE: "false"})

    world.publish("1.1.0")

    assert step(world).action is Action.NONE
    assert "policy patch (label)" in " ".join(step(world).reasons)


def test_users_label_still_counts_when_new_images_bring_the_very_same_one(world: World) -> None:
    world.run(world.publish("1.0.0").reference, Labels={POLICY: "patch"})
    for version in ("1.0.1", "1.0.2"):
        kit.updated(world, version, labels={POLICY: "patch"})

    world.publish("1.1.0")

    assert step(world).action is Action.NONE
    assert "policy patch (label)" in " ".join(step(world).reasons)


def test_labels_that_a_new_image_brings_set_no_policy_after_the_update(world: World) -> None:
    world.run(world.publish("1.0.0").reference)
    kit.updated(world, "1.1.0", labels={ENABLE: "false", POLICY: "none"})

    world.publish("1.2.0")

    assert step(world).action is Action.UPDATE
