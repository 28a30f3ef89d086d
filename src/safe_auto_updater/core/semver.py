"""Which newer versions may be taken, best first, with a reason for every other."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import groupby, pairwise

from safe_auto_updater.core.bumps import leaps, step
from safe_auto_updater.core.columns import other_columns
from safe_auto_updater.core.model import Rejection
from safe_auto_updater.core.suffixes import read_suffix
from safe_auto_updater.core.versions import (
    Bump,
    PolicyLevel,
    Precedence,
    Version,
    newer,
    parse_tag,
    precedence,
    same_track,
)
from safe_auto_updater.core.walk import refused_by_path, skips

_REACH = {
    PolicyLevel.NONE: frozenset[Bump](),
    PolicyLevel.DIGEST: frozenset({Bump.DIGEST}),
    PolicyLevel.PATCH: frozenset({Bump.DIGEST, Bump.PATCH}),
    PolicyLevel.MINOR: frozenset({Bump.DIGEST, Bump.PATCH, Bump.MINOR}),
    PolicyLevel.MAJOR: frozenset({Bump.DIGEST, Bump.PATCH, Bump.MINOR, Bump.MAJOR}),
}


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
        goes back. PRERELEASE for a prerelease, unless what runs is one of the same version (rc1 to
        rc2 is a patch) or `prereleases` is set: then it counts as its numbers do.
        """
        if not newer(candidate, current):
            return Bump.UNKNOWN
        return self._far(current, candidate, prereleases)

    def between(self, current: str, candidate: str, prereleases: bool = False) -> Bump:
        """How far it is between two version texts, as image labels and tags have them.

        A leading v on one side only and build metadata (`+5`) do not count. DIGEST where both are
        the same version. UNKNOWN where one cannot be read, is of another track, goes back or
        leaps. Where one is less precise and the common numbers are equal, it is as far as it can
        be: 16 to 16.2 and 16.2 to 16 are MINOR, 1.27 to 1.27.3 is PATCH.
        """
        old, new = _stated(current), _stated(candidate)
        if old is None or new is None:
            return Bump.DIGEST if current == candidate else Bump.UNKNOWN
        common = min(len(old.numbers), len(new.numbers))
        a, b = (replace(one, numbers=one.numbers[:common]) for one in (old, new))
        if not same_track(a, b):
            return Bump.UNKNOWN
        if a.numbers == b.numbers and len(old.numbers) != len(new.numbers):
            return self._far(old, new, prereleases)
        if precedence(a) == precedence(b):
            return Bump.DIGEST
        return Bump.UNKNOWN if leaps(a, b) else self.bump(a, b, prereleases)

    def allowed(self, bump: Bump, level: PolicyLevel) -> bool:
        """Whether the level reaches this far. PRERELEASE and UNKNOWN are never allowed."""
        return bump in _REACH[level]

    def skips(self, current: str, candidate: str, walk: Bump) -> bool:
        """Whether versions that are walked one at a time surely lie between two version texts.

        What is published between them is not asked: the next number is no skip, nor is the first of
        the next major.
        """
        old, new = _stated(current), _stated(candidate)
        return old is not None and new is not None and skips(old, new, walk)

    def choose(self, current_tag: str, tags: Iterable[str], wanted: Wanted) -> Choice:
        """What the policy allows of `tags`, whose order does not matter.

        Never lower than or equal to the current one, never of another track. A current tag that
        is no version has no newer one.
        """
        current = parse_tag(current_tag)
        if current is None:
            return Choice((), ())
        tags = set(tags)
        ordered, foreign = _newer_ones(current, tags)
        foreign |= other_columns(current, tags)
        following = [version for version in ordered if version.text not in foreign]
        bumps = {v.text: self._far(current, v, wanted.prereleases) for v in following}
        # Of several reasons the last one here is told.
        reasons = {v.text: why for v in following if (why := refused_by_name(v.text, wanted))}
        reasons = _indistinct(following) | leaping(current, following) | reasons | foreign
        for v in following:
            if v.text not in reasons and not self.allowed(bumps[v.text], wanted.level):
                reasons[v.text] = _beyond(current, v, bumps[v.text], wanted.level)
        path: tuple[str, ...] = ()
        if wanted.walk is not None:
            allowed = [v for v in following if v.text not in reasons]
            path, later = refused_by_path(current, allowed, following, wanted.walk)
            reasons |= later
        return Choice(
            tuple(Option(v.text, bumps[v.text]) for v in ordered if v.text not in reasons),
            tuple(Rejection(v.text, reasons[v.text]) for v in ordered if v.text in reasons),
            path,
        )

    def _far(self, current: Version, candidate: Version, prereleases: bool) -> Bump:
        far = step(current, candidate)
        of_same_version = current.prerelease and current.numbers == candidate.numbers
        if far is Bump.UNKNOWN or not candidate.prerelease or prereleases or of_same_version:
            return far
        return Bump.PRERELEASE


def _newer_ones(current: Version, tags: Collection[str]) -> tuple[list[Version], dict[str, str]]:
    """Every version that is newer, or reads so, newest first; and which are of other tracks."""
    found: list[tuple[Precedence, str, Version]] = []
    foreign: dict[str, str] = {}
    now = precedence(current)
    for version in map(parse_tag, tags):
        if version is None or version.numbers < current.numbers:
            continue
        order = precedence(version)
        if same_track(version, current):
            if order > now:
                found.append((order, version.text, version))
        elif version.numbers > current.numbers:
            found.append((order, version.text, version))
            foreign[version.text] = f"another track: {_difference(current, version)}"
    return [version for _, _, version in sorted(found, reverse=True)], foreign


def refused_by_name(text: str, wanted: Wanted) -> str | None:
    """Which pattern keeps a version out, if any does."""
    for pattern in wanted.exclude:
        if fnmatchcase(text, pattern):
            return f"excluded by {pattern}"
    if wanted.include and not any(fnmatchcase(text, p) for p in wanted.include):
        return f"not included by {', '.join(wanted.include)}"
    return None


def leaping(current: Version, following: Sequence[Version]) -> dict[str, str]:
    """What is listed from a leap in the numbers on: a mistake, or another way of counting.

    `following` is newest first; the answer is by the texts of the versions.
    """
    line = [current, *reversed(following)]
    for place, (before, after) in enumerate(pairwise(line)):
        if far := leaps(before, after):
            why = f"leaps from {far[0]} to {far[1]}: a mistake, or another way of counting"
            return dict.fromkeys((version.text for version in line[place + 1 :]), why)
    return {}


def _indistinct(following: Sequence[Version]) -> dict[str, str]:
    """Builds of one version that differ by a commit hash: nothing tells which is later."""
    reasons: dict[str, str] = {}
    hashed = (version for version in following if read_suffix(version.suffix).has_hash)
    for _, group in groupby(hashed, precedence):
        builds = sorted(version.text for version in group)
        if len(builds) > 1:
            why = f"one of {len(builds)} builds of this version: nothing tells which is the later"
            reasons |= dict.fromkeys(builds, why)
    return reasons


def _beyond(current: Version, candidate: Version, bump: Bump, level: PolicyLevel) -> str:
    match bump:
        case Bump.UNKNOWN:
            return f"its suffix goes back from {current.suffix} to {candidate.suffix}"
        case _:
            return beyond(bump, level)


def beyond(bump: Bump, level: PolicyLevel) -> str:
    """Why a version that goes this far is not taken."""
    return "prerelease" if bump is Bump.PRERELEASE else f"{bump}, policy is {level}"


def _difference(current: Version, candidate: Version) -> str:
    if candidate.is_calendar != current.is_calendar:
        return "a date" if candidate.is_calendar else "not a date"
    if candidate.prefix != current.prefix:
        return f"prefix {candidate.prefix}" if candidate.prefix else "no prefix"
    if len(candidate.numbers) != len(current.numbers):
        count = len(candidate.numbers)
        return f"{count} number{'s' if count > 1 else ''}, not {len(current.numbers)}"
    if candidate.calendar != current.calendar:
        return "another form of date"
    return f"suffix {candidate.suffix}" if candidate.suffix else "no suffix"


def _stated(text: str) -> Version | None:
    """A version as a label states it, without a v and without what SemVer says never counts."""
    version = parse_tag(text.partition("+")[0].strip())
    if version is None or version.prefix.lower() not in ("v", "version-", "release-"):
        return version
    return replace(version, prefix="", text=version.text[len(version.prefix) :])
