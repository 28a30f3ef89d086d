"""Files that hold a secret: read when it is needed, so that a new one is used at once."""

from __future__ import annotations

from pathlib import Path

from safe_auto_updater.core.errors import PlatformError


def one_line(who: str, key: str, path: str) -> str:
    """The one line that the file holds. PlatformError names key and file, never the content."""
    text = whole(who, key, path).strip()
    if not text or not text.isprintable():
        raise PlatformError(f"{who}: {key} {path} must hold one line of text; correct it")
    return text


def whole(who: str, key: str, path: str) -> str:
    """All that the file holds. PlatformError names key and file, never the content."""
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise PlatformError(f"{who}: {key} {path} cannot be read: {reason}") from None
