"""What is remembered of registries: first sights and lists of tags, over runs and threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import JournalError
from safe_auto_updater.core.memory import Denied
from safe_auto_updater.engine.past import Past
from safe_auto_updater.engine.state import open_state
from tests.clock import FakeClock

WEB = "docker:local/web"
APP = "docker.io/library/app"
DAY = 86400.0
FULL = tuple(f"1.{minor}.0" for minor in range(20))
HALF = FULL[:10]


class Runs:
    """One run of the program after the other on one state folder, under one clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()

    @contextmanager
    def run(self, *denied: Denied) -> Iterator[Past]:
        with closing(open_state(self.folder)) as connection:
            past = Past(connection, denied, (), self.clock.now)
            yield past
            past.keep()

    def listed(self, *tags: str) -> str | None:
        """What a run of its own says of a list of tags."""
        with self.run() as past:
            return past.doubt(APP, tags)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_a_digest_is_as_old_as_our_first_sight_of_it_over_all_runs(runs: Runs) -> None:
    with runs.run() as past:
        first = past.first_seen("app:1", "sha256:a")
        assert first == runs.clock.now()
    runs.clock.sleep(100)
    with runs.run() as past:
        assert past.first_seen("app:1", "sha256:a") == first
        assert past.first_seen("app:1", "sha256:b") == first + 100
        assert past.first_seen("app:2", "sha256:a") == first + 100


def test_what_a_run_saw_and_did_not_keep_is_as_if_never_seen(runs: Runs) -> None:
    with closing(open_state(runs.folder)) as connection:
        Past(connection, (), (), runs.clock.now).first_seen("app:1", "sha256:a")
    runs.clock.sleep(100)
    with runs.run() as past:
        assert past.first_seen("app:1", "sha256:a") == runs.clock.now()


def test_a_clock_that_steps_back_makes_nothing_younger(runs: Runs) -> None:
    with runs.run() as past:
        first = past.first_seen("app:1", "sha256:a")
    runs.clock.sleep(-500)
    with runs.run() as past:
        assert past.first_seen("app:1", "sha256:a") == first


def test_what_came_under_a_tag_later_is_told_newest_first(runs: Runs) -> None:
    for digest in "abc":
        with runs.run() as past:
            past.first_seen("app:1", digest)
        runs.clock.sleep(10)
    with runs.run() as past:
        assert [digest for digest, _ in past.seen_since("app:1", "a")] == ["c", "b"]
        assert past.seen_since("app:1", "c") == ()
        assert past.seen_since("app:1", "never seen before") == ()


def test_threads_agree_on_the_first_sight(runs: Runs) -> None:
    ticks = iter(range(10_000))
    with closing(open_state(runs.folder)) as connection:
        past = Past(connection, (), (), lambda: float(next(ticks)))

        def look(number: int) -> tuple[str, float]:
            digest = f"sha256:{number % 10}"
            return digest, past.first_seen("app:1", digest)

        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(look, range(400)))
            doubts = list(pool.map(lambda _: past.doubt(APP, FULL), range(50)))
        past.keep()
    assert len(set(seen)) == 10
    assert doubts == [None] * 50
    with runs.run() as again:
        assert all(again.first_seen("app:1", digest) == at for digest, at in seen)


def test_a_denial_counts_for_its_content_on_its_container_only(runs: Runs) -> None:
    word = Denied(WEB, "web", "sha256:bad", "a1b2", "ann", 1.0)
    with runs.run(word) as past:
        assert past.denied(WEB, "web", "sha256:bad", "") == word
        assert past.denied(WEB, "web", "sha256:good", "") is None
        assert past.denied(WEB, "side", "sha256:bad", "") is None
        assert past.denied("docker:local/shop", "web", "sha256:bad", "") is None


def test_the_first_list_is_believed_and_one_that_grows_too(runs: Runs) -> None:
    assert runs.listed(*HALF) is None
    assert runs.listed(*FULL) is None
    assert runs.listed(*reversed(FULL)) is None


# yesterday FULL; what is listed today, and what is said
DOUBTED = {
    "fewer": (HALF, "lists 10 tags, and listed 20 before"),
    "none": ((), "lists no tags at all"),
    "without the newest": (FULL[:-1], "lists 1.19.0 no more, the newest of its kind"),
}


@pytest.mark.parametrize("what", DOUBTED)
def test_list_that_shrank_is_doubted_for_a_day_and_then_believed(runs: Runs, what: str) -> None:
    tags, said = DOUBTED[what]
    assert runs.listed(*FULL) is None
    for _ in range(4):
        doubt = runs.listed(*tags)
        assert doubt is not None
        assert doubt.startswith(f"unknown: {APP} {said}.")
        assert "ask the registry's operator" in doubt
        runs.clock.sleep(DAY / 4 - 1)
    runs.clock.sleep(4)
    assert runs.listed(*tags) is None
    assert runs.listed(*tags) is None  # and from now on it is the measure
    assert runs.listed(*FULL) is None


def test_list_that_comes_back_whole_ends_the_doubt(runs: Runs) -> None:
    runs.listed(*FULL)
    assert runs.listed(*HALF) is not None
    runs.clock.sleep(DAY - 10)
    assert runs.listed(*FULL) is None
    runs.clock.sleep(20)
    assert runs.listed(*HALF) is not None  # a new doubt has a day of its own


def test_an_empty_list_is_doubted_also_where_none_was_seen_before(runs: Runs) -> None:
    assert runs.listed() is not None
    runs.clock.sleep(DAY)
    assert runs.listed() is None
    assert runs.listed() is None
    assert runs.listed(*HALF) is None


def test_repositories_are_doubted_each_for_itself(runs: Runs) -> None:
    with runs.run() as past:
        assert past.doubt(APP, FULL) is None
        assert past.doubt("ghcr.io/other", FULL) is None
    with runs.run() as past:
        assert past.doubt(APP, HALF) is not None
        assert past.doubt("ghcr.io/other", FULL) is None


def test_state_that_cannot_serve_is_said_and_nothing_is_half_kept(runs: Runs) -> None:
    with closing(open_state(runs.folder)) as connection:
        past = Past(connection, (), (), runs.clock.now)
        past.first_seen("app:1", "sha256:a")
        past.doubt(APP, FULL)
        connection.execute("DROP TABLE tag_lists")
        with pytest.raises(JournalError, match="cannot serve"):
            past.keep()
        with pytest.raises(JournalError, match="cannot serve"):
            past.doubt(APP, HALF)
    with closing(open_state(runs.folder)) as connection:
        assert connection.execute("SELECT count(*) FROM sightings").fetchone() == (0,)


def test_lists_that_go_on_to_lose_what_nobody_needs_are_believed_after_a_day(runs: Runs) -> None:
    """Branches that have tags of numbers are deleted each day: that is how the repository is."""
    branches = [f"feature-{number}" for number in range(12)]
    assert runs.listed(*FULL, *branches) is None
    for left in (11, 10):
        assert runs.listed(*FULL, *branches[:left]) is not None
        runs.clock.sleep(DAY / 2)
    assert runs.listed(*FULL, *branches[:9]) is None


def test_lists_that_lose_now_this_and_now_that_are_not_believed(runs: Runs) -> None:
    other = [f"{tag}-slim" for tag in FULL]
    runs.listed(*FULL, *other)
    for lost in (FULL[-1], other[-1], FULL[-1]):
        assert runs.listed(*(tag for tag in (*FULL, *other) if tag != lost)) is not None
        runs.clock.sleep(DAY - 1)
