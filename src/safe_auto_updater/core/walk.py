"""Versions that are walked one minor or one major at a time, over what is published.

The stations are the minors (or majors) that the list has, in order: where 1.11 was never
published, 1.12 comes after 1.10. First comes the newest patch of the station that runs. A station
that is published and may not be taken is not jumped over: the path ends before it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from safe_auto_updater.core.versions import Bump, Version, places

Station = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """What is to be walked: `now` is the station that may be taken, `tags` one tag for each.

    `blocked` is the first station of which nothing may be taken, if one is in the way.
    """

    now: Station | None
    tags: tuple[str, ...]
    blocked: Station | None


def station(version: Version, walk: Bump) -> Station:
    """The minor (1, 27) or major (1,) that a version belongs to."""
    return places(version.numbers)[: 1 if walk is Bump.MAJOR else 2]


def plan_path(
    current: Version, allowed: Sequence[Version], published: Iterable[Version], walk: Bump
) -> Path:
    """The path from `current` over `allowed` (newest first), where `published` stations count."""
    here = station(current, walk)
    newest = {station(version, walk): version.text for version in reversed(allowed)}
    stations = sorted({station(version, walk) for version in published} | set(newest))
    tags, now = [], None
    for place in stations:
        if place in newest:
            now = place if now is None else now
            tags.append(newest[place])
        elif place != here:
            return Path(now, tuple(tags), place)
    return Path(now, tuple(tags), None)
