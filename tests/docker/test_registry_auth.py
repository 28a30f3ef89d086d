"""The real registry behind a password: signing in by login, by configuration and by a helper."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.registry import Credentials, HostSettings, RegistryClient
from tests.docker.test_registry import RealClock, platform_of
from tests.guarded_registry import PASSWORD, auths, guarded_registry
from tests.lab_kit import World

pytestmark = pytest.mark.any_engine


@pytest.fixture
def guarded(world: World, tmp_path: Path) -> Iterator[str]:
    """A second registry over the lab's own storage, that lets nobody in but `me`."""
    with guarded_registry(world.lab.layout.data / "registry", tmp_path) as host:
        yield host


def ask(
    world: World, host: str, tmp_path: Path, docker: object, *settings: HostSettings
) -> tuple[str, ...]:
    """The tags, and that the image can be resolved too."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps(docker))
    by_host = {one.host: one for one in settings}
    made = RegistryClient(by_host, Credentials(by_host, file), RealClock(), random.random)
    ref = Reference.parse(f"{host}/{world.name}:1.0.0")
    with closing(made) as client:
        tags = client.tags(ref)
        config = client.resolve(ref, platform_of(world)).config_digest
        assert client.image_config(ref, config)["os"] == "linux"
        return tags


def login(host: str, password: str = PASSWORD) -> object:
    return {"auths": auths(host, password)}


def test_docker_login_is_enough(world: World, guarded: str, tmp_path: Path) -> None:
    world.publish("1.0.0")
    assert ask(world, guarded, tmp_path, login(guarded)) == ("1.0.0",)


def test_configured_password_is_enough(world: World, guarded: str, tmp_path: Path) -> None:
    world.publish("1.0.0")
    (tmp_path / "password").write_text(PASSWORD + "\n")
    mine = HostSettings(guarded, username="me", password_file=tmp_path / "password")
    assert ask(world, guarded, tmp_path, login(guarded, "wrong"), mine) == ("1.0.0",)


def test_credential_helper_is_enough(
    world: World, guarded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish("1.0.0")
    helper = tmp_path / "docker-credential-lab"
    said = json.dumps({"ServerURL": guarded, "Username": "me", "Secret": PASSWORD})
    helper.write_text(f'#!/bin/sh\n[ "$1 $(cat)" = "get {guarded}" ] && echo \'{said}\'\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert ask(world, guarded, tmp_path, {"credHelpers": {guarded: "lab"}}) == ("1.0.0",)


@pytest.mark.parametrize("password", [None, "wrong"])
def test_nobody_else_is_let_in_and_the_reason_says_what_to_do(
    world: World, guarded: str, tmp_path: Path, password: str | None
) -> None:
    world.publish("1.0.0")
    docker = {} if password is None else login(guarded, password)
    with pytest.raises(RegistryError, match=guarded) as caught:
        ask(world, guarded, tmp_path, docker)
    assert caught.value.reason == "auth"
    assert ("docker login" if password is None else "Check the name and the cred") in str(
        caught.value
    )
