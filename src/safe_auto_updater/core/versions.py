"""Tags read as versions, and two questions about them: is it the same track, is it newer.

Tags are no SemVer: `16-bookworm`, `v1.2`, `2024.1.0`, `1.2.3-debian-12-r4`,
`RELEASE.2024-01-11T07-46-16Z`. What cannot be read is None, and None is never newer.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Bump(StrEnum):
    """How far a change goes."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    PRERELEASE = "prerelease"
    DIGEST = "digest"
    UNKNOWN = "unknown"


class PolicyLevel(StrEnum):
    """How far a change may go; each level includes those before it."""

    NONE = "none"
    DIGEST = "digest"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class Version:
    """A tag, taken apart: `v1.2.0-rc1-alpine` is v, (1, 2, 0), rc1, -alpine.

    `prerelease` and `suffix` are empty where there is none; `text` is the whole tag.
    """

    prefix: str
    numbers: tuple[int, ...]
    prerelease: str
    suffix: str
    text: str

    @property
    def is_calendar(self) -> bool:
        """Whether the numbers are a date rather than a count of releases."""
        return 1900 <= self.numbers[0] <= 9999 or is_date_number(self.numbers[0])


# A number with its dots, and what stands before and after it.
_TAG = re.compile(r"([^0-9]*)([0-9]+(?:\.[0-9]+)*)(.*)", re.DOTALL)
_ISO_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T_-]([0-9]{2})[-.:]?([0-9]{2})[-.:]?([0-9]{2})Z?)?"
    r"(?![0-9])"
)
_HASH = re.compile(r"[0-9a-f]{7,40}", re.IGNORECASE)
_FIRST_WORD = re.compile(r"[0-9A-Za-z]*")
_PRERELEASE = re.compile(
    r"(?:[-_.]|^)"
    r"(snapshot|nightly|dev|canary|unstable|alpha|beta|milestone|preview|pre|ea|rc|cr"
    r"|m(?=[0-9])|(?<![-_.])[ab](?=[0-9]))"
    r"[-_.]?([0-9]+(?:\.[0-9]+)*)?(?![0-9A-Za-z])",
    re.IGNORECASE,
)
# In a suffix, a commit hash is a word; everything else made of digits is a number.
_SUFFIX_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])g?(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,40}(?![0-9A-Za-z])"
    r"|([0-9]+(?:\.[0-9]+)*)"
)
# What stands before the number of a commit or a pull request: neither is a version.
_NO_VERSION_PREFIXES = frozenset({"sha", "git", "commit", "g", "pr", "mr", "pull"})
_LONGEST_TAG = 128
_RANKS = {
    "snapshot": 0, "nightly": 0, "dev": 0, "canary": 0, "unstable": 0,
    "alpha": 1, "a": 1, "beta": 2, "b": 2, "ea": 2, "milestone": 3, "m": 3,
    "pre": 4, "preview": 4, "rc": 5, "cr": 5,
}  # fmt: skip

Precedence = tuple[tuple[int, ...], tuple[int, int, tuple[int, ...]], tuple[tuple[int, ...], ...]]


def parse_tag(tag: str) -> Version | None:
    """Read a tag as a version, or None for words, commit hashes and whatever else is no version."""
    match = _TAG.fullmatch(tag)
    if match is None or len(tag) > _LONGEST_TAG:
        return None
    prefix, dotted, rest = match.groups()
    if "." not in dotted:
        if len(dotted) == 4 and rest[:1] == "-" and (date := _ISO_DATE.match(tag, len(prefix))):
            numbers = tuple(int(part) for part in date.groups() if part is not None)
            return _finished(prefix, numbers, tag[date.end() :], tag)
        if _is_no_version(prefix, dotted, rest):
            return None
        return _finished(prefix, (int(dotted),), rest, tag)
    return _finished(prefix, tuple(map(int, dotted.split("."))), rest, tag)


def same_track(a: Version, b: Version) -> bool:
    """Whether one may follow the other at all: same prefix, precision, suffix words and calendar.

    Numbers inside a suffix do not part tracks (`-alpine3.19` and `-alpine3.20`), words do.
    A prerelease is on the track of its release.
    """
    return (
        len(a.numbers) == len(b.numbers)
        and a.prefix == b.prefix
        and a.is_calendar == b.is_calendar
        and (a.suffix == b.suffix or _suffix_shape(a.suffix) == _suffix_shape(b.suffix))
    )


def newer(a: Version, b: Version) -> bool:
    """Whether `a` is newer than `b`; False across tracks. A strict order within one track."""
    return same_track(a, b) and precedence(a) > precedence(b)


def precedence(version: Version) -> Precedence:
    """The sort key within a track: numbers, then prerelease before release, then the suffix."""
    return version.numbers, _prerelease_key(version.prerelease), suffix_numbers(version.suffix)


def suffix_numbers(suffix: str) -> tuple[tuple[int, ...], ...]:
    """The numbers inside a suffix: `-debian-12-r4` has (12,), (4,)."""
    return tuple(numbers for _, numbers in suffix_parts(suffix))


def suffix_parts(suffix: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Each number of a suffix with the word before it: ("debian", (12,)), ("r", (4,))."""
    parts, start = [], 0
    for match in _SUFFIX_NUMBER.finditer(suffix):
        if match[1] is not None:
            word = suffix[start : match.start()].strip("-_.").lower()
            parts.append((word, tuple(map(int, match[1].split(".")))))
            start = match.end()
    return tuple(parts)


def is_date_number(number: int) -> bool:
    """Whether a number reads as YYYYMMDD, perhaps with a time behind it."""
    text = str(number)
    if len(text) not in (8, 10, 12, 14):
        return False
    return "1900" <= text[:4] <= "2199" and "01" <= text[4:6] <= "12" and "01" <= text[6:8] <= "31"


def places(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Major, minor and the rest. A date written as one number has places too: year, month, day."""
    if len(numbers) == 1 and is_date_number(numbers[0]):
        text = str(numbers[0])
        return int(text[:4]), int(text[4:6]), int(text[6:])
    return numbers


def _finished(prefix: str, numbers: tuple[int, ...], rest: str, tag: str) -> Version:
    if not rest:
        return Version(prefix, numbers, "", "", tag)
    match = _PRERELEASE.search(rest)
    if match is None:
        return Version(prefix, numbers, "", rest, tag)
    suffix = rest[: match.start()] + rest[match.end() :]
    return Version(prefix, numbers, match[0].lstrip("-_."), suffix, tag)


def _is_no_version(prefix: str, digits: str, rest: str) -> bool:
    if prefix.rstrip("-_.").lower() in _NO_VERSION_PREFIXES:
        return True
    # `abc1234` begins with letters that the pattern took for a prefix: look at the whole word.
    start = max(prefix.rfind("-"), prefix.rfind("_"), prefix.rfind(".")) + 1
    after = _FIRST_WORD.match(rest)
    word = (prefix[start:] + digits + (after[0] if after else "")).removeprefix("g")
    if not _HASH.fullmatch(word):
        return False
    return not (word.isdigit() and is_date_number(int(word)))


def _suffix_shape(suffix: str) -> str:
    return _SUFFIX_NUMBER.sub(_number_shape, suffix)


def _number_shape(match: re.Match[str]) -> str:
    return match[0] if match[1] is None else "#" + "." * match[1].count(".")


def _prerelease_key(prerelease: str) -> tuple[int, int, tuple[int, ...]]:
    if not prerelease:
        return 1, 0, ()
    match = _PRERELEASE.match(prerelease)
    assert match is not None, prerelease
    numbers = tuple(map(int, match[2].split("."))) if match[2] else ()
    return 0, _RANKS[match[1].lower()], numbers
