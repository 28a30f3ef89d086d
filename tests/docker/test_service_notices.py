"""The service tells by mail, webhook and apprise, while other receivers hang, fail and flood."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from safe_auto_updater.core.outcome import Outcome
from tests.docker.service_kit import ENABLED, Service
from tests.lab_kit import World, eventually
from tests.sau_kit import Sau
from tests.unit.notify.kit import Hook, Post, hooked, posted

MANY = 20  # receivers that refuse everything

pytestmark = pytest.mark.any_engine


@pytest.fixture
def hanging() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def kinds(hook: Hook) -> list[str]:
    """The events that a webhook got, in order."""
    return [json.loads(body)["kind"] for _, _, _, body in hook.requests]


def subjects(post: Post) -> list[str]:
    return [message["Subject"] for _, _, message in post.taken]


def test_each_receiver_is_told_and_no_update_waits_for_one_that_hangs_fails_or_floods(
    world: World, sau: Sau, service: Service, tmp_path: Path, hanging: int
) -> None:
    world.publish("1.0.0")
    world.publish("1.1.0")
    world.run(f"{world.repository}:1.0.0", **ENABLED)
    with ExitStack() as servers:
        post = servers.enter_context(posted())
        web = servers.enter_context(hooked())
        chat = servers.enter_context(hooked())
        refusing = servers.enter_context(hooked())
        refusing.answers = [403] * 10_000
        urls = tmp_path / "urls"
        urls.write_text(chat.url.replace("http://", "json://"))
        receivers = [
            {"type": "webhook", "url": f"http://127.0.0.1:{hanging}/", "timeout": "1h"},
            *[{"type": "webhook", "url": refusing.url, "events": ["phase", "progress"]}] * MANY,
            {"type": "email", "host": "127.0.0.1", "port": post.port, "tls": "none",
             "from": "sau@example.org", "to": ["you@example.org"]},
            {"type": "webhook", "url": web.url},
            {"type": "apprise", "urls_file": str(urls), "batch": "cycle"},
        ]  # fmt: skip
        extra = f"detection:\n  interval: 1h\nnotifications: {json.dumps(receivers)}\n"
        sau.configure("stable_for: 1s", extra)
        service.start()

        eventually(lambda: service.cycles() == 1, 60)
        assert [record.outcome for record in sau.journal()] == [Outcome.SUCCEEDED]
        eventually(lambda: "succeeded" in kinds(web), 30)
        eventually(lambda: any("succeeded" in subject for subject in subjects(post)), 30)
        eventually(lambda: bool(chat.requests), 60)
        assert b"1.0.0" in chat.requests[0][3]
        eventually(lambda: len(refusing.requests) >= MANY, 30)
        told = [one["message"] for one in service.events("warning")]
        assert len(told) == MANY, f"each receiver that refuses is told once: {told}"
