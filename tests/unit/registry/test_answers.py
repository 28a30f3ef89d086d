"""The file of answers: shared by threads, bounded, and never in anybody's way."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from safe_auto_updater.engine.answers import Answers, Kept, open_answers
from safe_auto_updater.platforms import registry
from tests.clock import FakeClock

DAY = 86400.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = open_answers(tmp_path)
    yield made
    made.close()


def test_what_was_put_is_there_in_the_next_run(tmp_path: Path, clock: FakeClock) -> None:
    first = open_answers(tmp_path)
    answers = Answers(first, clock.now)
    answers.put("a", '"e"', b"body" * 1000)
    assert answers.get("a") == Kept('"e"', b"body" * 1000)  # before it is written, too
    answers.keep()
    first.close()
    second = open_answers(tmp_path)
    assert Answers(second, clock.now).get("a") == Kept('"e"', b"body" * 1000)
    assert Answers(second, clock.now).get("b") is None
    second.close()
    assert (tmp_path / "answers.db").stat().st_mode & 0o077 == 0


def test_threads_share_it(connection: sqlite3.Connection, clock: FakeClock) -> None:
    answers = Answers(connection, clock.now)
    barrier = threading.Barrier(8)

    def work(number: int) -> bool:
        barrier.wait()
        for turn in range(50):
            answers.put(f"{number}-{turn}", None, str(turn).encode())
            answers.keep()
            if answers.get(f"{number}-{turn}") != Kept(None, str(turn).encode()):
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_what_is_not_used_for_long_goes(connection: sqlite3.Connection, clock: FakeClock) -> None:
    answers = Answers(connection, clock.now)
    answers.put("used", None, b"1")
    answers.put("unused", None, b"2")
    answers.keep()
    clock.at += 80 * DAY
    assert answers.get("used") == Kept(None, b"1")
    answers.keep()
    clock.at += 20 * DAY
    answers.put("new", None, b"3")
    answers.keep()
    assert [answers.get(key) is not None for key in ("used", "unused", "new")] == [
        True,
        False,
        True,
    ]


def test_the_oldest_go_where_there_are_too_many(
    connection: sqlite3.Connection, clock: FakeClock
) -> None:
    answers = Answers(connection, clock.now, largest_bytes=5000)
    for number in range(10):
        clock.at += 1
        answers.put(str(number), None, os.urandom(1000))
        answers.keep()
    assert [number for number in range(10) if answers.get(str(number))] == [6, 7, 8, 9]


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"x" * 4096]
)
def test_a_damaged_file_is_made_anew(tmp_path: Path, clock: FakeClock, content: bytes) -> None:
    (tmp_path / "answers.db").write_bytes(content)
    made = open_answers(tmp_path)
    answers = Answers(made, clock.now)
    answers.put("a", None, b"1")
    answers.keep()
    made.close()
    again = open_answers(tmp_path)
    assert Answers(again, clock.now).get("a") == Kept(None, b"1")
    again.close()


def test_a_damaged_entry_is_not_there(connection: sqlite3.Connection, clock: FakeClock) -> None:
    for number, body in enumerate((b"", b"garbage", b"x\x9c")):
        connection.execute("INSERT INTO answers VALUES (?, NULL, ?, 0)", (str(number), body))
    connection.execute("INSERT INTO answers VALUES ('3', NULL, zeroblob(100), 0)")
    assert [Answers(connection, clock.now).get(str(number)) for number in range(4)] == [None] * 4


def test_a_store_that_fails_fails_nobody(tmp_path: Path, clock: FakeClock) -> None:
    closed = open_answers(tmp_path)
    closed.close()
    answers = Answers(closed, clock.now)
    answers.put("a", None, b"1")
    assert answers.get("a") == Kept(None, b"1")
    assert answers.get("b") is None
    answers.keep()
    nowhere = open_answers(tmp_path / "absent")
    answers = Answers(nowhere, clock.now)
    answers.put("a", None, b"1")
    answers.keep()
    assert answers.get("a") == Kept(None, b"1")
    nowhere.close()


def test_a_store_that_is_locked_keeps_nobody_waiting_for_ever(
    tmp_path: Path, clock: FakeClock
) -> None:
    mine, theirs = open_answers(tmp_path), open_answers(tmp_path)
    mine.execute("PRAGMA busy_timeout = 1")
    theirs.execute("BEGIN IMMEDIATE")
    answers = Answers(mine, clock.now)
    answers.put("a", None, b"1")
    answers.keep()
    assert answers.get("a") is None
    theirs.close()
    mine.close()


def test_it_is_what_a_registry_client_keeps_answers_in(
    connection: sqlite3.Connection, clock: FakeClock
) -> None:
    kept: registry.Answers = Answers(connection, clock.now)
    assert kept.get("a") is None
