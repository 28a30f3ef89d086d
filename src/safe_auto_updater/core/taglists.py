"""Whether a list of tags has lost what it should not lose. Pure.

Registries forget old builds all the time, and that changes no decision. What they do not lose is
a tenth of all tags at once, or the newest version of a track: that is a list cut short. A track of
one version is none: branches have such tags (`PROJ-101-login`), and are deleted every day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from safe_auto_updater.core.suffixes import read_suffix
from safe_auto_updater.core.versions import Precedence, Version, parse_tag, precedence

_KEPT = 0.9


def shrunk(before: Collection[str], now: Collection[str], kind: str = "tags") -> str | None:
    """What speaks against `now` being the whole list, or None. Nothing before: nothing to say.

    `kind` is what the entries are called.
    """
    if not now:
        return f"lists no {kind} at all"
    if len(now) < _KEPT * len(before):
        return f"lists {len(now)} {kind}, and listed {len(before)} before"
    gone = list(_releases(set(before) - set(now)))
    if not gone:
        return None
    listed, newest = Counter(map(_track, _releases(before))), _newest(_releases(now))
    several = [version for version in gone if listed[_track(version)] > 1]
    missed = [v for v in several if (kept := newest.get(_track(v))) is None or kept < precedence(v)]
    if not missed:
        return None
    first = max(missed, key=lambda version: (version.numbers, version.text))
    return f"lists {first.text} no more, the newest of its kind"


def goes_on(before: Collection[str], doubted: Collection[str], now: Collection[str]) -> bool:
    """Whether a list lacks what another one lacked earlier, and hardly anything besides."""
    missed = set(before) - set(doubted)
    return len(now) >= _KEPT * len(doubted) and missed.isdisjoint(now)


def _releases(tags: Iterable[str]) -> Iterator[Version]:
    """Prereleases come and go."""
    return (version for tag in tags if (version := parse_tag(tag)) and not version.prerelease)


def _newest(versions: Iterable[Version]) -> dict[tuple[object, ...], Precedence]:
    """How new the newest of each track is."""
    found: dict[tuple[object, ...], Precedence] = {}
    for version in versions:
        track, place = _track(version), precedence(version)
        found[track] = max(found.get(track, place), place)
    return found


def _track(version: Version) -> tuple[object, ...]:
    """Equal where `same_track` holds: ten thousand tags cannot be compared in pairs."""
    shape = read_suffix(version.suffix).shape
    return len(version.numbers), version.prefix, shape, version.calendar
