"""A mirror gives content; what is newest only the registry itself is believed about."""

from __future__ import annotations

import base64

import pytest

from safe_auto_updater.core import spelling
from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.registry import HostSettings, Platform
from tests.unit.registry.conftest import MakeClient
from tests.unit.registry.fake import Fake, Reply, Request, as_json, image_manifest

AMD64 = Platform("linux", "amd64")
CONFIG = {"os": "linux", "architecture": "amd64"}


def serve(origin: Fake, mirror: Fake, prefix: str = "") -> str:
    """The same image at both, under a prefix at the mirror; its digest."""
    origin.routes["/v2/app/tags/list"] = as_json({"tags": ["1"]})
    digest = origin.manifest(image_manifest(origin.blob(CONFIG)))
    for path, reply in list(origin.routes.items()):
        mirror.routes[path.replace("/v2/", f"/v2/{prefix}", 1)] = reply
    return digest


@pytest.mark.parametrize("prefix", ["", "cache/hub/"])
def test_content_comes_from_the_mirror_and_news_from_the_registry(
    make_client: MakeClient, fake: Fake, other: Fake, prefix: str
) -> None:
    digest = serve(fake, other, prefix)
    client = make_client(HostSettings(fake.host, mirror=f"{other.url}/{prefix}"))
    assert client.tags(fake.ref()) == ("1",)
    assert client.resolve(fake.ref(), AMD64).content == digest
    assert [(r.method, r.path.partition("?")[0]) for r in fake.asked] == [
        ("GET", "/v2/app/tags/list"),
        ("HEAD", "/v2/app/manifests/1"),
    ]
    assert [r.path.startswith(f"/v2/{prefix}app/") for r in other.asked] == [True, True]


def test_a_mirror_that_is_behind_is_not_asked_what_is_newest(
    make_client: MakeClient, fake: Fake, other: Fake
) -> None:
    serve(fake, other)
    new = fake.manifest(image_manifest(fake.blob(CONFIG | {"number": 2})))
    client = make_client(HostSettings(fake.host, mirror=other.url))
    assert client.head(fake.ref()) == new
    assert client.resolve(fake.ref(), AMD64).content == new  # which the mirror has not got yet


@pytest.mark.parametrize(
    "reply",
    [Reply(404), Reply(500), Reply(403), Reply(200, b"<html>", {"Content-Type": "text/html"}),
     as_json({"something": "else"}), Reply(429, headers={"Retry-After": "900"})],
)  # fmt: skip
def test_the_registry_is_asked_where_the_mirror_fails(
    make_client: MakeClient, fake: Fake, other: Fake, reply: Reply
) -> None:
    digest = serve(fake, other)
    other.routes = dict.fromkeys(other.routes, reply)
    client = make_client(HostSettings(fake.host, mirror=other.url))
    assert client.resolve(fake.ref(), AMD64).content == digest


def test_a_registry_that_is_away_is_unknown_whatever_the_mirror_says(
    make_client: MakeClient, fake: Fake, other: Fake
) -> None:
    serve(fake, other)
    fake.routes = {}
    client = make_client(HostSettings(fake.host, mirror=other.url))
    for ask in (client.tags, client.head):
        with pytest.raises(RegistryError, match=fake.host):
            ask(fake.ref())
    assert other.asked == []


def test_where_both_fail_both_are_named(make_client: MakeClient, fake: Fake, other: Fake) -> None:
    digest = serve(fake, other)
    for one in (fake, other):
        one.routes[f"/v2/app/manifests/{digest}"] = Reply(404)
    client = make_client(HostSettings(fake.host, mirror=other.url))
    with pytest.raises(RegistryError) as caught:
        client.resolve(fake.ref(), AMD64)
    assert caught.value.reason == "not_found"
    assert fake.host in str(caught.value)
    assert other.host in str(caught.value)


def test_each_of_both_sees_its_own_credentials_only(
    make_client: MakeClient, fake: Fake, other: Fake
) -> None:
    serve(fake, other)

    def basic(user: str) -> str:
        return base64.b64encode(f"{user}:secret".encode()).decode()

    def asks(request: Request) -> Reply | None:
        known = "authorization" in request.headers
        return None if known else Reply(401, headers={"WWW-Authenticate": "Basic"})

    fake.guard = other.guard = asks
    login = {"auths": {fake.host: {"auth": basic("o")}, other.host: {"auth": basic("m")}}}
    client = make_client(HostSettings(fake.host, mirror=other.url), docker_config=login)
    client.resolve(fake.ref(), AMD64)
    for host, user in ((fake, "o"), (other, "m")):
        sent = {r.headers["authorization"] for r in host.asked if "authorization" in r.headers}
        assert sent == {f"Basic {basic(user)}"}


@pytest.mark.parametrize(
    ("mirror", "fits"),
    [
        ("https://mirror.example", True),
        ("http://127.0.0.1:5000/", True),
        ("https://harbor.example/docker-hub", True),
        ("mirror.example", False),
        ("ftp://mirror.example", False),
        ("https://me:pass@mirror.example", False),
        ("https://mirror.example/?x=1", False),
        ("https://mirror.example/Hub", False),
        ("https://mirror.example:port", False),
        ("https://[", False),
        ("https://", False),
    ],
)
def test_what_can_be_a_mirror(mirror: str, fits: bool) -> None:
    if fits:
        assert spelling.mirror(mirror) == mirror
    else:
        with pytest.raises(ValueError, match=r"mirror|repository"):
            spelling.mirror(mirror)
