"""Fixtures: a registry that misbehaves, a clock that only sleeping moves, clients."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from safe_auto_updater.platforms.registry import Answers, Credentials, HostSettings, RegistryClient
from tests.tls_kit import certified, served_with
from tests.unit.registry.fake import Fake


@dataclass
class HandClock:
    """A clock that only sleeping moves."""

    time: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Fake]:
    """A second host."""
    with Fake() as server:
        yield server


MakeClient = Callable[..., RegistryClient]


@pytest.fixture
def make_client(clock: HandClock, tmp_path: Path) -> Iterator[MakeClient]:
    """Clients with no other credentials than those given."""
    made: list[RegistryClient] = []

    def make(
        *settings: HostSettings,
        docker_config: object = None,
        timeout_s: float = 10.0,
        deadline_s: float = 10.0,
        answers: Answers | None = None,
    ) -> RegistryClient:
        file = tmp_path / "config.json"
        file.write_text(json.dumps(docker_config or {}))
        by_host = {setting.host: setting for setting in settings}
        credentials = Credentials(by_host, file)
        client = RegistryClient(
            by_host, credentials, clock, lambda: 0.5, timeout_s, deadline_s, answers
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: MakeClient) -> RegistryClient:
    """An anonymous client."""
    return make_client()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throw-away one."""
    return certified(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_fake(certificate: Path) -> Iterator[Fake]:
    """A registry behind a certificate of a private authority."""
    with Fake(served_with(certificate)) as server:
        yield server
