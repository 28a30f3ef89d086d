"""What is kept between runs saves requests, and never an answer that the registry would refuse."""

from __future__ import annotations

import base64
import json

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.engine.answers import Kept
from safe_auto_updater.platforms.registry import Platform
from tests.unit.registry.conftest import MakeClient
from tests.unit.registry.fake import Fake, Reply, Request, as_json, digest_of, image_manifest

AMD64 = Platform("linux", "amd64")
PATH = "/v2/app/tags/list"


class Memory(dict[str, Kept]):
    """Answers in a dictionary."""

    def put(self, key: str, etag: str | None, body: bytes) -> None:
        self[key] = Kept(etag, body)


def tagged(request: Request) -> Reply:
    """Two pages with entity tags; nothing new where they are known."""
    last = "last" in request.path
    etag = '"two"' if last else 'W/"one"'
    if request.headers.get("if-none-match") == etag:
        return Reply(304, headers={"ETag": etag})
    link = {} if last else {"Link": f'<{PATH}?last=1>; rel="next"'}
    return as_json({"tags": ["2" if last else "1"]}, ETag=etag, **link)


def test_content_is_fetched_once_for_ever(make_client: MakeClient, fake: Fake) -> None:
    kept = Memory()
    digest = fake.image()
    first = make_client(answers=kept).resolve(fake.ref(), AMD64)
    fake.asked.clear()
    second = make_client(answers=kept)
    assert second.resolve(fake.ref(), AMD64) == first
    assert second.image_config(fake.ref(), first.config_digest)["architecture"] == "amd64"
    assert [(r.method, r.path) for r in fake.asked] == [("HEAD", "/v2/app/manifests/1")]
    assert first.digest == digest


def test_a_damaged_entry_is_asked_again(make_client: MakeClient, fake: Fake) -> None:
    kept = Memory()
    fake.image()
    first = make_client(answers=kept).resolve(fake.ref(), AMD64)
    for key in kept:
        kept[key] = Kept(None, b'{"manifests": []}')
    assert make_client(answers=kept).resolve(fake.ref(), AMD64) == first
    assert make_client(answers=kept).resolve(fake.ref(), AMD64) == first


def test_content_is_not_shown_to_whom_the_registry_refuses(
    make_client: MakeClient, fake: Fake
) -> None:
    kept = Memory()
    digest = fake.image()
    make_client(answers=kept).resolve(fake.ref(), AMD64)
    fake.guard = lambda request: Reply(403)
    for ref in (fake.ref(), fake.ref().with_digest(digest)):
        with pytest.raises(RegistryError) as caught:
            make_client(answers=kept).resolve(ref, AMD64)
        assert caught.value.reason == "denied"


def test_tags_are_asked_for_by_their_entity_tags(make_client: MakeClient, fake: Fake) -> None:
    kept = Memory()
    fake.routes[PATH] = tagged
    for _ in range(2):
        assert make_client(answers=kept).tags(fake.ref()) == ("1", "2")
    assert [r.headers.get("if-none-match") for r in fake.asked] == [
        None, None, 'W/"one"', '"two"',
    ]  # fmt: skip


def test_a_list_that_changed_is_read_anew(make_client: MakeClient, fake: Fake) -> None:
    kept = Memory()
    fake.routes[PATH] = as_json({"tags": ["1"]}, ETag='"a"')
    make_client(answers=kept).tags(fake.ref())
    fake.routes[PATH] = as_json({"tags": ["1", "2"]}, ETag='"b"')
    assert make_client(answers=kept).tags(fake.ref()) == ("1", "2")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"tags": [1], "next": null}', b'{"tags": ["1"], "next": 2}']
)
def test_a_damaged_list_is_asked_again(make_client: MakeClient, fake: Fake, body: bytes) -> None:
    kept = Memory()
    fake.routes[PATH] = tagged
    make_client(answers=kept).tags(fake.ref())
    for key in kept:
        kept[key] = Kept(kept[key].etag, body)
    assert make_client(answers=kept).tags(fake.ref()) == ("1", "2")


@pytest.mark.parametrize("etag", ["bare", '"a\tb"', '"' + "a" * 999 + '"', ""])
def test_an_entity_tag_that_cannot_be_sent_back_is_left(
    make_client: MakeClient, fake: Fake, etag: str
) -> None:
    kept = Memory()
    fake.routes[PATH] = as_json({"tags": ["1"]}, ETag=etag)
    for _ in range(2):
        assert make_client(answers=kept).tags(fake.ref()) == ("1",)
    assert all("if-none-match" not in request.headers for request in fake.asked)


def test_a_registry_without_digests_is_asked_by_entity_tag(
    make_client: MakeClient, fake: Fake
) -> None:
    kept = Memory()
    config = fake.blob({"os": "linux", "architecture": "amd64"})
    body = json.dumps(image_manifest(config)).encode()

    def answer(request: Request) -> Reply:
        if request.headers.get("if-none-match") == '"m"':
            return Reply(304)
        return Reply(200, body, {"ETag": '"m"'})

    fake.routes["/v2/app/manifests/1"] = answer
    for _ in range(2):
        found = make_client(answers=kept).resolve(fake.ref(), AMD64)
        assert found.digest == digest_of(body)
    assert [r.method for r in fake.asked] == ["HEAD", "GET", "GET", "HEAD", "GET"]


def test_keys_hold_no_secret(make_client: MakeClient, fake: Fake) -> None:
    kept = Memory()
    fake.image()
    fake.routes[PATH] = tagged
    basic = Reply(401, headers={"WWW-Authenticate": "Basic"})
    fake.guard = lambda request: None if "authorization" in request.headers else basic
    auth = base64.b64encode(b"me:geheim").decode()
    login = {"auths": {fake.host: {"auth": auth}}}
    client = make_client(docker_config=login, answers=kept)
    client.tags(fake.ref())
    client.resolve(fake.ref(), AMD64)
    assert kept
    assert not any(secret in repr(kept) for secret in ("geheim", auth))
