"""How a notice reads: from events to a title and a text. Pure; nothing in a template is executed.

A template is text with `$fields`. `$$` is a dollar sign. What it names is checked when the
configuration is read, so that rendering cannot fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from string import Template
from typing import Any

from safe_auto_updater.core.events import Event
from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.redact import redact, redact_all
from safe_auto_updater.core.windows import told_here

US = "Safe Auto-Updater"
OF_ALL = ("count", "kinds", "host", "at")
"""The fields that a title over several events may use."""
FIELDS = (*OF_ALL, "kind", "what", "message", "asset", "name", "update", "changes", "cause",
          "downtime", "links")  # fmt: skip
LONGEST_TITLE = 200
LONGEST_MESSAGE = 16_000  # a weekly summary fits
LONGEST_TEXT = 60_000


@dataclass(frozen=True)
class Wording:
    """Templates of an entry; None leaves a part to us."""

    title: str | None = None
    body: str | None = None


@dataclass(frozen=True)
class Notice:
    """What is delivered at once. `batched`: it is one of those that can hold several events."""

    events: tuple[Event, ...]
    title: str
    text: str
    batched: bool = False


def check_title(text: str) -> str:
    """A template for a title, checked. ValueError says what is wrong."""
    if "\n" in text or "\r" in text or not text.strip():
        raise ValueError("not a title, which is one line of text; correct it")
    return check_body(text)


def check_body(text: str) -> str:
    """A template for a body, checked. ValueError says what is wrong."""
    template = Template(text)
    if not template.is_valid():
        raise ValueError("has a $ that begins no field; write $$ for a dollar sign")
    for name in template.get_identifiers():
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, 1)
            remedy = f"did you mean ${near[0]}?" if near else f"known are {', '.join(FIELDS)}"
            raise ValueError(f"unknown field ${name}; {remedy}")
    return text


def of_one_only(title: str) -> list[str]:
    """The fields of a valid title that say something of one event only."""
    return [name for name in Template(title).get_identifiers() if name not in OF_ALL]


def notice(
    events: Sequence[Event], wording: Wording, host: str, *, batched: bool = False
) -> Notice:
    """What to send of some events, at least one. Credentials are masked."""
    of_all = _of_all(events, host)
    of_each = [of_all | _of_one(event) for event in events]
    one = of_each[0] if len(events) == 1 else None
    if wording.title is not None:
        title = Template(wording.title).substitute(one or of_all)
    elif one is not None:
        title = _headline(one)
    else:
        title = f"{US} on {host}: {of_all['kinds']}"
    if wording.body is not None:
        parts = [Template(wording.body).substitute(fields) for fields in of_each]
        text = ("\n" if all("\n" not in part for part in parts) else "\n\n").join(parts)
    elif one is not None:
        text = _body(one)
    else:
        text = "\n\n".join(f"{_headline(fields)}\n{_body(fields)}" for fields in of_each)
    return Notice(tuple(events), _one_line(title, LONGEST_TITLE), cut(text, LONGEST_TEXT), batched)


def in_words(kind: str) -> str:
    """A kind as people read it."""
    return kind.replace("_", " ")


def document(event: Event) -> dict[str, Any]:
    """An event as JSON, credentials masked. Times are told by their machine's zone elsewhere."""
    return {
        "kind": event.kind,
        "message": redact(event.message),
        "asset": event.asset,
        "update": event.update,
        "details": redact_all(event.details),
    }


def _of_all(events: Sequence[Event], host: str) -> dict[str, str]:
    counted = Counter(in_words(event.kind) for event in events)
    return {
        "count": str(len(events)),
        "kinds": ", ".join(f"{number} {kind}" for kind, number in counted.items()),
        "host": host,
        "at": told_here(max(event.at for event in events)),
    }


def _of_one(event: Event) -> dict[str, str]:
    details: Mapping[str, Any] = redact_all(event.details)
    down = details.get("downtime_s")
    return {
        "kind": event.kind,
        "what": in_words(event.kind),
        "message": cut(redact(event.message), LONGEST_MESSAGE),
        "asset": event.asset or "",
        "name": short_name(event.asset) if event.asset else US,
        "update": event.update or "",
        "at": told_here(event.at),
        "changes": str(details.get("changes") or ""),
        "cause": str(details.get("cause") or ""),
        "downtime": f"{down:.1f} s" if isinstance(down, (int, float)) else "",
        "links": " ".join(map(str, details.get("links") or ())),
    }


def _headline(fields: Mapping[str, str]) -> str:
    return f"{fields['name']}: {fields['what']}"


def _body(fields: Mapping[str, str]) -> str:
    rows = (
        ("Change", "changes"),
        ("Cause", "cause"),
        ("Down for", "downtime"),
        ("Release notes", "links"),
        ("Asset", "asset"),
        ("Update", "update"),
        ("At", "at"),
    )
    told = [f"{label}: {fields[name]}" for label, name in rows if fields[name]]
    return "\n".join([fields["message"], *told])


def _one_line(text: str, longest: int) -> str:
    """Third parties' words must not begin a line of their own, of a header least of all."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def cut(text: str, longest: int) -> str:
    """The beginning of a long text, and where the rest is."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\n… {len(text) - longest} more characters; `sau history` has it all"
