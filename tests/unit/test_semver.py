"""Which version is chosen, and what is said about the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.semver import SemVerEvaluator
from safe_auto_updater.core.versions import Bump, PolicyLevel, newer, parse_tag, same_track

EVALUATOR = SemVerEvaluator()


@pytest.mark.parametrize(
    ("current", "candidate", "bump"),
    [
        ("1.2.3", "2.0.0", "major"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3.4", "1.2.3.5", "patch"),
        ("0.1.0", "0.2.0", "minor"),
        ("16", "17", "major"),
        ("16.4", "16.5", "minor"),
        ("1.2.3", "1.3.0-rc1", "prerelease"),
        ("1.2.0-rc1", "1.2.0", "patch"),
        ("1.2.0-rc1", "1.3.0", "minor"),
        ("1.2.0-rc1", "1.2.0-rc2", "prerelease"),
        ("2024.1.0", "2024.2.0", "minor"),
        ("20240101", "20240201", "minor"),
        ("20240101", "20250101", "major"),
        ("1.2.3-debian-12-r4", "1.2.3-debian-12-r5", "patch"),
        ("1.2.3-debian-12-r4", "1.2.4-debian-12-r0", "patch"),
        ("1.2.3-debian-11-r4", "1.2.4-debian-12-r0", "major"),
        ("1.2.3-alpine3.19", "1.2.3-alpine3.20", "minor"),
        ("1.2.3-alpine3.20", "1.2.4-alpine3.19", "unknown"),
        ("py3.11-2.0.0", "py3.12-1.0.0", "unknown"),
        ("1.2.3", "1.2.3", "unknown"),
        ("1.2.3", "1.2.2", "unknown"),
        ("1.2.3", "v1.2.4", "unknown"),
    ],
)
def test_bump(current: str, candidate: str, bump: str) -> None:
    old, new = parse_tag(current), parse_tag(candidate)
    assert old is not None
    assert new is not None
    assert EVALUATOR.bump(old, new) == bump


def test_policies_are_cumulative() -> None:
    order = [Bump.DIGEST, Bump.PATCH, Bump.MINOR, Bump.MAJOR]
    levels = [PolicyLevel.NONE, *(PolicyLevel(bump.value) for bump in order)]
    for reach, level in enumerate(levels):
        assert [EVALUATOR.allowed(bump, level) for bump in order] == [
            place < reach for place in range(4)
        ]
        assert not EVALUATOR.allowed(Bump.PRERELEASE, level)
        assert not EVALUATOR.allowed(Bump.UNKNOWN, level)


TAGS = ["1.0.0", "1.0.1", "1.1.0", "1.2.0-rc1", "2.0.0", "1.0.1-alpine", "v3.0.0", "1.2",
        "2021.12.14", "0.9.0", "latest", "abc1234"]  # fmt: skip
ALWAYS = {
    "2021.12.14": "another track: a date",
    "v3.0.0": "another track: prefix v",
    "1.2": "another track: 2 numbers, not 3",
    "1.2.0-rc1": "prerelease",
    "1.0.1-alpine": "another track: suffix -alpine",
}


@pytest.mark.parametrize(
    ("policy", "chosen", "bump", "also"),
    [
        ("major", "2.0.0", "major", {}),
        ("minor", "1.1.0", "minor", {"2.0.0": "major, policy is minor"}),
        (
            "patch",
            "1.0.1",
            "patch",
            {"2.0.0": "major, policy is patch", "1.1.0": "minor, policy is patch"},
        ),
        (
            "none",
            None,
            None,
            {
                "2.0.0": "major, policy is none",
                "1.1.0": "minor, policy is none",
                "1.0.1": "patch, policy is none",
            },
        ),
    ],
)
def test_newest_allowed_is_chosen_and_the_rest_explained(
    policy: str, chosen: str | None, bump: str | None, also: dict[str, str]
) -> None:
    choice = EVALUATOR.choose("1.0.0", TAGS, PolicyLevel(policy))
    assert (choice.chosen, choice.bump) == (chosen, bump)
    assert {r.tag: r.reason for r in choice.rejected} == ALWAYS | also


def test_rejections_come_newest_first() -> None:
    choice = EVALUATOR.choose("1.0.0", ["2.0.0", "10.0.0", "3.0.0"], PolicyLevel.MINOR)
    assert [r.tag for r in choice.rejected] == ["10.0.0", "3.0.0", "2.0.0"]


@pytest.mark.parametrize("current", ["latest", "abc1234", "stable-alpine"])
def test_a_current_tag_that_is_no_version_has_no_newer_one(current: str) -> None:
    choice = EVALUATOR.choose(current, TAGS, PolicyLevel.MAJOR)
    assert (choice.chosen, choice.bump, choice.rejected) == (None, None, ())


TAG = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "v", "py"]),
        st.lists(st.integers(0, 4), min_size=1, max_size=3).map(lambda n: ".".join(map(str, n)))
        | st.sampled_from(["2024.1.2", "20240101", "20240102", "1.02.0", "latest", "abc1234"]),
        st.sampled_from(["", "-rc1", "-rc2", "b3"]),
        st.sampled_from(["", "-alpine", "-alpine3.19", "-alpine3.20", "-r1", "-r2"]),
    ),
)
POLICY = st.sampled_from(list(PolicyLevel))


@given(TAG, st.lists(TAG, max_size=20), POLICY, st.randoms(use_true_random=False))
def test_the_order_of_the_list_never_matters(
    current: str, tags: list[str], policy: PolicyLevel, random: object
) -> None:
    shuffled = list(tags)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hides the type
    assert EVALUATOR.choose(current, tags, policy) == EVALUATOR.choose(current, shuffled, policy)


@given(TAG, st.lists(TAG, max_size=20), POLICY)
def test_never_a_downgrade_never_across_tracks_never_beyond_the_policy(
    current: str, tags: list[str], policy: PolicyLevel
) -> None:
    choice = EVALUATOR.choose(current, tags, policy)
    if choice.chosen is None:
        assert choice.bump is None
        return
    old, new = parse_tag(current), parse_tag(choice.chosen)
    assert choice.chosen in tags
    assert old is not None
    assert new is not None
    assert newer(new, old)
    assert not newer(old, new)
    assert same_track(old, new)
    assert not new.prerelease
    assert choice.bump is not None
    assert choice.bump == EVALUATOR.bump(old, new)
    assert EVALUATOR.allowed(choice.bump, policy)


@given(TAG, st.lists(TAG, max_size=20), POLICY)
def test_every_newer_tag_is_chosen_superseded_or_explained(
    current: str, tags: list[str], policy: PolicyLevel
) -> None:
    choice = EVALUATOR.choose(current, tags, policy)
    old = parse_tag(current)
    if old is None:
        return
    rejected = {r.tag for r in choice.rejected}
    assert choice.chosen not in rejected
    best = parse_tag(choice.chosen) if choice.chosen else None
    for tag in set(tags) - rejected - {choice.chosen}:
        version = parse_tag(tag)
        if version is not None and newer(version, old):
            assert best is not None
            assert not newer(version, best)
