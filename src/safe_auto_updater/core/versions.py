"""Tags read as versions, and two questions about them: is it the same track, is it newer.

Tags are no SemVer: `16-bookworm`, `v1.2`, `2024.1.0`, `1.2.3-debian-12-r4`,
`RELEASE.2024-01-11T07-46-16Z`. What cannot be read is None, and None is never newer.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from safe_auto_updater.core.suffixes import (
    Rank,
    is_date_number,
    prerelease_rank,
    read_suffix,
    split_prerelease,
)


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
    def calendar(self) -> tuple[int, ...]:
        """Which numbers are dates, by how many digits; empty for a count of releases.

        A year only counts with something behind it: `2022` alone may be a count.
        """
        first, *rest = self.numbers
        if not rest:
            digits = _date_digits(first)
            return (digits,) if digits else ()
        if len(rest) >= 2 and self.text.startswith("-", len(self.prefix) + 4):
            return (10,)  # 2024-01-11 is another scheme than 2024.1.11
        if max(self.numbers) < _FIRST_YEAR:
            return ()
        year = 4 if _FIRST_YEAR <= first <= 9999 else 0
        digits_of = tuple(8 if is_date_number(number) else 0 for number in self.numbers)
        return (year or digits_of[0], *digits_of[1:]) if year or any(digits_of) else ()

    @property
    def is_calendar(self) -> bool:
        """Whether the numbers are a date rather than a count of releases."""
        return bool(self.calendar)


_FIRST_YEAR = 1900
_LONGEST_TAG = 128
_TAG = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]*")
_MACHINE = (
    r"(?:amd64|arm64(?:v8)?|arm32(?:v[5-8])?|armv?[5-8](?:hf|l)?|aarch64|x86_64|x86|x64|i[36]86"
    r"|ppc64(?:le|el)?|s390x|mips(?:64)?(?:le|el)?|riscv64)(?![0-9A-Za-z])[-_.]?"
)
# Words with a number in them that stand before the version: `arm64v8-1.2.3`, `k8s-1.2.3`.
_HEAD = re.compile(
    rf"(?:(?:[A-Za-z]+[-_])*(?:{_MACHINE}"
    r"|(?!(?:v|ver|version|rel|release|r)[0-9])[A-Za-z]+[0-9][0-9A-Za-z.]*[-_]"
    r"(?=(?:v|version-|release-)?[0-9]+\.[0-9])))*",
    re.IGNORECASE,
)
# A number with its dots, and what stands before and after it.
_NUMBERED = re.compile(r"([^0-9]*)([0-9]+(?:\.[0-9]+)*)(.*)")
_ISO_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T_-]([0-9]{2})[-.:]?([0-9]{2})[-.:]?([0-9]{2})Z?)?"
    r"(?![0-9])"
)
_HASH = re.compile(r"[0-9a-f]{7,40}", re.IGNORECASE)
_FIRST_WORD = re.compile(r"[0-9A-Za-z]*")
# What stands before the number of a commit or a pull request: neither is a version.
_NO_VERSION_PREFIXES = frozenset({"sha", "git", "commit", "g", "pr", "mr", "pull"})

Precedence = tuple[tuple[int, ...], Rank, tuple[tuple[int, ...], ...]]


def parse_tag(tag: str) -> Version | None:
    """Read a tag as a version, or None for words, commit hashes and whatever else is no version."""
    if len(tag) > _LONGEST_TAG or _TAG.fullmatch(tag) is None:
        return None
    head = None if tag[0].isdigit() else _HEAD.match(tag)
    before = head[0] if head else ""
    match = _NUMBERED.fullmatch(tag, len(before))
    if match is None:
        return None
    prefix, dotted, rest = before + match[1], match[2], match[3]
    if "." in dotted:
        return _finished(prefix, tuple(map(int, dotted.split("."))), rest, tag)
    if len(dotted) == 4 and rest[:1] == "-" and (date := _ISO_DATE.match(tag, len(prefix))):
        numbers = tuple(int(part) for part in date.groups() if part is not None)
        return _finished(prefix, numbers, tag[date.end() :], tag)
    if _is_no_version(prefix, dotted, rest):
        return None
    return _finished(prefix, (int(dotted),), rest, tag)


def same_track(a: Version, b: Version) -> bool:
    """Whether one may follow the other at all: same prefix, precision, calendar and suffix words.

    Numbers inside a suffix that count do not part tracks (`-alpine3.19` and `-alpine3.20`).
    A prerelease is on the track of its release.
    """
    return (
        len(a.numbers) == len(b.numbers)
        and a.prefix == b.prefix
        and (a.suffix == b.suffix or read_suffix(a.suffix).shape == read_suffix(b.suffix).shape)
        and a.calendar == b.calendar
    )


def newer(a: Version, b: Version) -> bool:
    """Whether `a` is newer than `b`; False across tracks. A strict order within one track."""
    return same_track(a, b) and precedence(a) > precedence(b)


def precedence(version: Version) -> Precedence:
    """The sort key within a track: numbers, then prerelease before release, then the suffix."""
    rank = prerelease_rank(version.prerelease)
    return version.numbers, rank, read_suffix(version.suffix).numbers


def places(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Major, minor and the rest. A date written as one number has places too: year, month, day."""
    first, *rest = numbers
    digits = 0 if first < _FIRST_YEAR else _date_digits(first)
    if not digits or (digits == 6 and rest):
        return numbers
    text = str(first)
    year = 2 if digits == 6 else 4
    return int(text[:year]), int(text[year : year + 2]), int(text[year + 2 :]), *rest


def _date_digits(number: int) -> int:
    """How many digits a date written as one number has: YYMMDD, YYYYMMDD, or a time behind it."""
    if number < 150101:
        return 0
    if is_date_number(number):
        return len(str(number))
    year, month, day = number // 10000, number // 100 % 100, number % 100
    return 6 if 15 <= year <= 49 and 1 <= month <= 12 and 1 <= day <= 31 else 0


def _finished(prefix: str, numbers: tuple[int, ...], rest: str, tag: str) -> Version:
    prerelease, suffix = split_prerelease(rest) if rest else ("", "")
    return Version(prefix, numbers, prerelease, suffix, tag)


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
