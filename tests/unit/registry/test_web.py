"""Any web server, asked as registries are: where secrets go, and where redirects may lead."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.registry.authorities import trusting
from safe_auto_updater.platforms.registry.web import WebServer
from safe_auto_updater.platforms.registry.wire import Wire
from tests.unit.registry.conftest import HandClock
from tests.unit.registry.fake import Fake, Reply


def opened(fake: Fake, clock: HandClock, tls: ssl.SSLContext | None = None) -> WebServer:
    wire = Wire(clock, lambda: 0.5, 10.0)
    return WebServer(fake.url, wire, lambda: tls or ssl.create_default_context(), 10.0)


@pytest.fixture
def web(fake: Fake, clock: HandClock) -> Iterator[WebServer]:
    server = opened(fake, clock)
    yield server
    server.close()


def to(url: str) -> Reply:
    return Reply(302, headers={"Location": url})


def test_secrets_stay_with_the_first_server(web: WebServer, fake: Fake, other: Fake) -> None:
    fake.routes = {"/a": to("/b"), "/b": to(f"{other.url}/c")}
    other.routes = {"/c": to(f"{fake.url}/d")}
    fake.routes["/d"] = Reply(200, b"here", {"ETag": '"1"'})
    answer = web.get(f"{fake.url}/a", {"Accept": "x/y"}, 100, "Basic s3cret")
    assert (answer.status, answer.body, answer.header("etag")) == (200, b"here", '"1"')
    assert [r.headers.get("authorization") for r in fake.asked] == ["Basic s3cret"] * 3
    assert [r.headers.get("authorization") for r in other.asked] == [None]
    assert {r.headers["accept"] for r in (*fake.asked, *other.asked)} == {"x/y"}


def test_each_status_is_an_answer(web: WebServer, fake: Fake) -> None:
    for status in (304, 401, 404):
        fake.routes["/a"] = Reply(status)
        assert web.get(f"{fake.url}/a", {}, 100, None).status == status


@pytest.mark.parametrize("where", ["/a", "ftp://h/", "http://u:p@h/", "", "//"])
def test_redirects_that_lead_nowhere_are_refused(web: WebServer, fake: Fake, where: str) -> None:
    fake.routes["/a"] = to(where)
    with pytest.raises(RegistryError) as refused:
        web.get(f"{fake.url}/a?token=s3cret", {}, 100, None)
    assert refused.value.reason == "malformed"
    assert "s3cret" not in str(refused.value)


def test_no_redirect_leaves_tls(
    tls_fake: Fake, fake: Fake, clock: HandClock, certificate: Path
) -> None:
    server = opened(tls_fake, clock, trusting("me", certificate))
    tls_fake.routes["/a"] = to(f"{fake.url}/b")
    with pytest.raises(RegistryError, match="from HTTPS to plain HTTP"):
        server.get(f"{tls_fake.url}/a", {}, 100, None)
    server.close()


def test_a_body_is_bounded(web: WebServer, fake: Fake) -> None:
    fake.routes["/a"] = Reply(200, b"x" * 101)
    with pytest.raises(RegistryError, match="larger than 100 bytes"):
        web.get(f"{fake.url}/a", {}, 100, None)
