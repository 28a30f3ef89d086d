"""The constraint that a chart puts on its cluster (`kubeVersion`), read as Helm reads it.

Helm hands it to the library Masterminds/semver 3, whose meaning is kept here, oddities included:
a term with fewer than three numbers is a range, and one without a prerelease refuses prereleases.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from safe_auto_updater.core.chart_version import ChartVersion

_WORD = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = rf"v?(?:\d+|[xX*])(?:\.(?:\d+|[xX*])){{0,2}}(?:-{_WORD})?(?:\+{_WORD})?"
_RANGE = re.compile(rf"\s*({_VERSION})\s+-\s+({_VERSION})\s*")
_TERM = re.compile(
    r"\s*(?P<operator>=|!=|>=|=>|<=|=<|>|<|~>|~|\^|)\s*v?(?P<numbers>[0-9xX*]+(?:\.[0-9xX*]+){0,2})"
    rf"(?:-(?P<prerelease>{_WORD}))?(?:\+{_WORD})?(?P<end>\s*,\s*|\s+|$)"
)
_KUBERNETES = re.compile(r"v?([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?")
_LONGEST = 512


class UnreadableConstraint(ValueError):
    """A text that is no constraint."""


@dataclass(frozen=True, slots=True)
class _Term:
    """One comparison. `given` is how many numbers were written before the first x, 0 to 3."""

    operator: str
    version: ChartVersion
    given: int


def kubernetes_fits(constraint: str, cluster: str) -> bool:
    """Whether a cluster of this version (`v1.34.4`) is one that the chart is for.

    What a vendor puts behind the numbers (`v1.33.4-gke.1245000`) does not count, as in Helm 4.
    Raises UnreadableConstraint, and ValueError for a version that is none.
    """
    found = _KUBERNETES.match(cluster)
    if found is None:
        raise ValueError(f"{cluster!r} is no version of Kubernetes")
    major, minor, patch = (str(int(part or 0)) for part in found.groups())
    return satisfies(constraint, ChartVersion((major, minor, patch)))


def satisfies(constraint: str, version: ChartVersion) -> bool:
    """Whether a version is within a constraint. Raises UnreadableConstraint."""
    if len(constraint) > _LONGEST:
        raise UnreadableConstraint(f"longer than {_LONGEST} characters")
    ranged = _RANGE.sub(r">= \1, <= \2", constraint)
    alternatives = [_terms(part, constraint) for part in ranged.split("||")]
    return any(all(_holds(term, version) for term in terms) for terms in alternatives)


def _terms(text: str, whole: str) -> list[_Term]:
    terms, place, open_end = [], 0, True
    while place < len(text) and (match := _TERM.match(text, place)):
        numbers = match["numbers"].split(".")
        if not all(part.isdigit() or part in ("x", "X", "*") for part in numbers):
            break
        wild = next((n for n, part in enumerate(numbers) if not part.isdigit()), len(numbers))
        core = [str(int(part)) for part in numbers[:wild]] + ["0"] * (3 - wild)
        prerelease = tuple((match["prerelease"] or "").split(".")) if match["prerelease"] else ()
        version = ChartVersion((core[0], core[1], core[2]), prerelease)
        terms.append(_Term(match["operator"], version, wild))
        place, open_end = match.end(), "," in match["end"]
    if place < len(text) or open_end:
        raise UnreadableConstraint(f"cannot be read: {whole!r}")
    return terms


def _holds(term: _Term, version: ChartVersion) -> bool:
    if version.prerelease and not term.version.prerelease:
        # The one comparison that may hold all the same is with a whole version.
        return term.operator == "!=" and term.given == 3
    return _OPERATORS[term.operator](version, term)


def _equal(version: ChartVersion, term: _Term) -> bool:
    if term.given < 3:
        return _near(version, term)
    return version.precedence == term.version.precedence


def _differs(version: ChartVersion, term: _Term) -> bool:
    match term.given:
        case 1:
            return version.core[0] != term.version.core[0]
        case 2:
            same = version.core[:2] == term.version.core[:2]
            return not same or version.prerelease != term.version.prerelease
        case _:
            return version.precedence != term.version.precedence


def _above(version: ChartVersion, term: _Term) -> bool:
    if term.given in (1, 2):  # nothing of 1.27 is above 1.27
        return _first(version, term.given) > _first(term.version, term.given)
    return version.precedence > term.version.precedence


def _up_to(version: ChartVersion, term: _Term) -> bool:
    if term.given == 3:
        return version.precedence <= term.version.precedence
    counted = term.given or 2
    return _first(version, counted) <= _first(term.version, counted)


def _at_least(version: ChartVersion, term: _Term) -> bool:
    return version.precedence >= term.version.precedence


def _below(version: ChartVersion, term: _Term) -> bool:
    return version.precedence < term.version.precedence


def _near(version: ChartVersion, term: _Term) -> bool:
    """The same minor, or the same major where only that is written."""
    if not _at_least(version, term):
        return False
    if term.given in (0, 3) and _first(term.version, 3) == _ZERO:
        return True
    counted = 1 if term.given == 1 else 2
    return version.core[:counted] == term.version.core[:counted]


def _compatible(version: ChartVersion, term: _Term) -> bool:
    """The same first number that is not zero."""
    if not _at_least(version, term):
        return False
    major, minor, _ = term.version.core
    if major != "0" or term.given == 1:
        counted = 1
    elif minor != "0" or term.given == 2:
        counted = 2
    else:
        counted = 3
    return version.core[:counted] == term.version.core[:counted]


def _first(version: ChartVersion, count: int) -> tuple[int, ...]:
    return tuple(map(int, version.core[:count]))


_ZERO = (0, 0, 0)
_OPERATORS: dict[str, Callable[[ChartVersion, _Term], bool]] = {
    "": _equal,
    "=": _equal,
    "!=": _differs,
    ">": _above,
    "<": _below,
    ">=": _at_least,
    "=>": _at_least,
    "<=": _up_to,
    "=<": _up_to,
    "~": _near,
    "~>": _near,
    "^": _compatible,
}
