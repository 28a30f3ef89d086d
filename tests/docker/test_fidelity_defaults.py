"""Image defaults follow the new image, what the user set stays.

The oracle is the engine: the same request, made by hand of the new image.
"""

from __future__ import annotations

from typing import Any

import pytest

from lab.behaviours import HEALTHCHECK, SECOND
from tests.docker.fidelity import kit
from tests.lab_kit import World

OTHER_CHECK = {"Test": ["CMD", "/lab/health", "new"], "Interval": 7 * SECOND, "Retries": 9}
LAB = ("/lab/start",)

# what it is about: the old image, the new one, what the user asked for
TABLE: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "env follows": ({"env": {"A": "old", "GONE": "1"}}, {"env": {"A": "new", "MORE": "1"}}, {}),
    "env of the user stays": (
        {"env": {"A": "old", "B": "old"}},
        {"env": {"A": "new", "B": "new"}},
        {"Env": ["A=mine", "C=mine=too"]},
    ),
    "env emptied and unset by the user": (
        {"env": {"A": "old", "B": "old"}},
        {"env": {"A": "new", "B": "new"}},
        {"Env": ["A=", "B"]},
    ),
    "path follows": ({"env": {"PATH": "/bin"}}, {"env": {"PATH": "/bin:/lab"}}, {}),
    "cmd follows": ({"cmd": ("old",)}, {"cmd": ("new", "er")}, {}),
    "cmd of the user stays": ({"cmd": ("old",)}, {"cmd": ("new",)}, {"Cmd": ["mine"]}),
    "cmd appears": ({}, {"cmd": ("new",)}, {}),
    "cmd disappears": ({"cmd": ("old",)}, {}, {}),
    "entrypoint follows": ({"entrypoint": LAB}, {"entrypoint": ("/bin/sh", "/lab/start")}, {}),
    "entrypoint follows under the user's cmd": (
        {"entrypoint": LAB, "cmd": ("old",)},
        {"entrypoint": ("/bin/sh", "/lab/start"), "cmd": ("new",)},
        {"Cmd": ["mine"]},
    ),
    "entrypoint of the user switches the image's cmd off": (
        {"cmd": ("old",)},
        {"cmd": ("new",)},
        {"Entrypoint": ["/bin/sh", "/lab/start"]},
    ),
    "entrypoint and cmd of the user": (
        {"cmd": ("old",)},
        {"cmd": ("new",)},
        {"Entrypoint": ["/bin/sh"], "Cmd": ["/lab/start"]},
    ),
    "entrypoint of the user is the image's, which switches cmd off": (
        {"cmd": ("old",)},
        {"cmd": ("new",)},
        {"Entrypoint": ["/lab/start"]},
    ),
    "entrypoint emptied by [''] and cmd": (
        {"cmd": ("old",)},
        {"cmd": ("new",)},
        {"Entrypoint": [""], "Cmd": ["/lab/start"]},
    ),
    "entrypoint emptied by [] leaves cmd to the image": (
        {"cmd": ("old",)},
        {"cmd": ("new",)},
        {"Entrypoint": []},
    ),
    "entrypoint emptied by [] and cmd": (
        {"cmd": ("old",)},
        {"cmd": ("new",)},
        {"Entrypoint": [], "Cmd": ["/lab/start"]},
    ),
    "image without an entrypoint": (
        {"entrypoint": (), "cmd": LAB},
        {"entrypoint": (), "cmd": (*LAB, "new")},
        {},
    ),
    "image gets an entrypoint": (
        {"entrypoint": (), "cmd": LAB},
        {"entrypoint": LAB, "cmd": ("new",)},
        {},
    ),
    "workdir follows": ({"workdir": "/old"}, {"workdir": "/new"}, {}),
    "workdir that the engine cleans follows": ({"workdir": "/old/"}, {"workdir": "//new/./"}, {}),
    "workdir of the user stays": ({"workdir": "/old"}, {"workdir": "/new"}, {"WorkingDir": "/my/"}),
    "user follows": ({"user": "1"}, {"user": "2:2"}, {}),
    "user of the user stays": ({"user": "1"}, {"user": "2"}, {"User": "3"}),
    "stop signal follows": ({"stop_signal": "SIGUSR1"}, {"stop_signal": "SIGQUIT"}, {}),
    "stop signal of the user stays": ({}, {"stop_signal": "SIGQUIT"}, {"StopSignal": "SIGINT"}),
    "labels follow": (
        {"labels": {"a": "old", "gone": "1"}},
        {"labels": {"a": "new", "more": "1"}},
        {},
    ),
    "labels of the user stay": (
        {"labels": {"a": "old"}},
        {"labels": {"a": "new", "b": "new"}},
        {"Labels": {"a": "mine", "b": ""}},
    ),
    "ports follow": ({"exposed_ports": ("1/tcp",)}, {"exposed_ports": ("2/udp",)}, {}),
    "ports of the user stay": (
        {"exposed_ports": ("1/tcp",)},
        {"exposed_ports": ("2/tcp",)},
        {"ExposedPorts": {"3/udp": {}}},
    ),
    "volumes appear": ({}, {"volumes": ("/more", "/and/more/")}, {}),
    "healthcheck follows": ({"healthcheck": HEALTHCHECK}, {"healthcheck": OTHER_CHECK}, {}),
    "healthcheck appears": ({}, {"healthcheck": OTHER_CHECK}, {}),
    "healthcheck disappears": ({"healthcheck": HEALTHCHECK}, {}, {}),
    "healthcheck of the user stays": (
        {"healthcheck": HEALTHCHECK},
        {"healthcheck": OTHER_CHECK},
        {"Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 3 * SECOND}},
    ),
    "healthcheck whose interval alone is the user's": (
        {"healthcheck": HEALTHCHECK},
        {"healthcheck": OTHER_CHECK},
        {"Healthcheck": {"Interval": 3 * SECOND}},
    ),
    "healthcheck switched off": (
        {"healthcheck": HEALTHCHECK},
        {"healthcheck": OTHER_CHECK},
        {"Healthcheck": {"Test": ["NONE"]}},
    ),
    "shell of the image is not the container's": (
        {"config": {"Shell": ["/bin/old"]}},
        {"config": {"Shell": ["/bin/new"]}},
        {},
    ),
    "shell of the user stays": (
        {"config": {"Shell": ["/bin/old"]}},
        {"config": {"Shell": ["/bin/new"]}},
        {"Shell": ["/bin/old"]},
    ),
    "what an image says only to builders": (
        {"config": {"OnBuild": ["RUN old"], "ArgsEscaped": True, "StopTimeout": 5}},
        {"config": {"OnBuild": ["RUN new"], "StopTimeout": 7}},
        {},
    ),
    "image that says nothing": (
        {"env": {"A": "old"}, "labels": {"a": "b"}, "exposed_ports": ("1/tcp",)},
        {"exposed_ports": ()},
        {"Cmd": ["mine"]},
    ),
}


@pytest.mark.parametrize("about", TABLE)
def test_new_container_is_what_the_same_request_makes_of_the_new_image(
    world: World, about: str
) -> None:
    old, new, body = TABLE[about]
    world.publish("1.0.0", **old)
    world.publish("1.1.0", **new)

    after = kit.recreated(world, kit.created(world, "1.0.0", body), "1.1.0")

    assert kit.settings(after) == kit.settings(kit.by_hand(world, "1.1.0", body))


@pytest.mark.parametrize(
    "equal",
    [
        {"Env": ["A=old"]},
        {"Labels": {"a": "old"}},
        {"User": "1"},
        {"WorkingDir": "/old"},
        {"StopSignal": "SIGUSR1"},
        {"Cmd": ["old"]},
        {"Healthcheck": HEALTHCHECK},
        {"ExposedPorts": {"1/tcp": {}}},
    ],
    ids=lambda body: str(*body),
)
def test_users_value_that_equals_the_old_default_counts_as_the_default(
    world: World, equal: dict[str, Any]
) -> None:
    """Inspect does not tell the two apart: the new image's default comes."""
    old: kit.Json = {
        "env": {"A": "old"}, "labels": {"a": "old"}, "user": "1", "workdir": "/old",
        "stop_signal": "SIGUSR1", "cmd": ("old",), "healthcheck": HEALTHCHECK,
        "exposed_ports": ("1/tcp",),
    }  # fmt: skip
    new: kit.Json = {
        "env": {"A": "new"}, "labels": {"a": "new"}, "user": "2", "workdir": "/new",
        "stop_signal": "SIGUSR2", "cmd": ("new",), "healthcheck": OTHER_CHECK,
        "exposed_ports": ("2/tcp",),
    }  # fmt: skip
    world.publish("1.0.0", **old)
    world.publish("1.1.0", **new)

    after = kit.recreated(world, kit.created(world, "1.0.0", equal), "1.1.0")

    assert kit.settings(after) == kit.settings(kit.by_hand(world, "1.1.0", {}))


def test_old_defaults_are_those_of_the_old_image_even_when_its_tag_has_moved(world: World) -> None:
    body: kit.Json = {"Env": ["MINE=1"], "Labels": {"mine": "1"}}
    old = world.publish("1.0.0", env={"A": "old"}, labels={"a": "old"}, cmd=("old",), user="1")
    container = world.run(old.reference, **body)
    moved = world.publish("1.0.0", env={"A": "moved"}, labels={"a": "moved"}, cmd=("moved",))
    world.pull(moved.reference)
    assert world.image(old.reference)["Id"] != world.get(container)["Image"]

    after = kit.updated(world, "1.1.0", env={"B": "new"}, labels={"b": "new"})

    assert kit.settings(after) == kit.settings(kit.by_hand(world, "1.1.0", body))


def test_second_update_starts_from_the_first_ones_image(world: World) -> None:
    body: kit.Json = {"Env": ["MINE=1"], "WorkingDir": "/mine"}
    world.run(world.publish("1.0.0", env={"A": "1", "B": "1"}, user="1").reference, **body)
    kit.updated(world, "1.1.0", env={"A": "2"}, workdir="/two", labels={"a": "2"})

    after = kit.updated(world, "1.2.0", env={"C": "3"}, user="3")

    assert kit.settings(after) == kit.settings(kit.by_hand(world, "1.2.0", body))
