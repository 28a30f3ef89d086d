"""Which version is chosen, and what is said about the others."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.semver import Choice, SemVerEvaluator, Wanted
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
        ("1.2.0-rc1", "1.2.0-rc2", "patch"),
        ("2024.1.0", "2024.2.0", "minor"),
        ("20240101", "20240201", "minor"),
        ("20240101", "20250101", "major"),
        ("231128", "240711", "major"),
        ("231128", "231205", "minor"),
        ("base-20230723.0.16", "base-20230730.0.17", "patch"),
        ("base-20230723.0.16", "base-20230806.0.18", "minor"),
        ("2024-01-11", "2024-01-12", "patch"),
        ("1.0.20240101", "1.0.20250101", "patch"),
        ("16.0-20240711", "16.0-20250819", "patch"),
        ("8u382-b05", "8u442-b06", "patch"),
        ("2022-CU9-ubuntu-22.04", "2022-CU10-ubuntu-22.04", "patch"),
        ("2022-CU9-ubuntu-20.04", "2022-CU10-ubuntu-22.04", "major"),
        ("v0.6.0-cu11", "v0.6.1-cu11", "patch"),
        ("v0.6.0-cu11", "v0.6.0-cu12", "unknown"),
        ("v0.4.6-cu124", "v0.4.7-cu118", "unknown"),
        ("1.2.3-amd64-v2", "1.2.4-amd64-v2", "patch"),
        ("1.2.3-amd64-v2", "1.2.3-amd64-v4", "unknown"),
        ("1.2.3-x86-64-v2", "1.2.3-x86-64-v3", "unknown"),
        ("1.2.3-linux-arm32-v6", "1.2.4-linux-arm32-v7", "unknown"),
        ("1.2.3-v2", "1.2.3-v3", "patch"),
        ("1.40.0.7998-c29d4c0c8", "1.40.1.8120-5ddab6f9d", "patch"),
        ("16-3.4", "16-3.5", "minor"),
        ("16-3.4", "17-3.4", "major"),
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


def _best(choice: Choice) -> tuple[str | None, Bump | None]:
    if not choice.options:
        return None, None
    return choice.options[0].tag, choice.options[0].bump


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
    choice = EVALUATOR.choose("1.0.0", TAGS, Wanted(PolicyLevel(policy)))
    assert _best(choice) == (chosen, bump)
    assert {r.tag: r.reason for r in choice.rejected} == ALWAYS | also


def test_rejections_come_newest_first() -> None:
    choice = EVALUATOR.choose("1.0.0", ["2.0.0", "10.0.0", "3.0.0"], Wanted(PolicyLevel.MINOR))
    assert [r.tag for r in choice.rejected] == ["10.0.0", "3.0.0", "2.0.0"]


@pytest.mark.parametrize("current", ["latest", "abc1234", "stable-alpine"])
def test_a_current_tag_that_is_no_version_has_no_newer_one(current: str) -> None:
    choice = EVALUATOR.choose(current, TAGS, Wanted(PolicyLevel.MAJOR))
    assert (choice.options, choice.rejected) == ((), ())


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
WANTED = st.builds(
    Wanted,
    level=st.sampled_from(list(PolicyLevel)),
    include=st.sampled_from([(), ("1.*", "v*"), ("*-alpine*",)]),
    exclude=st.sampled_from([(), ("*-alpine3.20",), ("2.*", "*rc*")]),
    prereleases=st.booleans(),
    walk=st.sampled_from([None, Bump.MINOR, Bump.MAJOR]),
)


@given(TAG, st.lists(TAG, max_size=20), WANTED, st.randoms(use_true_random=False))
def test_the_order_of_the_list_never_matters(
    current: str, tags: list[str], wanted: Wanted, random: object
) -> None:
    shuffled = list(tags)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hides the type
    assert EVALUATOR.choose(current, tags, wanted) == EVALUATOR.choose(current, shuffled, wanted)


@given(TAG, st.lists(TAG, max_size=20), WANTED)
def test_never_a_downgrade_never_across_tracks_never_beyond_the_policy(
    current: str, tags: list[str], wanted: Wanted
) -> None:
    old = parse_tag(current)
    for option in EVALUATOR.choose(current, tags, wanted).options:
        new = parse_tag(option.tag)
        assert option.tag in tags
        assert old is not None
        assert new is not None
        assert newer(new, old)
        assert not newer(old, new)
        assert same_track(old, new)
        assert not new.prerelease or wanted.prereleases or new.numbers == old.numbers
        assert option.bump == EVALUATOR.bump(old, new, wanted.prereleases)
        assert EVALUATOR.allowed(option.bump, wanted.level)


@given(TAG, st.lists(TAG, max_size=20), WANTED)
def test_every_newer_tag_is_an_option_or_explained_and_options_come_newest_first(
    current: str, tags: list[str], wanted: Wanted
) -> None:
    choice = EVALUATOR.choose(current, tags, wanted)
    old = parse_tag(current)
    if old is None:
        assert choice == Choice((), ())
        return
    options = [option.tag for option in choice.options]
    told = options + [rejection.tag for rejection in choice.rejected]
    assert len(set(told)) == len(told)
    versions = {tag: version for tag in tags if (version := parse_tag(tag))}
    assert {tag for tag, version in versions.items() if newer(version, old)} <= set(told)
    assert not any(newer(versions[b], versions[a]) for a, b in pairwise(options))
    if choice.path:
        assert choice.path[0] == options[0]
        assert all(newer(versions[b], versions[a]) for a, b in pairwise(choice.path))
