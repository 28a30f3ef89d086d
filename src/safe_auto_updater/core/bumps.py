"""How far it is from one version to another, by their numbers and by their suffixes."""

from collections.abc import Sequence

from safe_auto_updater.core.suffixes import read_suffix
from safe_auto_updater.core.versions import Bump, Version, places

_BY_PLACE = (Bump.MAJOR, Bump.MINOR, Bump.PATCH)
_BY_WEIGHT = (Bump.PATCH, Bump.MINOR, Bump.MAJOR)
_LEAST_LEAP = 1000  # below that, products do jump (systemd went from 44 to 183)
_LEAP_FACTOR = 10
_LEAP_YEARS = 20


def step(current: Version, candidate: Version) -> Bump:
    """MAJOR, MINOR or PATCH to a newer version of one track; the number or suffix that weighs more.

    UNKNOWN where something in the suffix, other than a build, goes back (`-alpine3.20` to
    `-alpine3.19`): then nobody can say that it is newer.
    """
    weight = by_numbers(current, candidate)
    if current.suffix == candidate.suffix:
        return weight
    parts = zip(read_suffix(current.suffix).parts, read_suffix(candidate.suffix).parts, strict=True)
    for old, new in parts:
        if old.numbers == new.numbers or old.is_build:
            continue
        if new.numbers < old.numbers:
            return Bump.UNKNOWN
        weight = max(weight, _first_difference(old.numbers, new.numbers), key=_BY_WEIGHT.index)
    return weight


def by_numbers(current: Version, candidate: Version) -> Bump:
    """Which place of the numbers differs first; PATCH where none does.

    Where one has more numbers (16 and 16.2) and the common ones are equal, it is the next place:
    the shorter one may stand for any of them, so it is that far at most.
    """
    return _first_difference(places(current.numbers), places(candidate.numbers))


def leaps(before: Version, after: Version) -> tuple[int, int] | None:
    """The two numbers of a step that no line of releases takes: 8 to 9999, 2024 to 2099.

    `before` is the version listed just before `after`, on the same track.
    """
    if max(after.numbers) < _LEAST_LEAP:
        return None
    pairs = enumerate(zip(places(before.numbers), places(after.numbers), strict=True))
    place, (old, new) = next(((i, pair) for i, pair in pairs if pair[0] != pair[1]), (3, (0, 0)))
    if place > 2:
        return None
    if place == 0 and before.is_calendar and old >= 1900:
        # 2112 and 2201 are December 2021 and January 2022.
        by_month = 1 <= old % 100 <= 12 and 1 <= new % 100 <= 12
        far = new - old >= _LEAP_YEARS and not by_month
    else:
        far = new >= _LEAST_LEAP and new > _LEAP_FACTOR * max(old, 1)
    return (old, new) if far else None


def _first_difference(before: Sequence[int], after: Sequence[int]) -> Bump:
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        if old != new:
            return _BY_PLACE[min(place, 2)]
    if len(before) == len(after):
        return Bump.PATCH
    return _BY_PLACE[min(len(before), len(after), 2)]
