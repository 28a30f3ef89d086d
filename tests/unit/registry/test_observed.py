"""Whoever counts is told of each question that goes out, and what came of it; never a secret."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from safe_auto_updater.app import App
from safe_auto_updater.config.config import Config, HelmSource, RegistryAccess
from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.registries import Asked
from safe_auto_updater.platforms.registry import Credentials, RegistryClient
from safe_auto_updater.platforms.registry.web import WebServer
from safe_auto_updater.platforms.registry.wire import Wire
from tests.unit.registry.conftest import HandClock
from tests.unit.registry.fake import Fake, Reply, as_json

PATH = "/v2/app/tags/list"
OK = as_json({"tags": ["1"]})


@pytest.fixture
def asked() -> list[Asked]:
    return []


@pytest.fixture
def tags(asked: list[Asked], clock: HandClock, tmp_path: Path) -> Callable[[Reference], str]:
    """Asks for the tags of a reference; what came of it, in one word."""
    credentials = Credentials({}, tmp_path / "none.json")

    def ask(ref: Reference) -> str:
        client = RegistryClient({}, credentials, clock, lambda: 0.5, 1.0, observe=asked.append)
        try:
            client.tags(ref)
        except RegistryError as error:
            return error.reason
        finally:
            client.close()
        return "ok"

    return ask


Tags = Callable[[Reference], str]


@pytest.mark.parametrize(
    ("status", "outcome", "times"),
    [(401, "unauthorized", 1), (403, "refused", 1), (404, "refused", 1), (429, "rate_limited", 3),
     (500, "server", 3), (503, "server", 3)],
)  # fmt: skip
def test_each_try_is_told(
    tags: Tags, asked: list[Asked], fake: Fake, status: int, outcome: str, times: int
) -> None:
    fake.routes[PATH] = Reply(status)
    assert tags(fake.ref("app")) != "ok"
    assert asked == [Asked(fake.host, "GET", outcome)] * times


def test_an_answer_after_a_trouble_is_told_after_it(
    tags: Tags, asked: list[Asked], fake: Fake
) -> None:
    fake.routes[PATH] = [Reply(502), OK]
    assert tags(fake.ref("app")) == "ok"
    assert [one.outcome for one in asked] == ["server", "ok"]


def test_what_never_became_an_answer_is_told(tags: Tags, asked: list[Asked], fake: Fake) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    assert tags(Fake.ref_at(host, "app")) == "unreachable"
    fake.routes[PATH] = Reply(200, b"short", length=50)
    assert tags(fake.ref("app")) == "malformed"
    told = {(one.host, one.outcome) for one in asked}
    assert told == {(host, "unreachable"), (fake.host, "malformed")}


def test_redirects_are_told_of_the_host_that_was_asked(
    tags: Tags, asked: list[Asked], fake: Fake, other: Fake
) -> None:
    fake.routes[PATH] = Reply(307, headers={"Location": f"{other.url}/list?signature=s3cret"})
    other.routes["/list"] = OK
    tags(fake.ref("app"))
    assert asked == [Asked(fake.host, "GET", "ok"), Asked(other.host, "GET", "ok")]


@pytest.mark.parametrize(
    ("headers", "left", "granted"),
    [
        ({"RateLimit-Remaining": "76;w=21600", "RateLimit-Limit": "100;w=21600"}, 76, 100),
        ({"RateLimit-Remaining": "5"}, 5, None),
        ({"RateLimit-Limit": "100"}, None, None),
    ],
)
def test_what_a_host_still_grants_is_told(
    tags: Tags,
    asked: list[Asked],
    fake: Fake,
    headers: dict[str, str],
    left: int | None,
    granted: int | None,
) -> None:
    fake.routes[PATH] = Reply(200, OK.body, {**OK.headers, **headers})
    tags(fake.ref("app"))
    assert asked == [Asked(fake.host, "GET", "ok", left, granted)]


def test_a_password_in_a_url_is_not_told(asked: list[Asked], fake: Fake, clock: HandClock) -> None:
    wire = Wire(clock, lambda: 0.5, 10.0, asked.append)
    server = WebServer(fake.url, wire, ssl.create_default_context, 10.0)
    server.get(f"http://me:s3cret@{fake.host}/a", {}, 100, None)
    server.close()
    assert asked == [Asked(fake.host, "GET", "refused")]


def test_the_program_tells_of_images_and_of_charts(
    asked: list[Asked], fake: Fake, other: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    fake.routes[PATH] = OK
    config = Config(
        registries=(RegistryAccess(fake.host, plain_http=True),),
        helm_sources=(HelmSource("web", other.url), HelmSource("api", f"oci://{fake.host}/charts")),
    )
    environ = {"HOME": str(tmp_path)}
    with App(config, tmp_path / "state", environ, (), observe=asked.append) as app:
        app.registry.tags(fake.ref("app"))
        for _, ask in app.charts().questions():
            with pytest.raises(RegistryError):
                ask()
    hosts = [one.host for one in asked]
    assert (hosts.count(fake.host), hosts.count(other.host)) == (2, 1)
