"""Tag lists: all pages or none, and never a step to another host."""

from __future__ import annotations

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.registry import RegistryClient
from tests.unit.registry.fake import Fake, Reply, Request, as_json

PATH = "/v2/app/tags/list"


def reason_of(client: RegistryClient, fake: Fake) -> tuple[str, str]:
    with pytest.raises(RegistryError) as caught:
        client.tags(fake.ref())
    return caught.value.reason, str(caught.value)


def test_every_page_is_read(client: RegistryClient, fake: Fake) -> None:
    def pages(request: Request) -> Reply:
        if "last=b" in request.path:
            return as_json({"name": "app", "tags": ["c", "a"]})
        return as_json({"tags": ["b", "a"]}, Link=f'<{PATH}?last=b&n=1000>; rel="next"')

    fake.routes[PATH] = pages
    assert client.tags(fake.ref()) == ("b", "a", "c")
    assert fake.asked[0].path == f"{PATH}?n=1000"


@pytest.mark.parametrize(
    "link",
    [
        '</v2/app/tags/list?last=b>; rel="next"',
        "</v2/app/tags/list?last=b>;rel=next",
        '<?last=b>; title="a, b"; rel="last next"',
        '</x>; rel="prev", </v2/app/tags/list?last=b>; rel="next"',
    ],
)
def test_links_are_read_as_written(client: RegistryClient, fake: Fake, link: str) -> None:
    fake.routes[PATH] = lambda request: (
        as_json({"tags": ["2"]})
        if "last=b" in request.path
        else as_json({"tags": ["1"]}, Link=link)
    )
    assert client.tags(fake.ref()) == ("1", "2")


def test_an_empty_repository_has_no_tags(client: RegistryClient, fake: Fake) -> None:
    fake.routes[PATH] = as_json({"name": "app", "tags": None})
    assert client.tags(fake.ref()) == ()


def test_pages_in_a_circle_are_refused(client: RegistryClient, fake: Fake) -> None:
    fake.routes[PATH] = as_json({"tags": ["1"]}, Link=f'<{PATH}?last=1>; rel="next"')
    reason, message = reason_of(client, fake)
    assert reason == "malformed"
    assert "circle" in message
    assert fake.count(PATH) == 2


def test_pages_without_end_are_refused(client: RegistryClient, fake: Fake) -> None:
    def endless(request: Request) -> Reply:
        count = len(fake.asked)
        return as_json({"tags": [f"t{count}"]}, Link=f'<{PATH}?n={count}>; rel="next"')

    fake.routes[PATH] = endless
    assert "500 pages" in reason_of(client, fake)[1]


def test_pages_that_bring_nothing_new_are_a_circle(client: RegistryClient, fake: Fake) -> None:
    fake.routes[PATH] = lambda request: as_json(
        {"tags": ["1"]}, Link=f'<{PATH}?n={len(fake.asked)}>; rel="next"'
    )
    assert "circle" in reason_of(client, fake)[1]
    assert len(fake.asked) < 20


@pytest.mark.slow
def test_ten_thousand_tags_are_read_page_by_page(client: RegistryClient, fake: Fake) -> None:
    def page(request: Request) -> Reply:
        start = int(request.path.partition("last=")[2] or 0)
        following = f'<{PATH}?n=1000&last={start + 1000}>; rel="next"'
        tags = [f"1.{number}" for number in range(start, start + 1000)]
        return as_json({"tags": tags}, **({"Link": following} if start < 9000 else {}))

    fake.routes[PATH] = page
    assert client.tags(fake.ref("app:1.9999")) == tuple(f"1.{number}" for number in range(10_000))
    assert len(fake.asked) == 10


def test_a_page_on_another_host_is_refused(client: RegistryClient, fake: Fake, other: Fake) -> None:
    fake.routes[PATH] = as_json({"tags": ["1"]}, Link=f'<{other.url}{PATH}>; rel="next"')
    reason, message = reason_of(client, fake)
    assert reason == "malformed"
    assert "another host" in message
    assert other.asked == []


def test_a_page_that_fails_leaves_no_half_list(client: RegistryClient, fake: Fake) -> None:
    fake.routes[PATH] = lambda request: (
        Reply(404)
        if "last" in request.path
        else as_json({"tags": ["1"]}, Link=f'<{PATH}?last=1>; rel="next"')
    )
    assert reason_of(client, fake)[0] == "not_found"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>login</html>", {"Content-Type": "text/html"}),
        Reply(200, b'{"tags": ["1"', {"Content-Type": "application/json"}),
        Reply(200, b"[" * 100_000, {"Content-Type": "application/json"}),
        Reply(200, b'{"tags": ["1"]}', length=500),
        Reply(200, b"\xff\xfe\x00"),
        as_json(["1"]),
        as_json({"name": "app"}),
        as_json({"tags": {"1": 2}}),
        as_json({"tags": ["1", 2]}),
    ],
    ids=["page", "cut JSON", "deep", "cut body", "bytes", "list", "no tags", "object", "number"],
)
def test_garbage_is_no_answer(client: RegistryClient, fake: Fake, reply: Reply) -> None:
    fake.routes[PATH] = reply
    assert reason_of(client, fake)[0] == "malformed"


def test_a_list_without_measure_is_not_read_to_its_end(client: RegistryClient, fake: Fake) -> None:
    fake.routes[PATH] = Reply(200, b" " * (33 << 20))
    reason, message = reason_of(client, fake)
    assert reason == "malformed"
    assert "larger" in message
