"""How notices read: our words, a user's templates, and what never gets into either."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.windows import told_here
from safe_auto_updater.core.wording import (
    FIELDS,
    LONGEST_MESSAGE,
    LONGEST_TEXT,
    LONGEST_TITLE,
    Wording,
    check_body,
    check_title,
    notice,
)

AT = 1_764_325_800.0  # 2025-11-28 10:30 UTC
FAILED = Event(
    "rolled_back",
    "rolled back: never healthy",
    AT,
    "docker:local/web",
    "u1",
    {
        "changes": "web 1.0 -> 1.1 (minor)",
        "cause": "image",
        "downtime_s": 2.04,
        "links": ("https://example.org/web", "https://example.org/side"),
    },
)
HELD = Event("held", "too young", AT - 60, "docker:local/db")


@pytest.fixture(autouse=True)
def berlin() -> Iterator[None]:
    """The machine's zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    yield
    del os.environ["TZ"]
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def test_one_event_in_our_words() -> None:
    told = notice([FAILED], Wording(), "nas")
    assert told.title == "web: rolled back"
    assert told.text.splitlines() == [
        "rolled back: never healthy",
        "Change: web 1.0 -> 1.1 (minor)",
        "Cause: image",
        "Down for: 2.0 s",
        "Release notes: https://example.org/web https://example.org/side",
        "Asset: docker:local/web",
        "Update: u1",
        "At: Fri 2025-11-28 11:30 CET (+01:00)",
    ]


def test_what_is_about_no_asset_is_ours() -> None:
    told = notice([Event("summary", "a\nb", AT)], Wording(), "nas")
    assert told.title == "Safe Auto-Updater: summary"
    assert told.text == "a\nb\nAt: Fri 2025-11-28 11:30 CET (+01:00)"


def test_several_events_in_our_words() -> None:
    told = notice([HELD, FAILED, HELD], Wording(), "nas", batched=True)
    assert told.title == "Safe Auto-Updater on nas: 2 held, 1 rolled back"
    assert told.text.startswith("db: held\ntoo young\n")
    assert "\n\nweb: rolled back\nrolled back: never healthy\n" in told.text


def test_templates_have_every_field() -> None:
    every = " | ".join(f"${name}" for name in FIELDS)
    told = notice([FAILED], Wording("$host: ${name}s $what", every), "nas")
    assert told.title == "nas: webs rolled back"
    assert told.text == (
        "1 | 1 rolled back | nas | Fri 2025-11-28 11:30 CET (+01:00) | rolled_back | rolled back | "
        "rolled back: never healthy | docker:local/web | web | u1 | web 1.0 -> 1.1 (minor) | "
        "image | 2.0 s | https://example.org/web https://example.org/side"
    )


def test_body_is_written_once_for_each_event() -> None:
    told = notice([HELD, FAILED], Wording("$count on $host", "$name costs 5 $$: $cause"), "nas")
    assert (told.title, told.text) == ("2 on nas", "db costs 5 $: \nweb costs 5 $: image")


def test_what_an_event_says_is_no_template() -> None:
    told = notice([Event("held", "$asset ${x} $$", AT)], Wording("$message", "$message"), "nas")
    assert (told.title, told.text) == ("$asset ${x} $$", "$asset ${x} $$")


@pytest.mark.slow
def test_title_is_one_line_and_everything_is_bounded() -> None:
    long = Event("held", "a\r\nBcc: x\n" + "y" * 100_000, AT, "docker:local/web")
    told = notice([long] * 5, Wording("$kinds", None), "nas")
    one = notice([long], Wording("$message", "$message"), "nas")
    assert "\n" not in one.title and "\r" not in one.title
    assert len(one.title) == LONGEST_TITLE
    assert LONGEST_MESSAGE < len(one.text) < LONGEST_MESSAGE + 100
    assert LONGEST_TEXT < len(told.text) < LONGEST_TEXT + 100
    assert "`sau history` has it all" in told.text


def test_credentials_are_masked_everywhere() -> None:
    secret = Event(
        "held",
        "pull https://u:hunter2@h/ failed",
        AT,
        details={"links": ["https://u:hunter2@h/"], "changes": "password=hunter2"},
    )
    told = notice([secret], Wording("$message $links", "$message $changes $links"), "nas")
    ours = notice([secret], Wording(), "nas")
    assert "hunter2" not in told.title + told.text + ours.title + ours.text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("$mesage", "did you mean"),
        ("${os.system}", "begins no field"),
        ("$message.format", None),
        ("100 $", "write"),
        ("$Kind", "unknown field"),
        ("", None),
    ],
)
def test_template_is_checked_before_it_is_used(text: str, problem: str | None) -> None:
    if problem is None:
        assert check_body(text) == text
    else:
        with pytest.raises(ValueError, match=problem):
            check_body(text)


@pytest.mark.parametrize("text", ["", " ", "a\nb", "a\rb"])
def test_title_is_one_line_of_text(text: str) -> None:
    with pytest.raises(ValueError, match="not a title"):
        check_title(text)


def test_times_say_their_zone() -> None:
    assert told_here(AT + 200 * 86400).endswith("CEST (+02:00)")
    os.environ["TZ"] = "UTC"
    time.tzset()
    assert told_here(AT) == "Fri 2025-11-28 10:30 UTC"
