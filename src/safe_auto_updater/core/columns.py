"""Bare numbers behind versions that count no builds but name what the image rests on.

`4.0.2-18` and `4.0.2-22` may be two builds, or one version on Node 18 and on Node 22: a tag alone
does not tell, a list does. Builds are counted from 0 or 1. Where no number of a track is so low,
and the one that runs stands behind several versions, each number is a column of its own.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from safe_auto_updater.core.suffixes import read_suffix
from safe_auto_updater.core.versions import Version, parse_tag, same_track

_FIRST_BUILDS = 3
_BARE = re.compile(r"[-_.]\0number(?!\.)")  # in the shape of a suffix


def other_columns(current: Version, tags: Iterable[str]) -> dict[str, str]:
    """The tags of other columns than that of `current`, and why they do not follow it."""
    mine = _bare(current)
    if mine is None or mine <= _FIRST_BUILDS:
        return {}
    columns: dict[int | None, list[Version]] = defaultdict(list, {mine: [current]})
    for version in map(parse_tag, tags):
        if version is not None and same_track(version, current):
            columns[_bare(version)].append(version)
    if any(number is None or number <= _FIRST_BUILDS for number in columns):
        return {}
    if len({version.numbers for version in columns.pop(mine)}) < 2:
        return {}
    return {
        version.text: f"another track: {version.suffix} is no later build of {current.suffix}"
        for column in columns.values()
        for version in column
    }


def _bare(version: Version) -> int | None:
    suffix = read_suffix(version.suffix)
    return suffix.parts[0].numbers[0] if _BARE.match(suffix.shape) else None
