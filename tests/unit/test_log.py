"""The log says what happened, in one line, and never a credential."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safe_auto_updater.core.events import EVENTS, Event
from safe_auto_updater.core.redact import redact_all
from safe_auto_updater.log import LEVELS, Level, Logger, level_of, redact

AT = 1_700_000_000.25
EVENT = Event(
    "succeeded", "1.2 -> 1.3", AT, "docker:local/web", "u1", {"seconds": 3, "password": "hunter2"}
)


def human(event: Event) -> str:
    stream = io.StringIO()
    Logger(stream, level="debug")(event)
    return stream.getvalue()


def test_human_line_has_time_asset_and_message() -> None:
    local = datetime.fromtimestamp(AT, UTC).astimezone()

    assert human(EVENT) == f"{local:%H:%M:%S}  docker:local/web  1.2 -> 1.3\n"


def test_human_line_without_asset_has_no_gap() -> None:
    assert human(Event("warning", "disk is full", AT)).split("  ")[1:] == ["disk is full\n"]


def test_json_line_has_every_field_and_no_credential() -> None:
    stream = io.StringIO()
    Logger(stream, "json")(EVENT)

    assert json.loads(stream.getvalue()) == {
        "at": "2023-11-14T22:13:20.250+00:00",
        "level": "info",
        "kind": "succeeded",
        "asset": "docker:local/web",
        "update": "u1",
        "message": "1.2 -> 1.3",
        "details": {"seconds": 3, "password": "***"},
    }


@pytest.mark.parametrize("level", LEVELS)
def test_events_below_the_level_are_left_out(level: Level) -> None:
    stream = io.StringIO()
    logger = Logger(stream, "json", level)
    for kind in EVENTS:
        logger(Event(kind, "x", AT))

    written = {json.loads(line)["kind"] for line in stream.getvalue().splitlines()}
    lowest = LEVELS.index(level)
    assert written == {kind for kind in EVENTS if LEVELS.index(level_of(kind)) >= lowest}


def test_message_of_others_cannot_forge_a_line_or_move_the_cursor() -> None:
    line = human(Event("warning", "a\n12:00:00  all is well\x1b[2J\u202e", AT))

    assert line.count("\n") == 1
    assert "\\n" in line
    assert "\x1b" not in line
    assert "\u202e" not in line


def test_stream_that_cannot_be_written_never_stops_an_update() -> None:
    stream = io.StringIO()
    stream.close()
    Logger(stream)(EVENT)

    with Path("/dev/full").open("wb", buffering=0) as full:
        Logger(io.TextIOWrapper(full, write_through=True))(EVENT)


def test_stream_that_knows_no_unicode_gets_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii")
    Logger(stream)(Event("warning", "caf\xe9 \ud800", AT))

    assert b"caf\\xe9 \\ud800" in raw.getvalue()


def test_details_that_json_does_not_know_become_text() -> None:
    stream = io.StringIO()
    details = {"at": datetime(2024, 1, 1, tzinfo=UTC), "env": ("A=1", "DB_PASSWORD=x"), "n": None}
    Logger(stream, "json")(Event("succeeded", "x", AT, details=details))

    assert json.loads(stream.getvalue())["details"] == {
        "at": "2024-01-01 00:00:00+00:00",
        "env": ["A=1", "DB_PASSWORD=***"],
        "n": None,
    }


SECRET = "s3cr3tv4lue"
HIDING = (
    "https://user:{}@host/path",
    "https://{}@host/path",
    "https://user:p@{}@host/path?x=1",
    "GET https://host/x?token={}&y=1",
    "https://host/blob?X-Amz-Signature={}",
    "Authorization: Bearer {}",
    "authorization: Basic {}",
    "Proxy-Authorization: Digest username=a, response={}",
    '{{"Authorization": "Bearer {}"}}',
    "{{'authorization': 'Basic {}'}}",
    "sent Bearer {} to host",
    "bearer {}",
    "X-Registry-Auth: {}",
    "Set-Cookie: session={}",
    "password={}",
    "password = {}",
    'password="{} and more {}"',
    "POSTGRES_PASSWORD={}",
    "MYSQL_PWD={}",
    "DB_PASS={}",
    "--token={}",
    "secret_key_base={}",
    "AWS_SECRET_ACCESS_KEY={}",
    "api_key: {}",
    '{{"password": "{}"}}',
    '{{"auth": "{}", "email": ""}}',
    '{{\\"token\\": \\"{}\\"}}',
    "identitytoken={}",
    "PASSWORD={},{}",
)


@pytest.mark.parametrize("text", HIDING)
def test_credential_is_masked(text: str) -> None:
    hidden = redact(f"before {text.replace('{}', SECRET).format()} after")

    assert SECRET not in hidden
    assert "***" in hidden
    assert hidden.startswith("before ")


IMAGES = (
    "ghcr.io/external-secrets/external-secrets:v0.9.1",
    "bitnami/sealed-secrets-controller:0.24.0",
    "cesanta/docker_auth:1.12",
    "corp/shop/auth:1.4.2",
    f"quay.io/shop/vault-secrets:1.2-alpine@sha256:{'a' * 64}",
)


@pytest.mark.parametrize(
    "text",
    [
        "web 1.2.3 -> 1.2.4",
        "pulled registry.example.org:5000/shop/web@sha256:0123abcd",
        "https://registry.example.org/v2/shop/web/manifests/1.2@sha256:01",
        "POSTGRES_PASSWORD_FILE=/run/secrets/db",
        "token_file: /run/secrets/token cannot be read",
        "registry asks for Basic authentication",
        "passed 5 checks, passing: yes",
        *IMAGES,
        f"{IMAGES[0]} -> {IMAGES[1]} (minor)",
        f"{IMAGES[0]}: no such tag",
        "external-secrets: v0.9.1 -> v0.9.2",
        "Authorization failed",
    ],
)
def test_harmless_text_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("reference", [*IMAGES, "docker_auth:1", "shop/secrets:latest"])
def test_reference_stays_whole_whatever_its_image_is_called(reference: str) -> None:
    told = {"images": [{"reference": reference}], "references": [reference]}
    assert redact_all(told) == told


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("https://u:p@h/", "https://***@h/"),
        ("DB_PASSWORD=x", "DB_PASSWORD=***"),
        ("token: x", "token: ***"),
        ("password: 1.2", "password: ***"),
        ("/run/db/password:hunter2", "/run/db/password:***"),
        ("h/token=1.2.3", "h/token=***"),
    ],
)
def test_what_is_no_version_of_an_image_is_masked(text: str, hidden: str) -> None:
    assert redact(text) == hidden
    assert redact_all({"reference": text}) == {"reference": hidden}


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=80), st.sampled_from(HIDING), st.text(max_size=20))
def test_masking_is_idempotent(before: str, text: str, after: str) -> None:
    once = redact(before + text.replace("{}", SECRET) + after)

    assert redact(once) == once


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["a", "password", "://", "bearer ", "token=", "Authorization", '"']
)
def test_masking_takes_linear_time(piece: str) -> None:
    assert redact(piece * (200_000 // len(piece))) is not None
