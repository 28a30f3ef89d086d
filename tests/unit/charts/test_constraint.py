"""What a chart asks of its cluster. What helm itself says of a table is in tests/kubernetes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.chart_constraint import (
    UnreadableConstraint,
    kubernetes_fits,
    satisfies,
)
from safe_auto_updater.core.chart_version import ChartVersion, parse_chart_version

# a constraint, what fits, and what does not
TABLE = [
    (">=1.19.0-0", "1.19.0 1.34.4 2.0.0", "1.18.20"),
    (">=1.19", "1.19.0 1.34.4 2.0.0", "1.18.20 1.19.0-rc.1"),
    ("1.34", "1.34.0 1.34.9", "1.33.9 1.35.0"),
    ("1.34.x", "1.34.0 1.34.9", "1.33.9 1.35.0"),
    ("^1.20", "1.20.0 1.34.4", "1.19.9 2.0.0"),
    ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"),
    ("^0.0.3", "0.0.3", "0.0.4 0.1.0"),
    ("^0.0", "0.0.0 0.0.9", "0.1.0"),
    ("^0", "0.0.1 0.9.9", "1.0.0"),
    ("~1.34.2", "1.34.2 1.34.9", "1.34.1 1.35.0"),
    ("~1", "1.0.0 1.99.0", "2.0.0"),
    ("~0", "0.1.0 0.9.0", "1.0.0"),
    ("~0.0.0", "0.0.0 7.0.0", "0.0.0-a"),
    (">1.33", "1.34.0", "1.33.9"),
    ("<=1.33", "1.33.9 1.0.0", "1.34.0"),
    ("<1.35.0-0", "1.34.9", "1.35.0"),
    ("!=1.34.x", "1.33.0 1.35.0", "1.34.4"),
    ("!=1.34.4", "1.34.5 1.34.4-a", "1.34.4"),
    ("1.20 - 1.30", "1.20.0 1.30.0 1.30.9", "1.19.9 1.31.0"),
    ("<1.19 || >=1.30 <1.40", "1.18.0 1.34.4", "1.19.0 1.29.9 1.40.0"),
    ("*", "0.0.0 99.0.0", "1.0.0-a"),
]


@pytest.mark.parametrize(("constraint", "fits", "fits_not"), TABLE)
def test_a_constraint_holds_for_these_and_not_for_those(
    constraint: str, fits: str, fits_not: str
) -> None:
    found = {text: satisfies(constraint, version(text)) for text in f"{fits} {fits_not}".split()}
    assert found == dict.fromkeys(fits.split(), True) | dict.fromkeys(fits_not.split(), False)


def version(text: str) -> ChartVersion:
    found = parse_chart_version(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "constraint",
    ["", " ", "latest", "1.19+", ">=", "||", "1 ||", "> = 1", "1.2.3.4", ">=1,", ",>=1", "1x",
     "1..2", ">=1.19<1.35", ">=1.19;<2", "1.19 to 1.30", "=>=1", "\u0661.2", "1" * 600,
     "1.2-", "v", "~~1"],
)  # fmt: skip
def test_what_cannot_be_read_is_said(constraint: str) -> None:
    with pytest.raises(UnreadableConstraint):
        kubernetes_fits(constraint, "v1.34.4")


@pytest.mark.parametrize("cluster", ["v1.33.4-gke.1245000", "v1.33.4+k3s1", "1.33", "v1.33.4-rc.0"])
def test_what_a_vendor_puts_behind_the_numbers_does_not_count(cluster: str) -> None:
    assert kubernetes_fits(">=1.33", cluster)
    assert not kubernetes_fits(">=1.34", cluster)


@pytest.mark.parametrize("cluster", ["", "None", "one.two", "v1"])
def test_a_cluster_without_a_version_is_no_answer(cluster: str) -> None:
    with pytest.raises(ValueError, match="no version of Kubernetes"):
        kubernetes_fits("*", cluster)


NUMBERS = st.tuples(*[st.integers(0, 40)] * 3)


@given(NUMBERS, NUMBERS)
def test_comparisons_are_those_of_the_numbers(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    one, other = (ChartVersion((str(n[0]), str(n[1]), str(n[2]))) for n in (a, b))
    for sign, holds in (
        ("<", a < b), ("<=", a <= b), (">", a > b), (">=", a >= b), ("=", a == b), ("!=", a != b),
        ("", a == b),
    ):  # fmt: skip
        assert satisfies(f"{sign}{other}", one) is holds, sign


@pytest.mark.slow
@given(st.text("0123456789.xX*v<>=!~^|, -+ab", max_size=30), NUMBERS)
def test_any_text_is_a_constraint_or_said_to_be_none(text: str, n: tuple[int, ...]) -> None:
    try:
        assert isinstance(satisfies(text, ChartVersion((str(n[0]), str(n[1]), str(n[2])))), bool)
    except UnreadableConstraint:
        pass
