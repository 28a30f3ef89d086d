"""A registry that does not tell: *unknown*, with the reason, never "up to date", never a storm.

The registry is the real one behind a proxy that can be told to misbehave.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message

import pytest

from tests.http_kit import LocalServer, QuietHandler
from tests.lab_kit import World
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine


class Proxy(LocalServer):
    """Passes requests on to the real registry until `trouble` says otherwise; counts them."""

    def __init__(self, registry: str) -> None:
        self.trouble: str | None = None
        self.asked: list[str] = []
        proxy = self

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"
            # Newer engines try TLS first, and take an answer for plain HTTP by its status line.
            default_request_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy.asked.append(f"{self.command} {self.path}")
                match proxy.trouble:
                    case None:
                        self._pass_on()
                    case "slow":
                        time.sleep(30)
                    case "html":
                        self.answer(200, b"<html>captive portal</html>")
                    case "429":
                        self.answer(429, b"{}", {"Retry-After": "3600"})
                    case status:
                        self.answer(int(status), b"{}")

            do_HEAD = do_GET

            def _pass_on(self) -> None:
                # Newer engines send a header line for each media type.
                wanted = {"Accept": ", ".join(self.headers.get_all("Accept") or ["*/*"])}
                asked = urllib.request.Request(
                    f"http://{registry}{self.path}", headers=wanted, method=self.command
                )
                try:
                    with urllib.request.urlopen(asked) as answer:
                        self._as_told(answer.status, answer.read(), answer.headers)
                except urllib.error.HTTPError as error:
                    self._as_told(error.code, error.read(), error.headers)

            def _as_told(self, status: int, body: bytes, headers: Message) -> None:
                ours = ("date", "server")
                kept = {k: v for k, v in headers.items() if k.lower() not in ours}
                self.answer(status, body, kept)

        super().__init__(Handler)


@pytest.fixture
def proxy(world: World) -> Iterator[Proxy]:
    with Proxy(world.lab.registry) as proxy:
        yield proxy


def through(proxy: Proxy, world: World, *names: str) -> None:
    """web:1.0.0 runs, pulled through the proxy; 1.1.0 is newer."""
    world.publish("1.0.0")
    world.publish("1.1.0")
    for name in names or ("web",):
        world.run(f"{proxy.host}/{world.name}:1.0.0", name)


# what the proxy does: what the error must say of it
TROUBLE = {
    "429": "limits our requests (429) and wants 3600 s of rest",
    "500": "answered 500. The registry cannot answer this now",
    "html": "broken JSON",
    "401": "answered 401. There is no such repository, or it needs a login",
    "404": "answered 404. It does not exist",
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_registry_that_does_not_tell_leaves_the_image_unknown(
    world: World, sau: Sau, proxy: Proxy, trouble: str
) -> None:
    through(proxy, world)
    proxy.trouble = trouble
    before = world.ids()

    checked = sau("check")
    step = sau("plan").step(f"{world.prefix}-web")
    applied = sau("apply", "--yes")

    (change,) = checked.json["changes"]
    assert (checked.code, change["candidate"]) == (0, None)
    assert proxy.host in change["error"]
    assert TROUBLE[trouble] in change["error"]
    assert step["action"] == "hold"
    assert "unknown" in step["reasons"][0]
    assert (applied.code, applied.json["updates"], world.ids()) == (0, [], before)


def test_registry_that_hangs_leaves_every_image_of_it_unknown_after_one_wait(
    world: World, sau: Sau, proxy: Proxy
) -> None:
    through(proxy, world, "a", "b")
    proxy.trouble = "slow"
    proxy.asked.clear()

    changes = sau("check").json["changes"]

    assert ["did not answer in time" in change["error"] for change in changes] == [True, True]
    assert len(proxy.asked) == 1


def test_many_containers_of_one_image_ask_once(world: World, sau: Sau, proxy: Proxy) -> None:
    through(proxy, world, "a", "b", "c", "d")
    proxy.asked.clear()

    steps = sau("plan").json["steps"]

    assert [step["action"] for step in steps] == ["update"] * 4
    assert len(proxy.asked) == len(set(proxy.asked))


def test_limited_host_is_not_stormed(world: World, sau: Sau, proxy: Proxy) -> None:
    through(proxy, world, "a", "b", "c", "d")
    for name in "efgh":
        world.publish("1.0.0", name=name)
        world.run(f"{proxy.host}/{world.prefix}/{name}:1.0.0", name)
    proxy.trouble = "429"
    proxy.asked.clear()

    steps = sau("plan").json["steps"]

    assert [step["action"] for step in steps] == ["hold"] * 8
    assert len(proxy.asked) <= 5  # one per distinct image at most, none repeated
