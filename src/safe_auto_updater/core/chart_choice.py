"""Which newer versions of a chart may be taken, best first, with a reason for every other.

The same questions as of tags, by the order of Semantic Versioning. Helm takes a `v` before a
version for part of its text: `v1.16.1` and `1.16.1` are two tracks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from safe_auto_updater.core.chart_version import ChartVersion, chart_bump, parse_chart_version
from safe_auto_updater.core.charts import ListedChart
from safe_auto_updater.core.model import Rejection
from safe_auto_updater.core.semver import (
    Choice,
    Option,
    SemVerEvaluator,
    Wanted,
    beyond,
    leaping,
    refused_by_name,
)
from safe_auto_updater.core.versions import Bump, Version
from safe_auto_updater.core.walk import refused_by_path


@dataclass(frozen=True, slots=True)
class _Read:
    """A version that could be read."""

    chart: ListedChart
    version: ChartVersion

    @property
    def text(self) -> str:
        return self.chart.version

    @property
    def prefix(self) -> str:
        return self.text[: len(self.text) - len(str(self.version))]

    @property
    def as_tag(self) -> Version:
        """For the rules that look at numbers alone."""
        numbers = tuple(map(int, self.version.core))
        return Version(self.prefix, numbers, ".".join(self.version.prerelease), "", self.text)


def read_version(text: str) -> ChartVersion | None:
    """The version that a chart says it is, with or without a `v`; None where it is none."""
    return parse_chart_version(text.removeprefix("v"))


def choose_chart(
    running: str,
    listed: Iterable[ListedChart],
    wanted: Wanted,
    unfit: Callable[[ListedChart], str | None],
) -> Choice:
    """What the policy allows of what is listed, whose order does not matter.

    `unfit` says why a version may not be taken for what it is. Never lower than or equal to the
    running one; one that is no version has no newer one.
    """
    known = read_version(running)
    if known is None:
        return Choice((), ())
    current = _Read(ListedChart(running, location=""), known)
    newer = _newer(current, listed)
    foreign = {one.text: _other_track(one) for one in newer if one.prefix != current.prefix}
    following = [one for one in newer if one.text not in foreign]
    bumps = {one.text: _far(known, one.version, wanted.prereleases) for one in following}
    # Of several reasons the last one here is told.
    reasons = {one.text: why for one in following if (why := unfit(one.chart))}
    reasons |= _indistinct(following)
    reasons |= leaping(current.as_tag, [one.as_tag for one in following])
    reasons |= {one.text: why for one in following if (why := refused_by_name(one.text, wanted))}
    reasons |= foreign
    allowed = SemVerEvaluator().allowed
    for one in following:
        if one.text not in reasons and not allowed(bumps[one.text], wanted.level):
            reasons[one.text] = beyond(bumps[one.text], wanted.level)
    path: tuple[str, ...] = ()
    if wanted.walk is not None:
        open_ones = [one.as_tag for one in following if one.text not in reasons]
        everything = [one.as_tag for one in following]
        path, later = refused_by_path(current.as_tag, open_ones, everything, wanted.walk)
        reasons |= later
    return Choice(
        tuple(Option(one.text, bumps[one.text]) for one in newer if one.text not in reasons),
        tuple(Rejection(one.text, reasons[one.text]) for one in newer if one.text in reasons),
        path,
    )


def _newer(current: _Read, listed: Iterable[ListedChart]) -> list[_Read]:
    """Every version that is newer, newest first; a text that is listed twice counts once."""
    read = {
        chart.version: _Read(chart, version)
        for chart in listed
        if (version := read_version(chart.version)) is not None
    }
    above = current.version.precedence
    found = [one for one in read.values() if one.version.precedence > above]
    return sorted(found, key=lambda one: (one.version.precedence, one.text), reverse=True)


def _far(current: ChartVersion, candidate: ChartVersion, prereleases: bool) -> Bump:
    """A prerelease that is wanted counts as its numbers do."""
    bump = chart_bump(current, candidate)
    if bump is Bump.PRERELEASE and prereleases:
        return chart_bump(current, replace(candidate, prerelease=()))
    return bump


def _indistinct(following: Sequence[_Read]) -> dict[str, str]:
    """Versions that differ by their build alone, which has no part in the order."""
    many = Counter(one.version.precedence for one in following)
    return {
        one.text: f"one of {count} builds of this version: nothing tells which is the later"
        for one in following
        if (count := many[one.version.precedence]) > 1
    }


def _other_track(one: _Read) -> str:
    return f"another track: prefix {one.prefix}" if one.prefix else "another track: no prefix"
