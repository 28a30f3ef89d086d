"""Webhooks and heartbeats reach a real HTTP server, and betray nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import subprocess
import traceback
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.core.events import Event
from safe_auto_updater.notify.heartbeat import Heartbeat
from safe_auto_updater.notify.webhook import WebhookNotifier
from tests.tls_kit import certified
from tests.unit.notify.kit import EVENT, Hook, hooked, of

DOCS = Path(__file__).parents[3] / "docs" / "notifications.md"


def webhook(url: str | None = None, **options: str) -> WebhookNotifier:
    return WebhookNotifier(url, **options, now=lambda: 1_700_000_000.9)  # type: ignore[arg-type]


def test_webhook_whose_url_is_none_is_refused_without_its_path() -> None:
    with pytest.raises(PlatformError, match="not a URL") as caught:
        webhook("http://\u00e4..b/s3cr3tpath")
    assert "s3cr3tpath" not in str(caught.value)


def test_webhook_posts_the_event_as_json(hook: Hook) -> None:
    webhook(hook.url).send(of(EVENT))

    [(method, path, headers, body)] = hook.requests
    assert (method, path) == ("POST", "/hook/s3cr3tpath")
    assert headers["content-type"] == "application/json"
    assert not {"authorization", "safe-auto-updater-signature"} & headers.keys()
    document = json.loads(body)
    assert document.pop("text").startswith("1.3 failed\nAsset: docker:local/web\n")
    assert document == {
        "schema": "safe-auto-updater/event/v1",
        "title": "web: rolled back",
        "kind": "rolled_back",
        "message": "1.3 failed",
        "asset": "docker:local/web",
        "update": "u1",
        "at": "2023-11-14T22:13:20.000+00:00",
        "details": {"n": 1},
    }


def test_webhook_posts_a_cycle_as_one_document(hook: Hook) -> None:
    other = Event("succeeded", "runs", 1_700_000_001.0, "docker:local/api")
    webhook(hook.url).send(of(EVENT, other, batched=True))
    webhook(hook.url).send(of(EVENT, batched=True))

    both, one = (json.loads(body) for *_, body in hook.requests)
    assert both["schema"] == one["schema"] == "safe-auto-updater/events/v1"
    assert both["title"] == "Safe Auto-Updater on here: 1 rolled back, 1 succeeded"
    assert [event["kind"] for event in both["events"]] == ["rolled_back", "succeeded"]
    assert [event["kind"] for event in one["events"]] == ["rolled_back"]


def test_signature_is_over_time_and_body_and_needs_the_secret(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cr3t\n")
    webhook(hook.url, secret_file=str(tmp_path / "secret")).send(of(EVENT))

    [(_, _, headers, body)] = hook.requests
    wanted = hmac.new(b"s3cr3t", b"1700000000." + body, hashlib.sha256).hexdigest()
    assert headers["safe-auto-updater-signature"] == f"t=1700000000,v1={wanted}"


def test_documented_way_to_verify_a_signature_accepts_ours_and_no_other(
    hook: Hook, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("s3cr3t")
    webhook(hook.url, secret_file=str(tmp_path / "secret")).send(of(EVENT))
    [(_, _, headers, body)] = hook.requests
    [example] = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    known: dict[str, object] = {}
    exec(example, known)  # our own document
    is_genuine = known["is_genuine"]
    assert callable(is_genuine)
    signature = headers["safe-auto-updater-signature"]

    assert is_genuine(signature, body, "s3cr3t", now=1_700_000_100)
    assert not is_genuine(signature, body + b" ", "s3cr3t", now=1_700_000_100)
    assert not is_genuine(signature, body, "other", now=1_700_000_100)
    assert not is_genuine(signature, body, "s3cr3t", now=1_700_001_000)
    later = signature.replace("t=1700000000", "t=1700001000")
    assert not is_genuine(later, body, "s3cr3t", now=1_700_001_000)


def test_documented_signature_is_what_openssl_makes(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cr3t")
    webhook(hook.url, secret_file=str(tmp_path / "secret")).send(of(EVENT))
    [(_, _, headers, body)] = hook.requests

    made = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", "s3cr3t"],
        input=b"1700000000." + body, capture_output=True, check=True,
    )  # fmt: skip
    assert headers["safe-auto-updater-signature"].endswith(made.stdout.decode().split()[-1])


@pytest.mark.slow
def test_webhook_sends_the_token_that_its_file_holds_now(hook: Hook, tmp_path: Path) -> None:
    token = tmp_path / "token"
    notifier = webhook(hook.url, token_file=str(token))
    for text in ("one\n", "two"):
        token.write_text(text)
        notifier.send(of(EVENT))

    assert [headers["authorization"] for _, _, headers, _ in hook.requests] == [
        "Bearer one",
        "Bearer two",
    ]


def test_webhook_goes_where_its_file_says_now(hook: Hook, tmp_path: Path) -> None:
    file = tmp_path / "url"
    notifier = webhook(url_file=str(file))
    for path in ("/one", "/two"):
        file.write_text(hook.url.replace("/hook/s3cr3tpath", path) + "\n")
        notifier.send(of(EVENT))

    assert [path for _, path, _, _ in hook.requests] == ["/one", "/two"]


@pytest.mark.parametrize("text", ["", "mailto:s3cr3t", "http://\u00e4..b/s3cr3t", "s3cr3t", None])
def test_file_that_holds_no_url_is_named_without_what_it_holds(
    tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "url"
    if text is not None:
        file.write_text(text)
    with pytest.raises(PlatformError, match="url_file") as caught:
        webhook(url_file=str(file)).send(of(EVENT))
    assert "s3cr3t" not in str(caught.value)


def test_webhook_masks_credentials_in_what_it_sends(hook: Hook) -> None:
    event = Event("held", "pull https://u:pw@h/", 0.0, details={"env": ["TOKEN=abc"]})
    webhook(hook.url).send(of(event))

    body = json.loads(hook.requests[0][3])
    assert body["message"] == "pull https://***@h/"
    assert body["details"] == {"env": ["TOKEN=***"]}
    assert "pw@" not in body["text"]


@pytest.mark.slow
@pytest.mark.parametrize("status", [500, 503, 429, 0])
def test_webhook_may_be_tried_again_where_the_other_side_is_not_there(
    hook: Hook, status: int
) -> None:
    hook.answers[:] = [status]
    with pytest.raises(PlatformUnreachable, match=r"answered|cannot be reached"):
        webhook(hook.url).send(of(EVENT))

    assert len(hook.requests) == 1


@pytest.mark.slow
@pytest.mark.parametrize("status", [302, 400, 401, 404])
def test_webhook_does_not_follow_what_was_refused(hook: Hook, status: int) -> None:
    hook.answers[:] = [status]
    with pytest.raises(PlatformError, match=f"refused it with {status}"):
        webhook(hook.url).send(of(EVENT))

    assert len(hook.requests) == 1


@pytest.mark.parametrize("key", ["token_file", "secret_file"])
@pytest.mark.parametrize("text", [b"", b"a\nb", b"\xff\xfe", None])
def test_webhook_without_a_usable_secret_sends_nothing(
    hook: Hook, tmp_path: Path, key: str, text: bytes | None
) -> None:
    file = tmp_path / "secret"
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(PlatformError, match=f"{key} .*secret"):
        webhook(hook.url, **{key: str(file)}).send(of(EVENT))

    assert hook.requests == []


@pytest.mark.slow
@pytest.mark.parametrize("status", [500, 403, None])
def test_webhook_errors_hold_no_secret(hook: Hook, tmp_path: Path, status: int | None) -> None:
    (tmp_path / "token").write_text("s3cr3ttoken")
    url = hook.url if status else "http://127.0.0.1:1/s3cr3tpath"
    hook.answers[:] = [status or 204]
    files = {key: str(tmp_path / "token") for key in ("token_file", "secret_file")}
    with pytest.raises((PlatformError, PlatformUnreachable)) as caught:
        webhook(url, **files).send(of(EVENT))

    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.slow
def test_server_is_known_by_ca_file(tmp_path: Path) -> None:
    certificate = certified(tmp_path)
    with hooked(certificate) as hook:
        webhook(hook.url, ca_file=str(certificate)).send(of(EVENT))
        Heartbeat(hook.url, ca_file=str(certificate)).send(of(Event("cycle", "x", 0.0)))
        with pytest.raises(PlatformUnreachable, match=r"(?i)certificate"):
            webhook(hook.url).send(of(EVENT))
        with pytest.raises(PlatformError, match=r"ca_file .*nothing"):
            webhook(hook.url, ca_file=str(tmp_path / "nothing")).send(of(EVENT))

    assert [method for method, *_ in hook.requests] == ["POST", "GET"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_heartbeat_asks_its_url_and_says_nothing(hook: Hook, method: str) -> None:
    Heartbeat(hook.url, method=method).send(of(Event("cycle", "2 updated", 0.0)))

    [(asked, path, _, body)] = hook.requests
    assert (asked, path, body) == (method, "/hook/s3cr3tpath", b"")


def test_heartbeat_that_is_refused_says_so(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(hook.url)
    hook.answers[:] = [404]
    with pytest.raises(PlatformError, match=r"heartbeat http://.* refused it with 404") as caught:
        Heartbeat(url_file=str(tmp_path / "url")).send(of(Event("cycle", "x", 0.0)))
    assert "s3cr3tpath" not in str(caught.value)
