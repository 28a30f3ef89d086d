"""Which version of its API is spoken with an engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.errors import PlatformError

NEWEST_KNOWN = (1, 56)


def negotiated(version: Mapping[str, Any]) -> tuple[int, int]:
    """The API version to speak: the newest that both know, never below the engine's minimum.

    PlatformError where there is none.
    """

    def numbers(key: str, default: str) -> tuple[int, int]:
        text = str(version.get(key) or default)
        major, _, minor = text.partition(".")
        try:
            return int(major), int(minor or 0)
        except ValueError as error:
            raise PlatformError(f"the engine's {key} {text!r:.40} is no API version") from error

    newest, oldest = numbers("ApiVersion", "1.41"), numbers("MinAPIVersion", "1.12")
    chosen = min(newest, NEWEST_KNOWN)
    if chosen < (1, 41) or chosen < oldest:
        raise PlatformError(
            f"the engine speaks API {spelled(oldest)} to {spelled(newest)}; this program needs "
            f"one of 1.41 to {spelled(NEWEST_KNOWN)}"
        )
    return chosen


def spelled(api: tuple[int, int]) -> str:
    """An API version as it is written."""
    return f"{api[0]}.{api[1]}"
