"""Where people can read about a version: the user's own label, else what the image says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

LABELS = tuple(f"org.opencontainers.image.{name}" for name in ("source", "url", "documentation"))
"""What an image says about itself; the first that is an address counts."""
_LONGEST = 500


def link(text: str) -> str:
    """An address that people can open. ValueError says what is wrong."""
    if len(text) > _LONGEST or any(not c.isprintable() or c.isspace() for c in text):
        raise ValueError(f"not an address of at most {_LONGEST} signs without spaces; correct it")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("not an address; write for example https://example.org/releases")
    return text


def said_by(tree: Mapping[str, Any]) -> str | None:
    """What an image's tree (`core.image_tree`) links to, or None."""
    labels = (tree.get("image") or {}).get("labels") or {}
    for name in LABELS:
        try:
            return link(labels[name])
        except (KeyError, TypeError, ValueError):
            continue
    return None
