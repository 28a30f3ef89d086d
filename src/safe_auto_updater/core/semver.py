"""Which newer versions may be taken, best first, with a reason for every other."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from safe_auto_updater.core.model import Rejection
from safe_auto_updater.core.versions import (
    Bump,
    PolicyLevel,
    Precedence,
    Version,
    newer,
    parse_tag,
    places,
    precedence,
    same_track,
    suffix_parts,
)
from safe_auto_updater.core.walk import plan_path, station

_REACH = {
    PolicyLevel.NONE: frozenset[Bump](),
    PolicyLevel.DIGEST: frozenset({Bump.DIGEST}),
    PolicyLevel.PATCH: frozenset({Bump.DIGEST, Bump.PATCH}),
    PolicyLevel.MINOR: frozenset({Bump.DIGEST, Bump.PATCH, Bump.MINOR}),
    PolicyLevel.MAJOR: frozenset({Bump.DIGEST, Bump.PATCH, Bump.MINOR, Bump.MAJOR}),
}
_BY_PLACE = (Bump.MAJOR, Bump.MINOR, Bump.PATCH)
_BY_WEIGHT = (Bump.PATCH, Bump.MINOR, Bump.MAJOR)
# Words that count builds of one and the same version, as in -r4, -ls120, p13 and a bare -1.
_BUILD_WORDS = frozenset(
    {"", "r", "rev", "revision", "build", "p", "pl", "patch", "ls", "post", "hotfix"}
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which versions a policy wants."""

    level: PolicyLevel
    include: tuple[str, ...] = ()  # patterns for tags, case counts; empty means every tag
    exclude: tuple[str, ...] = ()
    prereleases: bool = False
    walk: Bump | None = None  # MINOR or MAJOR: one such step at a time


@dataclass(frozen=True, slots=True)
class Option:
    """A tag that may be taken, and how far it goes. The level allows that bump."""

    tag: str
    bump: Bump


@dataclass(frozen=True, slots=True)
class Choice:
    """Every tag that may be taken, best first, and what is newer and may not, newest first.

    `path` is there with `walk`: the tags still to be walked; its first is the best option.
    """

    options: tuple[Option, ...]
    rejected: tuple[Rejection, ...]
    path: tuple[str, ...] = ()


class SemVerEvaluator:
    """Decides which bump a version is, and which versions a policy allows. Pure and total."""

    def bump(self, current: Version, candidate: Version, prereleases: bool = False) -> Bump:
        """How far it is from `current` to `candidate`.

        UNKNOWN where `candidate` is not newer on the same track, or where a number in its suffix
        goes back (`-alpine3.20` to `-alpine3.19`): then nobody can say that it is newer.
        PRERELEASE for a prerelease, unless what runs is one of the same version (rc1 to rc2 is a
        patch) or `prereleases` is set: then it counts as its numbers do.
        """
        if not newer(candidate, current):
            return Bump.UNKNOWN
        by_suffix = _suffix_bump(current, candidate)
        if by_suffix is Bump.UNKNOWN:
            return Bump.UNKNOWN
        of_same_version = current.prerelease and current.numbers == candidate.numbers
        if candidate.prerelease and not (prereleases or of_same_version):
            return Bump.PRERELEASE
        return max(_number_bump(current, candidate), by_suffix, key=_BY_WEIGHT.index)

    def between(self, current: str, candidate: str, prereleases: bool = False) -> Bump:
        """How far it is between two version texts, as image labels and tags have them.

        DIGEST where they are equal; UNKNOWN where one cannot be read, is of another track or goes
        back.
        """
        if current == candidate:
            return Bump.DIGEST
        old, new = parse_tag(current), parse_tag(candidate)
        if old is None or new is None:
            return Bump.UNKNOWN
        return self.bump(old, new, prereleases)

    def allowed(self, bump: Bump, level: PolicyLevel) -> bool:
        """Whether the level reaches this far. PRERELEASE and UNKNOWN are never allowed."""
        return bump in _REACH[level]

    def choose(self, current_tag: str, tags: Iterable[str], wanted: Wanted) -> Choice:
        """What the policy allows of `tags`, whose order does not matter.

        Never lower than or equal to the current one, never of another track. A current tag that
        is no version has no newer one.
        """
        current = parse_tag(current_tag)
        if current is None:
            return Choice((), ())
        candidates = _newest_first(current, tags)
        bumps = {v.text: self.bump(current, v, wanted.prereleases) for v in candidates}
        reasons = {v.text: self._refusal(current, v, bumps[v.text], wanted) for v in candidates}
        allowed = [version for version in candidates if not reasons[version.text]]
        path: tuple[str, ...] = ()
        if wanted.walk is not None:
            published = [v for v in candidates if same_track(v, current) and not v.prerelease]
            walked = plan_path(current, allowed, published, wanted.walk)
            path = walked.tags
            for version in allowed:
                if station(version, wanted.walk) == walked.now:
                    continue
                if path and path[0] != version.text:
                    reasons[version.text] = f"later on the path: first {path[0]}"
                if walked.blocked and station(version, wanted.walk) > walked.blocked:
                    over = ".".join(map(str, walked.blocked))
                    reasons[version.text] = f"the path leads over {over}, which is not allowed"
        return Choice(
            tuple(Option(v.text, bumps[v.text]) for v in allowed if not reasons[v.text]),
            tuple(Rejection(v.text, why) for v in candidates if (why := reasons[v.text])),
            path,
        )

    def _refusal(self, current: Version, candidate: Version, bump: Bump, wanted: Wanted) -> str:
        """Why this one may not be taken; empty where it may."""
        if not same_track(current, candidate):
            return f"another track: {_difference(current, candidate)}"
        for pattern in wanted.exclude:
            if fnmatchcase(candidate.text, pattern):
                return f"excluded by {pattern}"
        if wanted.include and not any(fnmatchcase(candidate.text, p) for p in wanted.include):
            return f"not included by {', '.join(wanted.include)}"
        if bump is Bump.UNKNOWN:
            return f"its suffix goes back from {current.suffix} to {candidate.suffix}"
        if bump is Bump.PRERELEASE:
            return "prerelease"
        return "" if self.allowed(bump, wanted.level) else f"{bump}, policy is {wanted.level}"


def _newest_first(current: Version, tags: Iterable[str]) -> list[Version]:
    """Every version that is newer, or reads as newer on another track."""
    found = []
    for tag in set(tags):
        version = parse_tag(tag)
        if version is None:
            continue
        if same_track(version, current):
            if precedence(version) > precedence(current):
                found.append(version)
        elif version.numbers > current.numbers:
            found.append(version)
    return sorted(found, key=_order, reverse=True)


def _order(version: Version) -> tuple[Precedence, str]:
    return precedence(version), version.text


def _number_bump(current: Version, candidate: Version) -> Bump:
    before, after = places(current.numbers), places(candidate.numbers)
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        if old != new:
            return _BY_PLACE[min(place, 2)]
    return Bump.PATCH  # the release of a prerelease, or only the suffix moved


def _suffix_bump(current: Version, candidate: Version) -> Bump:
    """How far the suffix goes; UNKNOWN where something in it, other than a build, goes back."""
    weight = Bump.PATCH
    old_parts, new_parts = suffix_parts(current.suffix), suffix_parts(candidate.suffix)
    for (word, old), (_, new) in zip(old_parts, new_parts, strict=False):
        if old == new or (word in _BUILD_WORDS and len(new) == 1):
            continue
        if new < old:
            return Bump.UNKNOWN
        place = next(i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
        weight = max(weight, _BY_PLACE[min(place, 2)], key=_BY_WEIGHT.index)
    return weight


def _difference(current: Version, candidate: Version) -> str:
    if candidate.is_calendar != current.is_calendar:
        return "a date" if candidate.is_calendar else "not a date"
    if candidate.prefix != current.prefix:
        return f"prefix {candidate.prefix}" if candidate.prefix else "no prefix"
    if len(candidate.numbers) != len(current.numbers):
        count = len(candidate.numbers)
        return f"{count} number{'s' if count > 1 else ''}, not {len(current.numbers)}"
    return f"suffix {candidate.suffix}" if candidate.suffix else "no suffix"
