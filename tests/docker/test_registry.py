"""The registry client against a real registry, and Docker as the oracle."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.registry import Answers, Credentials, Platform, RegistryClient
from tests.lab_kit import World

pytestmark = pytest.mark.any_engine


class RealClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def new_client(answers: Answers | None = None) -> RegistryClient:
    return RegistryClient({}, Credentials({}), RealClock(), random.random, answers=answers)


@pytest.fixture
def client() -> Iterator[RegistryClient]:
    with closing(new_client()) as made:
        yield made


def platform_of(world: World) -> Platform:
    version = world.call("GET", "/version")
    return Platform(version["Os"], version["Arch"])


def test_every_published_tag_is_listed(world: World, client: RegistryClient) -> None:
    for tag in ("1.0.0", "1.1.0", "latest"):
        world.publish(tag)
    assert set(client.tags(Reference.parse(world.repository))) == {"1.0.0", "1.1.0", "latest"}


def test_resolving_agrees_with_what_docker_pulls(world: World, client: RegistryClient) -> None:
    reference = world.publish("1.0.0").reference
    found = client.resolve(Reference.parse(reference), platform_of(world))
    world.pull(reference)
    inspected = world.image(reference)
    assert f"{world.repository}@{found.digest}" in inspected["RepoDigests"]
    assert inspected["Id"] in (found.config_digest, found.content, found.digest)
    assert client.head(Reference.parse(reference)) == found.digest
    config = client.image_config(Reference.parse(reference), found.config_digest)
    assert config["config"].get("Env") == inspected["Config"].get("Env")


def test_a_moved_tag_resolves_anew_in_the_next_run(world: World, client: RegistryClient) -> None:
    ref = Reference.parse(world.publish("1", version="a").reference)
    before = client.head(ref)
    world.publish("1", version="b")
    assert client.head(ref) == before  # one run sees one world
    with closing(new_client()) as following:
        assert following.head(ref) != before


def test_what_was_never_published_is_not_found(world: World, client: RegistryClient) -> None:
    world.publish("1")
    for text in (f"{world.repository}:2", f"{world.repository}-else:1"):
        with pytest.raises(RegistryError) as caught:
            client.head(Reference.parse(text))
        assert caught.value.reason == "not_found"
    with pytest.raises(RegistryError) as caught:
        client.tags(Reference.parse(f"{world.repository}-else"))
    assert caught.value.reason == "not_found"


def test_an_image_for_another_machine_is_no_candidate(world: World, client: RegistryClient) -> None:
    ref = Reference.parse(world.publish("1").reference)
    with pytest.raises(RegistryError) as caught:
        client.resolve(ref, Platform("linux", "s390x"))
    assert caught.value.reason == "platform"
