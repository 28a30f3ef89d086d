"""Which newer versions of a chart may be taken: a table, and laws that hold for any list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.chart_choice import choose_chart, read_version
from safe_auto_updater.core.charts import ListedChart
from safe_auto_updater.core.semver import Choice, Wanted
from safe_auto_updater.core.versions import Bump, PolicyLevel

MAJOR = Wanted(PolicyLevel.MAJOR)
MINOR = Wanted(PolicyLevel.MINOR)


def choose(running: str, listed: str, wanted: Wanted = MAJOR, unfit: str = "") -> Choice:
    charts = [ListedChart(text, f"https://x/{text}") for text in listed.split()]
    return choose_chart(
        running, charts, wanted, lambda chart: "unfit" if chart.version in unfit.split() else None
    )


# what runs, what is listed, what is wanted; what may be taken, best first
TABLE = {
    "the newest first": ("1.2.0", "1.1.0 1.10.0 1.9.0 2.0.0", MAJOR, "2.0.0 1.10.0 1.9.0"),
    "within the policy": ("1.2.0", "1.2.1 1.3.0 2.0.0", MINOR, "1.3.0 1.2.1"),
    "never lower, never equal": ("1.2.0", "1.1.9 1.2.0 1.2.0-rc.1 1.2.0+5", MAJOR, ""),
    "no prerelease": ("1.2.0", "1.3.0-rc.1 1.2.1-0", MAJOR, ""),
    "prereleases by rule": (
        "1.2.0", "1.3.0-rc.1 1.2.1-0 2.0.0-a", Wanted(PolicyLevel.MINOR, prereleases=True),
        "1.3.0-rc.1 1.2.1-0"),
    "of the same version": ("1.3.0-rc.1", "1.3.0-rc.2 1.3.0 1.4.0-rc.1", MINOR, "1.3.0 1.3.0-rc.2"),
    "build metadata": ("1.2.0+up1", "1.2.1+up2", MAJOR, "1.2.1+up2"),
    "two builds of one version": ("1.2.0", "1.3.0+1 1.3.0+2 1.2.1", MAJOR, "1.2.1"),
    "with a v": ("v1.2.0", "v1.3.0 1.4.0", MAJOR, "v1.3.0"),
    "without one": ("1.2.0", "v1.3.0 1.2.1", MAJOR, "1.2.1"),
    "what is no version": ("1.2.0", "1.3 latest 01.4.0 1.2.3.4", MAJOR, ""),
    "nothing runs that is one": ("1.2", "1.3.0", MAJOR, ""),
    "a leap": ("8.0.0", "9.0.0 9999.0.0", MAJOR, "9.0.0"),
    "patterns": (
        "1.2.0", "1.2.1 1.2.2 1.3.0", Wanted(PolicyLevel.MAJOR, ("1.2.*",), ("*.2.2",)), "1.2.1"),
    "one minor at a time": (
        "1.2.0", "1.2.5 1.3.0 1.4.0", Wanted(PolicyLevel.MAJOR, walk=Bump.MINOR), "1.2.5"),
    "long numbers": (f"1.0.{'9' * 80}", f"1.0.1{'0' * 80}", MAJOR, f"1.0.1{'0' * 80}"),
}  # fmt: skip


@pytest.mark.parametrize("what", TABLE)
def test_what_may_be_taken(what: str) -> None:
    running, listed, wanted, expected = TABLE[what]
    assert [one.tag for one in choose(running, listed, wanted).options] == expected.split()


def test_each_newer_one_that_is_not_taken_has_its_reason() -> None:
    wanted = Wanted(PolicyLevel.MINOR, exclude=("1.2.7",))
    listed = "1.2.7 1.2.8 1.3.0+1 1.3.0+2 1.4.0-rc.1 v1.5.0 2.0.0 1.6.0"
    found = choose("1.2.0", listed, wanted, unfit="1.6.0 2.0.0")
    assert {one.tag: one.reason for one in found.rejected} == {
        "2.0.0": "unfit",
        "1.6.0": "unfit",
        "v1.5.0": "another track: prefix v",
        "1.4.0-rc.1": "prerelease",
        "1.3.0+2": "one of 2 builds of this version: nothing tells which is the later",
        "1.3.0+1": "one of 2 builds of this version: nothing tells which is the later",
        "1.2.7": "excluded by 1.2.7",
    }
    assert [(one.tag, one.bump) for one in found.options] == [("1.2.8", Bump.PATCH)]


NUMBER = st.integers(0, 12).map(str)
VERSIONS = st.builds(
    lambda v, core, pre, build: f"{v}{'.'.join(core)}{pre}{build}",
    st.sampled_from(["", "", "v"]),
    st.tuples(NUMBER, NUMBER, NUMBER),
    st.sampled_from(["", "", "-rc.1", "-rc.10", "-a"]),
    st.sampled_from(["", "", "+1", "+2"]),
)


@pytest.mark.slow
@given(VERSIONS, st.lists(VERSIONS, max_size=12), st.sampled_from([MINOR, MAJOR]))
def test_never_a_downgrade_and_the_order_of_the_list_does_not_matter(
    running: str, listed: list[str], wanted: Wanted
) -> None:
    found = choose(running, " ".join(listed), wanted)
    current = read_version(running)
    assert current is not None
    keys = [read_version(one.tag) for one in found.options]
    assert all(key is not None and key.precedence > current.precedence for key in keys)
    assert all(one.tag.startswith("v") is running.startswith("v") for one in found.options)
    order = [key.precedence for key in keys if key]
    assert order == sorted(order, reverse=True)
    assert choose(running, " ".join(reversed(listed)), wanted) == found
    newer = {t for t in listed if (v := read_version(t)) and v.precedence > current.precedence}
    assert {one.tag for one in (*found.options, *found.rejected)} == newer
