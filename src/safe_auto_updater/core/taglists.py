"""Whether a list of tags has lost what it should not lose. Pure.

Registries forget old builds all the time, and that changes no decision. What they do not lose is
a tenth of all tags at once, or the newest version of a track: that is a list cut short.
"""

from __future__ import annotations

from collections.abc import Collection

from safe_auto_updater.core.versions import Version, newer, parse_tag, same_track

_KEPT = 0.9


def shrunk(before: Collection[str], now: Collection[str]) -> str | None:
    """What speaks against `now` being the whole list, or None. Nothing before: nothing to say."""
    if not now:
        return "lists no tags at all"
    if len(now) < _KEPT * len(before):
        return f"lists {len(now)} tags, and listed {len(before)} before"
    lost = [version for tag in set(before) - set(now) if (version := parse_tag(tag))]
    if not lost:
        return None
    kept = [version for tag in now if (version := parse_tag(tag))]
    kept.sort(
        key=lambda version: version.numbers, reverse=True
    )  # the answer is mostly near the top
    for version in sorted(lost, key=lambda version: version.text):
        if not version.prerelease and not _outlived(version, kept):
            return f"lists {version.text} no more, the newest of its kind"
    return None


def _outlived(lost: Version, kept: list[Version]) -> bool:
    """Whether the track of a lost version still has one that is at least as new."""
    return any(
        same_track(version, lost) and (newer(version, lost) or not newer(lost, version))
        for version in kept
    )
