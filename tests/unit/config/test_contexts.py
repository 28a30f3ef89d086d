"""Which engine is meant where none is configured, and by a Docker context: as `docker` decides."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.config import Config, ConfigLoader
from safe_auto_updater.config import contexts as of_docker
from safe_auto_updater.config.contexts import Address, context_address, usual_address
from safe_auto_updater.core.errors import ConfigError

TCP = "tcp://nas:2376"


class Docker:
    """A folder as `docker context create` leaves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def environ(self) -> dict[str, str]:
        return {"DOCKER_CONFIG": str(self.folder)}

    def current(self, name: Any) -> None:
        (self.folder / "config.json").write_text(json.dumps({"currentContext": name}))

    def context(self, name: str, host: Any, *files: str, **endpoint: Any) -> Path:
        said = {"Name": name, "Endpoints": {"docker": {"Host": host, **endpoint}}}
        return self.file(name, json.dumps(said), *files)

    def file(self, name: str, content: str, *files: str) -> Path:
        hashed = hashlib.sha256(name.encode()).hexdigest()
        meta, tls = (self.folder / "contexts" / kind / hashed for kind in ("meta", "tls"))
        meta.mkdir(parents=True)
        (meta / "meta.json").write_text(content)
        (tls / "docker").mkdir(parents=True)
        for file in files:
            (tls / "docker" / file).touch()
        return tls / "docker"


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


def test_context_knows_address_and_tls_files(docker: Docker) -> None:
    tls = docker.context("nas", TCP, "ca.pem", "cert.pem", "key.pem")
    found = context_address("nas", docker.environ)
    assert found == Address(TCP, f"{tls}/ca.pem", f"{tls}/cert.pem", f"{tls}/key.pem")


@pytest.mark.parametrize("host", [TCP, "unix:///run/user/1000/docker.sock", "ssh://me@nas"])
def test_context_without_tls_files_is_its_address(docker: Docker, host: str) -> None:
    docker.context("nas", host)
    assert context_address("nas", docker.environ) == Address(host)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "cannot be used"),
        ("[]", "cannot be used"),
        ("{}", "cannot be used"),
        ('{"Endpoints": {"docker": {}}}', "cannot be used"),
        ('{"Endpoints": {"docker": {"Host": "npipe:////./pipe/x"}}}', "use unix:///path"),
        (
            '{"Endpoints": {"docker": {"Host": "tcp://h:1", "SkipTLSVerify": true}}}',
            "does not verify its engine",
        ),
    ],
)
def test_context_that_cannot_be_used_says_why(docker: Docker, content: str, told: str) -> None:
    docker.file("nas", content)
    with pytest.raises(ValueError, match=f"Docker context nas.*{told}"):
        context_address("nas", docker.environ)


def test_unknown_contexts_of_the_configuration_are_told_all_at_once(docker: Docker) -> None:
    text = "inventory: {docker: [{name: a, context: x}, {name: b, context: y}]}"
    with pytest.raises(ConfigError) as refused:
        ConfigLoader().load_text(text, "config.yml").docker_hosts(docker.environ)
    first, second = refused.value.problems
    assert first.startswith("inventory.docker[0].context: there is no Docker context x")
    assert second.startswith("inventory.docker[1].context: there is no Docker context y")


HOST, CONTEXT = {"DOCKER_HOST": "tcp://h:2375"}, {"DOCKER_CONTEXT": "nas"}


@pytest.mark.parametrize(
    ("more", "current", "expected"),
    [
        ({}, None, "unix:///var/run/docker.sock"),
        ({"DOCKER_HOST": "", "DOCKER_CONTEXT": ""}, "", "unix:///var/run/docker.sock"),
        ({}, "default", "unix:///var/run/docker.sock"),
        ({}, "attic", "ssh://attic"),
        (CONTEXT, "attic", TCP),
        ({"DOCKER_CONTEXT": "default"}, "attic", "unix:///var/run/docker.sock"),
        (HOST | CONTEXT, "attic", "tcp://h:2375"),
        ({"DOCKER_HOST": "ssh://me@h"}, None, "ssh://me@h"),
    ],
)
def test_without_configuration_the_engine_is_the_one_that_docker_asks(
    docker: Docker, more: dict[str, str], current: str | None, expected: str
) -> None:
    docker.context("nas", TCP)
    docker.context("attic", "ssh://attic")
    if current is not None:
        docker.current(current)
    (found,) = Config().docker_hosts(docker.environ | more)
    assert (found.name, found.at) == ("local", Address(expected))


@pytest.mark.parametrize(
    ("more", "current", "told"),
    [
        ({"DOCKER_HOST": "npipe:x"}, None, "DOCKER_HOST: .*use unix:///path"),
        ({"DOCKER_CONTEXT": "gone"}, None, "DOCKER_CONTEXT: there is no Docker context gone"),
        ({}, "gone", r"config\.json: there is no Docker context gone .* lists them"),
    ],
)
def test_engine_that_is_meant_and_unknown_is_never_another_one(
    docker: Docker, more: dict[str, str], current: str | None, told: str
) -> None:
    docker.current(current)
    with pytest.raises(ConfigError, match=told):
        Config().docker_hosts(docker.environ | more)


@pytest.mark.parametrize("verify", ["DOCKER_TLS_VERIFY", "DOCKER_TLS"])
@pytest.mark.parametrize("has_pair", [True, False])
def test_tls_by_the_environment_is_always_verified(
    docker: Docker, verify: str, has_pair: bool
) -> None:
    certs = docker.folder / "certs"
    certs.mkdir()
    environ = docker.environ | HOST | {verify: "1"}
    assert usual_address(environ).ca_file == f"{docker.folder}/ca.pem"
    for name in ("cert.pem", "key.pem") * has_pair:
        (certs / name).touch()
    found = usual_address(environ | {"DOCKER_CERT_PATH": str(certs)})
    pair = (f"{certs}/cert.pem", f"{certs}/key.pem") if has_pair else (None, None)
    assert (found.ca_file, found.cert_file, found.key_file) == (f"{certs}/ca.pem", *pair)
    assert usual_address(HOST | docker.environ) == Address(HOST["DOCKER_HOST"])


@pytest.mark.parametrize(
    ("listening", "expected"),
    [
        (("usual", "run/docker.sock"), "usual"),
        (("run/docker.sock",), "run/docker.sock"),
        ((), "usual"),
    ],
)
def test_own_rootless_engine_is_found_where_the_usual_one_is_not(
    docker: Docker, monkeypatch: pytest.MonkeyPatch, listening: tuple[str, ...], expected: str
) -> None:
    monkeypatch.setattr(of_docker, "USUAL", str(docker.folder / "usual"))
    (docker.folder / "run").mkdir()
    monkeypatch.chdir(docker.folder)  # a socket's path ends at 107 characters
    for path in listening:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
    environ = docker.environ | {"XDG_RUNTIME_DIR": str(docker.folder / "run")}
    assert usual_address(environ).host == f"unix://{docker.folder}/{expected}"
