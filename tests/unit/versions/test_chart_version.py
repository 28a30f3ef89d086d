"""Chart versions: what the specification of Semantic Versioning 2.0.0 says, item by item."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.chart_version import ChartVersion, chart_bump, parse_chart_version


def parsed(text: str) -> ChartVersion:
    version = parse_chart_version(text)
    assert version is not None, text
    return version


@pytest.mark.parametrize(
    "text",
    [
        "1.9.0", "1.10.0", "1.11.0",  # item 2
        "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0-x.7.z.92", "1.0.0-x-y-z.--",  # item 9
        "1.0.0-alpha+001", "1.0.0+20130313144700", "1.0.0-beta+exp.sha.5114f85",
        "1.0.0+21AF26D3----117B344092BD",  # item 10
        "0.0.0", "1.0.0--", "1.0.0-0a", "1.0.0+0.0", f"1.0.{'9' * 200}",
    ],
)  # fmt: skip
def test_what_the_specification_allows_is_read_and_printed_as_it_was(text: str) -> None:
    assert str(parsed(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "1", "1.2", "1.2.3.4", "v1.2.3", "V1.2.3", " 1.2.3", "1.2.3 ", "1.2.3\n", "-1.2.3",
        "01.2.3", "1.02.3", "1.2.03", "1.2.3-01", "1.2.3-a.00", "1.2.3-", "1.2.3+", "1.2.3-a..b",
        "1.2.3+a+b", "1.2.3-ä", "1.2.3-a_b", "\u0661.2.3", "1.2.3-\u0662", "1.2.3\0", "9" * 5000,
        f"1.2.3-{'a' * 5000}",
    ],
)  # fmt: skip
def test_anything_else_is_no_version(text: str) -> None:
    assert parse_chart_version(text) is None


@pytest.mark.parametrize(
    "ascending",
    [
        ["1.0.0", "2.0.0", "2.1.0", "2.1.1"],  # item 11.2
        ["1.0.0-alpha", "1.0.0"],  # item 11.3
        ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
         "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"],  # item 11.4.4
        ["1.9.0", "1.10.0", "1.11.0"],
        ["1.0.0-9", "1.0.0-10", "1.0.0--", "1.0.0-A", "1.0.0-a"],  # 11.4.1 to 11.4.3, ASCII order
        ["1.0.0-rc.1", "1.0.0-rc.1.0", "1.0.0-rc.1.a"],
    ],
)  # fmt: skip
def test_precedence_is_that_of_the_specification(ascending: list[str]) -> None:
    keys = [parsed(text).precedence for text in ascending]
    assert all(a < b for a, b in pairwise(keys))


def test_build_metadata_has_no_part_in_precedence() -> None:
    """Item 10. Two such versions are still two texts."""
    a, b = parsed("1.0.0+1"), parsed("1.0.0+2")
    assert a.precedence == b.precedence == parsed("1.0.0").precedence
    assert a != b
    assert chart_bump(a, b) == "unknown"


@pytest.mark.parametrize(
    ("current", "candidate", "bump"),
    [
        ("1.2.3", "2.0.0", "major"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.2.3", "1.2.4+5", "patch"),
        ("1.2.3", "1.2.3", "unknown"),
        ("1.2.3", "1.2.2", "unknown"),
        ("1.2.3", "1.3.0-rc.1", "prerelease"),
        ("1.3.0-rc.1", "1.3.0-rc.2", "patch"),
        ("1.3.0-rc.1", "1.3.0", "patch"),
        ("1.3.0-rc.1", "1.4.0-rc.1", "prerelease"),
        ("1.3.0", "1.3.0-rc.1", "unknown"),
    ],
)
def test_bump(current: str, candidate: str, bump: str) -> None:
    assert chart_bump(parsed(current), parsed(candidate)) == bump


NUMBER = st.integers(0, 10**30).map(str)
IDENTIFIER = NUMBER | st.from_regex(r"[0-9]{0,3}[A-Za-z-][0-9A-Za-z-]{0,5}", fullmatch=True)
CHART_VERSIONS = st.builds(
    ChartVersion,
    st.tuples(NUMBER, NUMBER, NUMBER),
    st.lists(IDENTIFIER, max_size=4).map(tuple),
    st.lists(st.from_regex(r"[0-9A-Za-z-]{1,4}", fullmatch=True), max_size=2).map(tuple),
)


@given(CHART_VERSIONS)
def test_parsing_what_was_printed_gives_the_same_version(version: ChartVersion) -> None:
    assert parse_chart_version(str(version)) == version


@pytest.mark.slow
@given(CHART_VERSIONS, CHART_VERSIONS, CHART_VERSIONS)
def test_precedence_is_a_total_order(a: ChartVersion, b: ChartVersion, c: ChartVersion) -> None:
    x, y, z = sorted((a.precedence, b.precedence, c.precedence))
    assert x <= y <= z
    assert x <= z
    for one, other in ((a, b), (b, c), (a, c)):
        p, q = one.precedence, other.precedence
        assert [p < q, p == q, p > q].count(True) == 1


@given(st.text(max_size=40) | st.text("0123456789.-+ab", max_size=300))
def test_any_text_is_a_version_that_prints_as_itself_or_none(text: str) -> None:
    version = parse_chart_version(text)
    assert version is None or str(version) == text
