"""Versions that are walked one minor or one major at a time, over what is published.

The stations are the minors (or majors) that the list has, in order: where 1.11 was never
published, 1.12 comes after 1.10. The newest patch of the station that runs comes first, as those
ask who want to be walked. A station that is published and of which nothing may be taken is not
jumped over: the path ends before it.
"""

from collections.abc import Iterable, Sequence

from safe_auto_updater.core.versions import Bump, Version, places


def refused_by_path(
    current: Version, allowed: Sequence[Version], published: Iterable[Version], walk: Bump
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The path over `allowed` (newest first), and why what lies behind its first station waits."""
    newest = {_station(version, walk): version.text for version in reversed(allowed)}
    stations = {_station(version, walk) for version in published if not version.prerelease}
    path, blocked = [], None
    for station in sorted(stations | set(newest)):
        if station in newest:
            path.append(newest[station])
        elif station != _station(current, walk):
            blocked = station
            break
    reasons = {}
    first = next((version for version in allowed if path and version.text == path[0]), None)
    for version in allowed:
        station = _station(version, walk)
        if blocked is not None and station > blocked:
            over = ".".join(map(str, blocked))
            reasons[version.text] = f"the path leads over {over}, of which nothing may be taken"
        elif first is not None and station != _station(first, walk):
            reasons[version.text] = f"later on the path: first {first.text}"
    return tuple(path), reasons


def skips(current: Version, candidate: Version, walk: Bump) -> bool:
    """Whether numbers lie between the stations of two versions, published or not."""
    old, new = _station(current, walk), _station(candidate, walk)
    if old[:-1] == new[:-1]:
        return new[-1] > old[-1] + 1
    return new[0] > old[0] + 1 or new[-1] > 0


def _station(version: Version, walk: Bump) -> tuple[int, ...]:
    """The minor (1, 27) or major (1,) that a version belongs to."""
    return places(version.numbers)[: 1 if walk is Bump.MAJOR else 2]
