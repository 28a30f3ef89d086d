"""Which newer version may be taken: the newest allowed one, with a reason for every other."""

from collections.abc import Iterable
from dataclasses import dataclass

from safe_auto_updater.core.model import Rejection
from safe_auto_updater.core.versions import (
    Bump,
    PolicyLevel,
    Precedence,
    Version,
    is_date_number,
    newer,
    parse_tag,
    precedence,
    same_track,
    suffix_parts,
)

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
class Choice:
    """The tag to take, if any, how far it goes, and what is newer and was not taken.

    `rejected` is newest first. `chosen` and `bump` are None together.
    """

    chosen: str | None
    bump: Bump | None
    rejected: tuple[Rejection, ...]


class SemVerEvaluator:
    """Decides which bump a version is, and which version a policy allows. Pure and total."""

    def bump(self, current: Version, candidate: Version) -> Bump:
        """How far it is from `current` to `candidate`.

        UNKNOWN where `candidate` is not newer on the same track, or where a number in its suffix
        goes back (`-alpine3.20` to `-alpine3.19`): then nobody can say that it is newer.
        """
        if not newer(candidate, current):
            return Bump.UNKNOWN
        if candidate.prerelease:
            return Bump.PRERELEASE
        by_suffix = _suffix_bump(current, candidate)
        if by_suffix is Bump.UNKNOWN:
            return Bump.UNKNOWN
        return max(_number_bump(current, candidate), by_suffix, key=_BY_WEIGHT.index)

    def allowed(self, bump: Bump, policy: PolicyLevel) -> bool:
        """Whether the policy reaches this far. Prereleases and unknown bumps are never allowed."""
        return bump in _REACH[policy]

    def choose(self, current_tag: str, tags: Iterable[str], policy: PolicyLevel) -> Choice:
        """The newest tag that the policy allows; the order of `tags` does not matter.

        Never lower than or equal to the current one, never of another track. A current tag that
        is no version has no newer one.
        """
        current = parse_tag(current_tag)
        if current is None:
            return Choice(None, None, ())
        chosen, chosen_bump, rejected = None, None, []
        for candidate in _newest_first(current, tags):
            bump = self.bump(current, candidate)
            if same_track(current, candidate) and self.allowed(bump, policy):
                if chosen is None:
                    chosen, chosen_bump = candidate, bump
            else:
                reason = _reason(current, candidate, bump, policy)
                rejected.append(Rejection(candidate.text, reason))
        return Choice(chosen.text if chosen else None, chosen_bump, tuple(rejected))


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
    before, after = _places(current.numbers), _places(candidate.numbers)
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        if old != new:
            return _BY_PLACE[min(place, 2)]
    return Bump.PATCH  # the release of a prerelease, or only the suffix moved


def _places(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """A date written as one number has places too: year, month, day."""
    if len(numbers) == 1 and is_date_number(numbers[0]):
        text = str(numbers[0])
        return int(text[:4]), int(text[4:6]), int(text[6:])
    return numbers


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


def _reason(current: Version, candidate: Version, bump: Bump, policy: PolicyLevel) -> str:
    if not same_track(current, candidate):
        return f"another track: {_difference(current, candidate)}"
    match bump:
        case Bump.PRERELEASE:
            return "prerelease"
        case Bump.UNKNOWN:
            return f"its suffix goes back from {current.suffix} to {candidate.suffix}"
        case _:
            return f"{bump}, policy is {policy}"


def _difference(current: Version, candidate: Version) -> str:
    if candidate.is_calendar != current.is_calendar:
        return "a date" if candidate.is_calendar else "not a date"
    if candidate.prefix != current.prefix:
        return f"prefix {candidate.prefix}" if candidate.prefix else "no prefix"
    if len(candidate.numbers) != len(current.numbers):
        count = len(candidate.numbers)
        return f"{count} number{'s' if count > 1 else ''}, not {len(current.numbers)}"
    return f"suffix {candidate.suffix}" if candidate.suffix else "no suffix"
