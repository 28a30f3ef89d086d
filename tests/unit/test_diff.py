"""Trees of JSON compared: what counts as a difference, and laws that hold for any tree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.diff import ABSENT, DiffAnalyzer, Shape, compare
from safe_auto_updater.core.risk import Circumstances, On, Reversibility, RiskRule, Severity

A, R, C = On.ADDED, On.REMOVED, On.CHANGED
Found = list[tuple[On, str, Any, Any]]
COMPARED: list[tuple[str, Any, Any, Found]] = [
    ("equal", {"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 1}, []),
    ("changed", {"a": 1}, {"a": 2}, [(C, "a", 1, 2)]),
    ("null is not absent", {"a": None}, {}, [(R, "a", None, ABSENT)]),
    ("absent is not null", {}, {"a": None}, [(A, "a", ABSENT, None)]),
    ("null is a value", {"a": None}, {"a": 0}, [(C, "a", None, 0)]),
    ("true is no number", {"a": 1}, {"a": True}, [(C, "a", 1, True)]),
    ("true is no number in a list", {"a": [0]}, {"a": [False]}, [(C, "a", [0], [False])]),
    ("an empty object exists", {}, {"a": {}}, [(A, "a", ABSENT, {})]),
    ("an empty list is no empty object", {"a": []}, {"a": {}}, [(C, "a", [], {})]),
    ("a new branch is taken apart", {}, {"a": {"b": {"c": 1}}}, [(A, "a/b/c", ABSENT, 1)]),
    ("a branch that goes", {"a": {"b": 1, "c": 2}}, {"a": {}}, [(R, "a/b", 1, ABSENT),
                                                               (R, "a/c", 2, ABSENT)]),
    ("an object becomes a value", {"a": {"b": 1}}, {"a": 1}, [(C, "a", {"b": 1}, 1)]),
    ("an object becomes null", {"a": {"b": 1}}, {"a": None}, [(C, "a", {"b": 1}, None)]),
    ("an object is no list", {"a": {"0": {}}}, {"a": [{}]}, [(C, "a", {"0": {}}, [{}])]),
    ("lists of values are one value", {"a": [1, 2]}, {"a": [2, 1]}, [(C, "a", [1, 2], [2, 1])]),
    ("other lists go place by place", {"a": [{"b": 1}, {"c": 1}]}, {"a": [{"b": 2}]},
     [(C, "a/0/b", 1, 2), (R, "a/1/c", 1, ABSENT)]),
    ("a whole is not looked into", {"whole": {"b": 1, "c": 2}}, {"whole": {"b": 1, "c": 3}},
     [(C, "whole", {"b": 1, "c": 2}, {"b": 1, "c": 3})]),
    ("a whole that is the same", {"whole": {"b": [{}, 1]}}, {"whole": {"b": [{}, 1]}}, []),
    ("a new whole", {}, {"whole": {"b": 1}}, [(A, "whole", ABSENT, {"b": 1})]),
    ("sets have no order", {"set": ["x", "y"]}, {"set": ["y", "x", "x"]}, []),
    ("members of a set", {"set": ["x", "y"]}, {"set": ["y", "z"]}, [(R, "set/x", "x", ABSENT),
                                                                    (A, "set/z", ABSENT, "z")]),
    ("a new set", {}, {"set": ["x"]}, [(A, "set/x", ABSENT, "x")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "found"), [row[1:] for row in COMPARED], ids=[row[0] for row in COMPARED]
)
def test_differences(before: Any, after: Any, found: Found) -> None:
    seen = compare(before, after, Shape(wholes=(("whole",),), sets=(("set",),)))
    assert [(d.kind, "/".join(d.path), d.before, d.after) for d in seen] == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab/~*", max_size=3),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["image", "container", "inherited", "env", "volumes", "user", "a", "*", "data"]
            ),
            inside,
            max_size=4,
        )
    ),
    max_leaves=12,
)
TREES = st.dictionaries(st.sampled_from(["image", "container", "step", "x"]), JSON, max_size=3)
STEPS = st.builds(
    Circumstances,
    st.sampled_from(["patch", "minor", "major", "digest", "unknown", "prerelease", "", "?"]),
    st.sampled_from(
        ["postgres:17", "gitea/gitea", "web", "", "No Reference!", "sha256:" + "a" * 64]
    ),
)


@given(JSON)
def test_a_tree_does_not_differ_from_its_copy(tree: Any) -> None:
    assert compare(tree, json.loads(json.dumps(tree, sort_keys=True))) == ()


@given(JSON, JSON)
def test_what_differs_is_found_from_both_sides(one: Any, other: Any) -> None:
    there, back = compare(one, other), compare(other, one)
    assert [(d.path, d.before, d.after) for d in there] == [
        (d.path, d.after, d.before) for d in back
    ]
    assert bool(there) == (json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))


@pytest.mark.slow
@given(TREES, TREES, STEPS)
def test_any_two_trees_can_be_judged(before: Any, after: Any, step: Circumstances) -> None:
    risk = DiffAnalyzer().analyze(before, after, step)
    assert 0 <= risk.score <= 100
    assert risk == DiffAnalyzer().analyze(before, after, step)
    json.dumps([finding.before for finding in risk.findings])


@given(TREES, STEPS)
def test_equal_trees_are_judged_by_the_circumstances_alone(tree: Any, step: Circumstances) -> None:
    risk = DiffAnalyzer().analyze(tree, tree, step)
    paths = {finding.path for finding in risk.findings}
    assert paths <= {"step/bump", "step/image", "container/data"}


SECRET = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=24, max_size=24)
NAME = st.text("ABCDEFGHIJ_/~*", min_size=1, max_size=5)
ENV = st.dictionaries(NAME, SECRET, max_size=4)


@given(ENV, ENV, STEPS)
def test_no_value_of_an_environment_variable_is_ever_told(
    before: dict[str, str], after: dict[str, str], step: Circumstances
) -> None:
    def tree(env: dict[str, str]) -> dict[str, Any]:
        return {"image": {"env": env}, "container": {"inherited": {"env": env}}}

    told = str(DiffAnalyzer().analyze(tree(before), tree(after), step))
    assert not [value for value in (*before.values(), *after.values()) if value in told]


@pytest.mark.slow
def test_a_tree_deeper_than_the_stack_is_compared() -> None:
    def deep(leaf: int) -> Any:
        tree: Any = leaf
        for _ in range(5_000):
            tree = {"a": [tree, {}]}
        return tree

    (found,) = compare(deep(1), deep(2))
    assert (found.before, found.after) == (1, 2)
    whole = Shape(wholes=(("a",),))
    assert compare(deep(1), deep(1), whole) == ()


def test_another_table_judges_other_trees() -> None:
    table = (
        RiskRule("replicas", ("spec/replicas",), C, Severity.LOW, 5, Reversibility.R0, "Fewer."),
        RiskRule("any-label", ("meta/labels/*",), On.ANY, Severity.INFO, 0, Reversibility.R1, "L."),
        RiskRule("never-reached", ("meta/labels/a~b",), C, Severity.HIGH, 30, Reversibility.R3, ""),
    )
    before = {"spec": {"replicas": 2}, "meta": {"labels": {"x/y": "1", "a~b": "1"}}}
    after = {"spec": {"replicas": 1}, "meta": {"labels": {"a~b": "2"}}}
    risk = DiffAnalyzer(table).analyze(before, after, Circumstances("patch", "x", "Deployment"))
    assert [(f.rule, f.path) for f in risk.findings] == [
        ("replicas", "spec/replicas"),
        ("any-label", "meta/labels/a~0b"),
        ("any-label", "meta/labels/x~1y"),
    ]
    assert (risk.score, risk.reversibility) == (5, Reversibility.R1)
