"""Rules between the keys of one entry of `notifications`. They read the plain data."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from safe_auto_updater.core.wording import OF_ALL, check_title, of_one_only

Found = tuple[tuple[str, ...], str]


def receiver(entry: dict[str, Any]) -> Iterator[Found]:
    """Every pair of keys that cannot stand together, by the entry's type."""
    match entry.get("type"):
        case "webhook" | "heartbeat":
            yield from _address(entry)
        case "apprise":
            if "urls" not in entry and "urls_file" not in entry:
                yield (), "has neither urls nor urls_file; say whom to tell"
        case "email":
            yield from _mail(entry)
    yield from _title(entry)


def _address(entry: dict[str, Any]) -> Iterator[Found]:
    if "url" not in entry and "url_file" not in entry:
        yield (), "has neither url nor url_file; say where to send it"
    if "url" in entry and "url_file" in entry:
        yield ("url_file",), "says where to send it, and so does url; remove one of them"
    if "ca_file" in entry and str(entry.get("url", "")).lower().startswith("http://"):
        yield ("ca_file",), "is for an https:// url; remove it"


def _mail(entry: dict[str, Any]) -> Iterator[Found]:
    for given, other in (("username", "password_file"), ("password_file", "username")):
        if given in entry and other not in entry:
            yield (given,), f"needs {other} beside it; add it or remove both"
    if entry.get("tls") != "none":
        return
    if "ca_file" in entry:
        yield ("ca_file",), "has no use with tls: none; remove one of them"
    if "password_file" in entry and not _is_here(entry.get("host")):
        text = "would cross the network in clear; choose tls: starttls or implicit"
        yield ("password_file",), text


def _is_here(host: Any) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _title(entry: dict[str, Any]) -> Iterator[Found]:
    """A title over several events says what is true of all of them."""
    template = entry.get("template")
    title = template.get("title") if isinstance(template, dict) else None
    if "batch" not in entry or not isinstance(title, str):
        return
    try:
        names = of_one_only(check_title(title))
    except ValueError:
        return  # that is told of the key itself
    if names:
        known = ", ".join(f"${name}" for name in OF_ALL)
        text = f"${names[0]} is of one event, and batch puts several into one; use {known}"
        yield ("template", "title"), text
