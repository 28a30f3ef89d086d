"""When a list of tags is not the whole list: half an answer must not pass for an answer."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.taglists import shrunk
from safe_auto_updater.core.versions import newer, parse_tag, same_track

MANY = [f"1.{minor}.{patch}" for minor in range(10) for patch in range(10)]

# what it lists now, against a hundred versions before; what is said of it
AGAINST_MANY = {
    "the same": (MANY, None),
    "more": ([*MANY, "2.0.0", "latest"], None),
    "none": ([], "lists no tags at all"),
    "one": (["1.9.9"], "lists 1 tags, and listed 100 before"),
    "the first page": (MANY[:50], "lists 50 tags, and listed 100 before"),
    "a tenth less": (MANY[10:], None),
    "more than a tenth less": (MANY[11:], "lists 89 tags, and listed 100 before"),
    "the newest gone": (MANY[:-1], "lists 1.9.9 no more, the newest of its kind"),
    "the newest gone and others instead": (
        [*MANY[:-1], "nightly", "main", "1.9.9-alpine"],
        "lists 1.9.9 no more, the newest of its kind",
    ),
    "the newest replaced by a newer one": ([*MANY[:-1], "1.9.10"], None),
    "the newest replaced by a candidate for a release": (
        [*MANY[:-1], "1.10.0-rc1"],
        "lists 1.9.9 no more, the newest of its kind",
    ),
    "other tags altogether": (
        [f"build-{number}" for number in range(100)],
        "lists 1.9.9 no more, the newest of its kind",
    ),
}


@pytest.mark.parametrize("what", AGAINST_MANY)
def test_list_that_lost_what_lists_do_not_lose_is_doubted(what: str) -> None:
    now, said = AGAINST_MANY[what]
    assert shrunk(MANY, now) == said


TRACKS = [f"{version}{suffix}" for suffix in ("", "-alpine3.19", "-slim") for version in MANY]

# what goes out of three tracks, and the version that must be missed
GONE = {
    "an old version": ("1.0.0", None),
    "a word": ("latest", None),
    "a commit": ("abc1234", None),
    "a candidate for a release": ("1.10.0-rc1", None),
    "the newest of one track": ("1.9.9-slim", "1.9.9-slim"),
    "the only one of its track, a branch": ("PROJ-101-login", None),
    "the newest of a track whose distribution counts on": ("1.9.9-alpine3.19", None),
}


@pytest.mark.parametrize("what", GONE)
def test_each_track_has_its_own_newest(what: str) -> None:
    gone, missed = GONE[what]
    before = [*TRACKS, "latest", "abc1234", "1.10.0-rc1", "1.9.9-alpine3.20", "PROJ-101-login"]
    said = shrunk(before, [tag for tag in before if tag != gone])
    assert said == (missed and f"lists {missed} no more, the newest of its kind")


def test_where_nothing_was_listed_before_any_list_but_an_empty_one_is_believed() -> None:
    assert shrunk([], ["1.0.0"]) is None
    assert shrunk([], []) == "lists no tags at all"


TAG = st.builds(
    "{}{}{}".format,
    st.lists(st.integers(0, 3), min_size=1, max_size=3).map(lambda n: ".".join(map(str, n))),
    st.sampled_from(["", "-rc1"]),
    st.sampled_from(["", "-alpine3.19", "-alpine3.20", "-slim"]),
)


@pytest.mark.slow
@given(st.lists(TAG, min_size=20, max_size=40, unique=True), st.sets(st.integers(0, 39)))
def test_what_is_said_depends_on_what_was_lost_and_not_on_the_order(
    before: list[str], lost: set[int]
) -> None:
    now = [tag for place, tag in enumerate(before) if place not in lost] or before
    said = shrunk(before, now)
    assert said == shrunk(before[::-1], now[::-1])
    lost_ones = [tag for tag in before if tag not in now and newest_release_lost(tag, now)]
    missed = [tag for tag in lost_ones if has_company(tag, before)]
    assert (said is None) == (not missed and len(now) >= 0.9 * len(before))


def has_company(tag: str, before: list[str]) -> bool:
    """Whether another release of its track was listed with it."""
    lost = parse_tag(tag)
    others = [v for other in before if (v := parse_tag(other)) and not v.prerelease]
    return lost is not None and sum(same_track(version, lost) for version in others) > 1


def newest_release_lost(tag: str, now: list[str]) -> bool:
    lost = parse_tag(tag)
    assert lost is not None
    kept = [v for other in now if (v := parse_tag(other)) and not v.prerelease]
    return not lost.prerelease and not any(
        same_track(version, lost) and not newer(lost, version) for version in kept
    )


@pytest.mark.slow
def test_a_list_ten_times_as_long_takes_about_ten_times_as_long() -> None:
    def seconds(count: int) -> float:
        kept = [f"9.{number}.0-alpine3.{number % 40}" for number in range(count)]
        gone = [f"v1.{number}.0-alpine3.19" for number in range(count // 10)]
        begun = time.thread_time()
        assert shrunk([*kept, *gone, "v2.0.0-alpine3.19"], [*kept, "v2.0.0-alpine3.19"]) is None
        return time.thread_time() - begun

    taken = [(seconds(1000), seconds(10_000)) for _ in range(5)]  # turn about: load meets both
    assert min(large for _, large in taken) < 60 * min(small for small, _ in taken)  # not 100
