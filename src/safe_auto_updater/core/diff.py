"""DiffAnalyzer: what differs between two trees of JSON, and what a rule table says about it.

It knows trees, paths and rules, and nothing of what the trees describe. Pure and total; linear in
the trees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, Final

from safe_auto_updater.core.redact import MASK, redact_all
from safe_auto_updater.core.risk import (
    Circumstances,
    Finding,
    On,
    Reversibility,
    Risk,
    RiskRule,
    Severity,
    Situation,
    Tree,
    at,
    weigh,
)
from safe_auto_updater.core.risk_rules import RULES


class Absent(Enum):
    """Stands where a path does not exist; null is a value like others."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
Path = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """One path where two trees are not the same; at most one side is ABSENT."""

    path: Path
    before: Any
    after: Any

    @property
    def kind(self) -> On:
        """Added, removed or changed."""
        if self.before is ABSENT:
            return On.ADDED
        return On.REMOVED if self.after is ABSENT else On.CHANGED


@dataclass(frozen=True)
class Shape:
    """How to compare: `wholes` are paths never looked into, `sets` lists whose order is nothing."""

    wholes: tuple[Path, ...] = ()
    sets: tuple[Path, ...] = ()


def compare(before: Any, after: Any, shape: Shape | None = None) -> tuple[Difference, ...]:
    """Every difference, ordered by path.

    Objects are compared key by key, lists of scalars as one value, other lists place by place.
    What exists on one side only is taken apart likewise.
    """
    found = _differences(before, after, shape or Shape())
    return tuple(sorted(found, key=lambda difference: difference.path))


class DiffAnalyzer:
    """Judges a change by a rule table."""

    def __init__(self, rules: tuple[RiskRule, ...] = RULES) -> None:
        self._step = tuple(rule for rule in rules if rule.on is On.STEP)
        self._rows = [
            (_parts(path), rule) for rule in rules if rule.on is not On.STEP for path in rule.paths
        ]
        self._shape = Shape(
            tuple(path for path, rule in self._rows if not rule.unordered),
            tuple(path[:-1] for path, rule in self._rows if rule.unordered),
        )

    def analyze(self, before: Tree, after: Tree, circumstances: Circumstances) -> Risk:
        """Findings, score, blockers and reversibility of one change."""
        judged = [*self._steps(before, after, circumstances)]
        for difference in compare(before, after, self._shape):
            old, new = (None if v is ABSENT else v for v in (difference.before, difference.after))
            name = difference.path[-1] if difference.path else ""
            situation = Situation(name, old, new, before, after, circumstances)
            rule = self._first(difference, situation)
            if rule is not None:
                judged.append(_finding(_join(difference.path), situation, rule))
        findings = tuple(sorted(judged, key=lambda f: (-f.points, f.path, f.rule)))
        return Risk(
            weigh(finding.points for finding in findings)[1],
            tuple(_blocker(f) for f in findings if f.severity is Severity.BLOCKER),
            findings,
            max((finding.reversibility for finding in findings), default=Reversibility.R0),
        )

    def _steps(self, before: Tree, after: Tree, step: Circumstances) -> Iterator[Finding]:
        """The rows about the step: for each path the first that holds."""
        told: set[str] = set()
        facts = {"step": {"bump": step.bump, "image": step.image, "kind": step.kind}}
        for rule in self._step:
            (path,) = rule.paths
            parts = _parts(path)
            old, new = at(before, parts), at({**after, **facts}, parts)
            situation = Situation(parts[-1], old, new, before, after, step)
            if path not in told and _holds(rule, situation):
                told.add(path)
                yield _finding(path, situation, rule)

    def _first(self, difference: Difference, situation: Situation) -> RiskRule | None:
        for path, rule in self._rows:
            if (
                rule.on in (On.ANY, difference.kind)
                and _fits(path, difference.path)
                and _holds(rule, situation)
            ):
                return rule
        return None


def _blocker(finding: Finding) -> str:
    """In words: the last part of the path names what blocks; what was found there says why."""
    name = finding.path.rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~")
    said = f" {finding.after}" if finding.before is None and isinstance(finding.after, str) else ""
    return f"{name}: {finding.why}{said}"


def _finding(path: str, situation: Situation, rule: RiskRule) -> Finding:
    def shown(value: Any) -> Any:
        if value is None:
            return None
        return MASK if rule.masked else redact_all(value, situation.name)

    return Finding(
        path,
        shown(situation.old),
        shown(situation.new),
        rule.name,
        rule.severity,
        rule.why,
        rule.points,
        rule.reversibility,
    )


def _holds(rule: RiskRule, situation: Situation) -> bool:
    return all(condition.holds(situation) for condition in rule.when)


def _differences(before: Any, after: Any, shape: Shape) -> Iterator[Difference]:
    """By a stack of our own: a tree may be deeper than Python's.

    A path is a chain to its parent, and only patterns that fit so far go down with it: a node
    costs the same at any depth.
    """
    stack: list[tuple[Any, int, tuple[Path, ...], tuple[Path, ...], Any, Any]]
    stack = [(None, 0, shape.wholes, shape.sets, before, after)]
    while stack:
        chain, depth, wholes, sets, old, new = stack.pop()
        if any(len(pattern) == depth for pattern in wholes):
            if not _same(old, new):
                yield Difference(_path(chain), old, new)
            continue
        if any(len(pattern) == depth for pattern in sets):
            old, new = _members(old), _members(new)
        inside = _pairs(old, new)
        if inside is None:
            if not _equal(old, new):
                yield Difference(_path(chain), old, new)
            continue
        for part, one, other in inside:
            narrow = (
                tuple(p for p in patterns if len(p) > depth and fnmatchcase(part, p[depth]))
                for patterns in (wholes, sets)
            )
            stack.append(((chain, part), depth + 1, *narrow, one, other))


def _path(chain: Any) -> Path:
    parts = []
    while chain is not None:
        chain, part = chain
        parts.append(part)
    return tuple(reversed(parts))


def _same(before: Any, after: Any) -> bool:
    stack = [(before, after)]
    while stack:
        old, new = stack.pop()
        inside = _pairs(old, new)
        if inside is not None:
            stack += [(one, other) for _, one, other in inside]
        elif not _equal(old, new):
            return False
    return True


def _pairs(old: Any, new: Any) -> list[tuple[str, Any, Any]] | None:
    """What to compare inside, or None where the two are to be compared as they are."""
    one, other = _inside(old), _inside(new)
    if one is None or other is None or not (one or other):
        return None
    if isinstance(old, list | tuple) != isinstance(new, list | tuple) and not (
        old is ABSENT or new is ABSENT
    ):
        return None
    return [(key, one.get(key, ABSENT), other.get(key, ABSENT)) for key in {**one, **other}]


def _inside(value: Any) -> Mapping[str, Any] | None:
    match value:
        case Absent():
            return {}
        case Mapping():
            return value
        case list() | tuple() if any(isinstance(v, Mapping | list | tuple) for v in value):
            return {str(place): each for place, each in enumerate(value)}
        case _:
            return None


def _members(value: Any) -> Any:
    """A list of scalars as an object of its members."""
    if not isinstance(value, list | tuple):
        return value
    return {str(member): member for member in value}


def _equal(old: Any, new: Any) -> bool:
    """As JSON: true is no number, and neither side is a container of containers."""
    match old, new:
        case (list() | tuple(), list() | tuple()):
            return len(old) == len(new) and all(map(_equal, old, new))
        case (Mapping(), Mapping()):
            return True  # both empty, else their insides were compared
        case _:
            return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)


def _parts(path: str) -> Path:
    return tuple(path.split("/"))


def _join(path: Path) -> str:
    return "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)


def _fits(pattern: Path, path: Path) -> bool:
    return len(pattern) == len(path) and all(map(fnmatchcase, path, pattern))
