"""Versions of Helm charts: Semantic Versioning 2.0.0, to the letter.

Rules are cited by their item at https://semver.org/spec/v2.0.0.html.
"""

import re
from dataclasses import dataclass

from safe_auto_updater.core.versions import Bump

_NUMBER = r"(?:0|[1-9][0-9]*)"  # items 2 and 9: without leading zeroes
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
_LONGEST = 256  # the specification names no limit; registries and file names do

# A number is compared by its length and then its digits: as long as it likes, and never an int.
_Number = tuple[int, str]


@dataclass(frozen=True, slots=True)
class ChartVersion:
    """A version, whose text is `str()` of it. Equal only with equal build metadata."""

    core: tuple[str, str, str]
    prerelease: tuple[str, ...] = ()
    build: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = ".".join(self.core)
        text += "-" + ".".join(self.prerelease) if self.prerelease else ""
        return text + ("+" + ".".join(self.build) if self.build else "")

    @property
    def precedence(self) -> tuple[object, ...]:
        """The sort key (item 11). Build metadata has no part in it (item 10)."""
        # A release comes after its prereleases (11.3); numbers before words (11.4.3); of two that
        # begin alike the longer is later (11.4.4), which is how tuples compare.
        identifiers = tuple(
            (0, *_number(one)) if one.isdigit() else (1, 0, one) for one in self.prerelease
        )
        return tuple(map(_number, self.core)), not self.prerelease, identifiers


def parse_chart_version(text: str) -> ChartVersion | None:
    """Read a version, or None where the text is none: `v1.2.3`, `1.2` and `01.2.3` are none."""
    match = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    major, minor, patch, prerelease, build = match.groups()
    return ChartVersion(
        (major, minor, patch),
        tuple(prerelease.split(".")) if prerelease else (),
        tuple(build.split(".")) if build else (),
    )


def chart_bump(current: ChartVersion, candidate: ChartVersion) -> Bump:
    """How far a newer version goes, as SemVerEvaluator says it of tags.

    UNKNOWN where it is not newer; PRERELEASE for a prerelease, unless of the version that runs.
    """
    if not candidate.precedence > current.precedence:
        return Bump.UNKNOWN
    if candidate.prerelease and not (current.prerelease and current.core == candidate.core):
        return Bump.PRERELEASE
    if current.core[0] != candidate.core[0]:
        return Bump.MAJOR
    return Bump.MINOR if current.core[1] != candidate.core[1] else Bump.PATCH


def _number(digits: str) -> _Number:
    return len(digits), digits
