"""Notices reach a real HTTP server, and never delay, stop or betray an update."""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.core.events import EVENTS, Event
from safe_auto_updater.notify.dispatch import DEFAULT_EVENTS, Handler, Notifications
from safe_auto_updater.notify.webhook import WebhookNotifier

EVENT = Event("rolled_back", "1.3 failed", 1_700_000_000.0, "docker:local/web", "u1", {"n": 1})


@dataclass
class Hook:
    """A webhook's other side: the answers it gives in turn, and what it was sent."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A real HTTP server that answers 204, or what the test puts into `answers`."""
    seen = Hook()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.requests.append((self.path, headers, body))
            status = seen.answers.pop(0) if seen.answers else 204
            if status == 0:
                return  # hang up without a word
            self.send_response(status)
            if status == 302:
                self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    seen.url = f"http://127.0.0.1:{server.server_port}/hook/s3cr3tpath"
    thread = threading.Thread(target=server.serve_forever, args=(0.002,))
    thread.start()
    yield seen
    server.shutdown()
    thread.join()
    server.server_close()


def test_webhook_whose_url_is_none_is_refused_without_its_path() -> None:
    with pytest.raises(PlatformError, match="not a URL") as caught:
        WebhookNotifier("http://\u00e4..b/s3cr3tpath", sleep=_never)
    assert "s3cr3tpath" not in str(caught.value)


def test_webhook_posts_the_event_as_json(hook: Hook) -> None:
    WebhookNotifier(hook.url, sleep=_never).notify(EVENT)

    [(path, headers, body)] = hook.requests
    assert path == "/hook/s3cr3tpath"
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers
    assert json.loads(body) == {
        "schema": "safe-auto-updater/event/v1",
        "kind": "rolled_back",
        "message": "1.3 failed",
        "asset": "docker:local/web",
        "update": "u1",
        "at": "2023-11-14T22:13:20.000+00:00",
        "details": {"n": 1},
    }


def test_webhook_sends_the_token_that_its_file_holds_now(hook: Hook, tmp_path: Path) -> None:
    token = tmp_path / "token"
    webhook = WebhookNotifier(hook.url, str(token), sleep=_never)
    for text in ("one\n", "two"):
        token.write_text(text)
        webhook.notify(EVENT)

    assert [headers["authorization"] for _, headers, _ in hook.requests] == [
        "Bearer one",
        "Bearer two",
    ]


def test_webhook_masks_credentials_in_what_it_sends(hook: Hook) -> None:
    event = Event("held", "pull https://u:pw@h/", 0.0, details={"env": ["TOKEN=abc"]})
    WebhookNotifier(hook.url, sleep=_never).notify(event)

    body = json.loads(hook.requests[0][2])
    assert body["message"] == "pull https://***@h/"
    assert body["details"] == {"env": ["TOKEN=***"]}


@pytest.mark.parametrize("answers", [[503], [500, 502], [0], [0, 500]])
def test_webhook_tries_again_while_the_other_side_is_not_there(
    hook: Hook, answers: list[int]
) -> None:
    hook.answers[:] = answers
    pauses: list[float] = []

    WebhookNotifier(hook.url, sleep=pauses.append).notify(EVENT)

    assert len(hook.requests) == len(answers) + 1
    assert pauses == [1.0, 4.0][: len(answers)]


def test_webhook_gives_up_after_three_attempts(hook: Hook) -> None:
    hook.answers[:] = [500] * 5
    with pytest.raises(PlatformUnreachable, match="answered 500"):
        WebhookNotifier(hook.url, sleep=lambda _: None).notify(EVENT)

    assert len(hook.requests) == 3


@pytest.mark.parametrize("status", [302, 400, 401, 404])
def test_webhook_does_not_repeat_or_follow_what_was_refused(hook: Hook, status: int) -> None:
    hook.answers[:] = [status]
    with pytest.raises(PlatformError, match=f"refused the notice with {status}"):
        WebhookNotifier(hook.url, sleep=_never).notify(EVENT)

    assert len(hook.requests) == 1


@pytest.mark.parametrize("token", ["", "a\nb", "caf\xe9", None])
def test_webhook_without_a_usable_token_sends_nothing(
    hook: Hook, tmp_path: Path, token: str | None
) -> None:
    file = tmp_path / "token"
    if token is not None:
        file.write_text(token)
    with pytest.raises(PlatformError, match=r"token_file .*token"):
        WebhookNotifier(hook.url, str(file), sleep=_never).notify(EVENT)

    assert hook.requests == []


@pytest.mark.parametrize("status", [500, 403, None])
def test_webhook_errors_hold_no_secret(hook: Hook, tmp_path: Path, status: int | None) -> None:
    (tmp_path / "token").write_text("s3cr3ttoken")
    url = hook.url if status else "http://127.0.0.1:1/s3cr3tpath"
    hook.answers[:] = [status or 204] * 3
    with pytest.raises((PlatformError, PlatformUnreachable)) as caught:
        WebhookNotifier(url, str(tmp_path / "token"), sleep=lambda _: None).notify(EVENT)

    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


class Recorder:
    """A notifier that remembers, waits for `gate`, and fails when told to."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.fails = False

    def notify(self, event: Event) -> None:
        self.gate.wait(10)
        self.kinds.append(event.kind)
        if self.fails:
            raise RuntimeError("no route")


def test_each_handler_gets_only_its_events_in_order() -> None:
    usual, picky = Recorder(), Recorder()
    handlers = [Handler("usual", usual), Handler("picky", picky, ("started",))]
    notifications = Notifications(handlers, pytest.fail)
    for kind in EVENTS:
        notifications(Event(kind, "x", 0.0))

    assert notifications.close(5) == 0
    assert usual.kinds == [kind for kind in EVENTS if kind in DEFAULT_EVENTS]
    assert picky.kinds == ["started"]


def test_handler_about_some_assets_is_told_of_no_others() -> None:
    lab = Recorder()
    notifications = Notifications(
        [Handler("lab", lab, ("held", "started"), "k:lab/*")], pytest.fail
    )
    for kind, asset in (("held", "k:lab/a"), ("started", "k:lab2/a"), ("started", None)):
        notifications(Event(kind, "x", 0.0, asset))

    assert notifications.close(5) == 0
    assert lab.kinds == ["held"]


def test_slow_notifier_does_not_delay_an_update() -> None:
    slow = Recorder()
    slow.gate.clear()
    problems: list[str] = []
    notifications = Notifications([Handler("slow", slow)], problems.append)

    began = time.monotonic()
    for _ in range(2000):
        notifications(EVENT)
    assert time.monotonic() - began < 1
    assert problems == ["1000 notices wait already; newer ones are lost"]

    assert notifications.close(0.01) >= 1000
    assert problems[1].endswith("notices were not delivered within 0.01 s")
    slow.gate.set()


def test_failing_notifier_is_told_once_until_it_works_again() -> None:
    broken, fine = Recorder(), Recorder()
    broken.fails = True
    problems: list[str] = []
    notifications = Notifications([Handler("a", broken), Handler("a", fine)], problems.append)
    for _ in range(3):
        notifications(EVENT)

    assert notifications.close(5) == 0
    assert problems == ["notification a: no route"]
    assert fine.kinds == ["rolled_back"] * 3


def test_warning_about_a_broken_notifier_is_not_notified() -> None:
    broken = Recorder()
    broken.fails = True
    notifications = Notifications(
        [Handler("a", broken, ("held", "warning"))],
        lambda problem: notifications(Event("warning", problem, 0.0)),
    )
    notifications(Event("held", "x", 0.0))

    notifications.close(5)
    assert broken.kinds == ["held"]


def test_closing_delivers_what_waits_and_then_is_deaf() -> None:
    recorder = Recorder()
    notifications = Notifications([Handler("a", recorder)], pytest.fail)
    assert notifications.close(1) == 0

    notifications(EVENT)
    assert notifications.close(1) == 0
    assert recorder.kinds == []


def test_without_notices_there_is_no_thread() -> None:
    before = threading.active_count()
    Notifications([Handler("a", Recorder())], pytest.fail)(Event("phase", "x", 0.0))

    assert threading.active_count() == before


def _never(_: float) -> None:
    pytest.fail("nothing to wait for")
