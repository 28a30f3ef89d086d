"""The state folder: private, locked, upgraded or refused, and never overwritten."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import Busy, JournalError, UsageError
from safe_auto_updater.core.memory import Memory
from safe_auto_updater.core.model import Action, Bond, Change, Follower, Image, Step
from safe_auto_updater.core.outcome import Cause, Outcome
from safe_auto_updater.core.phases import Phase
from safe_auto_updater.engine.decisions import Decisions
from safe_auto_updater.engine.journal import Journal, Record
from safe_auto_updater.engine.memory import remember
from safe_auto_updater.engine.state import acting, locked, open_state
from safe_auto_updater.engine.undo import last_effective, undo_step
from tests.clock import FakeClock
from tests.lacking import lacking

WEB = "docker:local/web"
OLD = Image("web:1", "1", image_id="sha256:one")


def step(version: str) -> Step:
    new = Image(f"web:{version}", version, f"sha256:d{version}", f"sha256:c{version}")
    return Step(WEB, Action.UPDATE, changes=(Change(WEB, "web", OLD, new, "minor"),))


class Book:
    """A journal with its decisions and a clock that moves on with every entry."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        connection = open_state(folder)
        self.journal = Journal(connection, self.clock.now)
        self.decisions = Decisions(connection, self.clock.now)

    def memory(self) -> Memory:
        return remember(self.decisions, self.journal, self.clock.now())

    def ended(self, update: str, version: str, end: Phase, cause: Cause | None = None) -> None:
        self.clock.sleep(1)
        self.journal.begin(update, step(version))
        self.journal.enter(update, Phase.PREPARE, {"prepared": {"image_id": f"sha256:i{version}"}})
        failure = {"failure": {"cause": cause.value, "error": "bad"}} if cause else {}
        self.journal.enter(update, end, failure)
        self.clock.sleep(1)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def test_state_is_private(tmp_path: Path) -> None:
    open_state(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state/state.db").stat().st_mode & 0o777 == 0o600


def test_what_root_makes_in_the_folder_of_another_user_is_that_users(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        lacking("is about root: run it as root")
    folder, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    elsewhere.touch()
    (folder / "wanted.lock").symlink_to(elsewhere)
    open_state(folder).close()
    for name in ("actor.lock", "wanted.lock"):
        with locked(folder, name, fcntl.LOCK_EX):
            pass
    assert {file.lstat().st_uid for file in folder.iterdir()} == {12345}
    assert elsewhere.stat().st_uid == 0, "a link leads nobody on"


def test_what_was_journaled_is_there_after_opening_again(tmp_path: Path) -> None:
    Book(tmp_path).ended("u1", "2", Phase.SUCCEEDED)
    (record,) = Book(tmp_path).journal.history()
    assert record.outcome is Outcome.SUCCEEDED
    assert record.step == step("2")


@pytest.mark.parametrize("statement", ["DELETE FROM phases", "UPDATE phases SET name = 'X'"])
def test_the_journal_is_append_only(tmp_path: Path, statement: str) -> None:
    book = Book(tmp_path)
    book.ended("u1", "2", Phase.SUCCEEDED)
    with pytest.raises(JournalError, match="append-only"):
        book.journal._run(statement, ())


@pytest.mark.parametrize("guilty", [WEB, "docker:local/app", None])
def test_what_moved_is_to_blame_where_one_that_follows_is_not_well(
    book: Book, guilty: str | None
) -> None:
    app = Follower("docker:local/app", "app", OLD, Bond.RECREATE, "shares the network of web")
    book.journal.begin("u1", replace(step("2"), followers=(app,)))
    evidence = {} if guilty is None else {"member": guilty}
    failure = {"cause": "image", "error": "bad", "evidence": evidence}
    book.journal.enter("u1", Phase.ROLLED_BACK, {"failure": failure})
    (failed,) = book.memory().quarantine
    assert (failed.asset, failed.content) == (WEB, "sha256:c2")


def newer(file: Path) -> None:
    connection = open_state(file.parent)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def foreign(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def garbage(file: Path) -> None:
    file.write_bytes(b"not a database, but long enough to be looked at " * 100)


def damaged(file: Path) -> None:
    book = Book(file.parent)
    for number in range(40):
        book.ended(f"u{number}", "2", Phase.SUCCEEDED)
    book.journal._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    book.journal._db.close()
    content = bytearray(file.read_bytes())
    content[8192:20480] = os.urandom(12288)
    file.write_bytes(content)


def folder(file: Path) -> None:
    file.mkdir()


@pytest.mark.parametrize("spoil", [newer, foreign, garbage, damaged, folder])
def test_file_that_is_not_ours_to_use_is_refused_and_left_as_it_is(
    tmp_path: Path, spoil: object
) -> None:
    file = tmp_path / "state.db"
    spoil(file)  # type: ignore[operator]
    before = file.read_bytes() if file.is_file() else None

    with pytest.raises(JournalError, match=r"state\.db"):
        open_state(tmp_path)

    assert (file.read_bytes() if file.is_file() else None) == before


def test_one_actor_at_a_time_and_the_other_is_told_who_acts(tmp_path: Path) -> None:
    other = (
        "import sys, pathlib; from safe_auto_updater.engine.state import acting\n"
        "with acting(pathlib.Path(sys.argv[1]), 'sau apply', 0.0): print('in', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", other, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"in\n"
        with pytest.raises(Busy, match=rf"process {process.pid} \(sau apply\)"):
            acting(tmp_path, "sau recover", 0.0).__enter__()
        process.kill()
    with acting(tmp_path, "sau recover", 0.0):
        assert (tmp_path / "actor.lock").exists()


def test_ids_are_found_by_a_unique_beginning(book: Book) -> None:
    book.ended("abc1", "2", Phase.SUCCEEDED)
    book.ended("abd2", "3", Phase.SUCCEEDED)
    assert book.journal.get("abd").id == "abd2"
    for wrong in ("ab", "zzz", "", "%", "ab_"):
        with pytest.raises(UsageError):
            book.journal.get(wrong)


# how the update ended, what of: whether its content is quarantined
QUARANTINE = [
    (Phase.ROLLED_BACK, Cause.IMAGE, True),
    (Phase.ABORTED, Cause.CONFIG, True),
    (Phase.INCONSISTENT, Cause.IMAGE, True),
    (Phase.ROLLED_BACK, Cause.PLATFORM, False),
    (Phase.ROLLED_BACK, Cause.UNKNOWN, False),
    (Phase.ABORTED, Cause.REGISTRY, False),
    (Phase.SUCCEEDED, None, False),
]


@pytest.mark.parametrize(("end", "cause", "quarantined"), QUARANTINE)
def test_only_what_was_at_fault_is_quarantined(
    book: Book, end: Phase, cause: Cause | None, quarantined: bool
) -> None:
    book.ended("u1", "2", end, cause)
    failed = [entry.content for entry in book.memory().quarantine]
    assert failed == (["sha256:c2"] if quarantined else [])


@pytest.mark.parametrize(("cause", "kept"), [(Cause.CONFIG, "as it was"), (Cause.IMAGE, None)])
def test_configuration_is_kept_of_what_failed_by_it(
    book: Book, cause: Cause, kept: str | None
) -> None:
    book.journal.begin("u1", step("2"))
    book.journal.enter("u1", Phase.STAGE, {"configuration": "as it was"})
    book.journal.enter("u1", Phase.ABORTED, {"failure": {"cause": cause.value, "error": "bad"}})
    (failed,) = book.memory().quarantine
    assert failed.configuration == kept


def test_what_ran_well_since_is_in_quarantine_no_more(book: Book) -> None:
    book.ended("u1", "2", Phase.ABORTED, Cause.CONFIG)
    book.ended("u2", "3", Phase.ABORTED, Cause.CONFIG)
    book.ended("u3", "2", Phase.SUCCEEDED)
    assert [entry.update for entry in book.memory().quarantine] == ["u2"]


def test_release_makes_everything_before_it_void_and_nothing_after(book: Book) -> None:
    book.ended("u1", "2", Phase.ROLLED_BACK, Cause.IMAGE)
    book.decisions.hold(WEB, "wait")
    book.decisions.release(WEB, "looked at it")
    memory = book.memory()
    assert (memory.quarantine, memory.holds) == ((), ())
    book.ended("u2", "2", Phase.ROLLED_BACK, Cause.IMAGE)
    assert [entry.update for entry in book.memory().quarantine] == ["u2"]


def test_what_fails_again_and_again_by_nobodys_fault_rests_ever_longer(book: Book) -> None:
    def fails(update: str) -> list[float]:
        """How long each held version waits from now on."""
        book.ended(update, "2", Phase.ROLLED_BACK, Cause.HOOK)
        now, holds = book.clock.now(), book.memory().holds
        assert all((hold.asset, hold.content) == (WEB, "sha256:c2") for hold in holds)
        return [round((hold.until or 0) - now + 1) for hold in holds]

    assert fails("u1") == [], "it may have been bad luck"
    assert fails("u2") == [3600]
    (hold,) = book.memory().holds
    assert "taken back 2 times in a row, at last by update u2 (bad)" in hold.reason
    book.clock.sleep(3600)
    assert book.memory().holds == ()
    rests = [fails(f"v{number}") for number in range(5)]
    assert rests == [[4 * 3600], [16 * 3600], [64 * 3600], [7 * 86400], [7 * 86400]]
    book.decisions.release(WEB, "mended")
    assert book.memory().holds == ()
    assert fails("w1") == [], "what was released begins anew"


@pytest.mark.parametrize(
    ("between", "cause"),
    [(Phase.SUCCEEDED, None), (Phase.ABORTED, Cause.REGISTRY), (Phase.ROLLED_BACK, Cause.IMAGE)],
)
def test_only_failures_that_cost_something_count_and_success_ends_the_row(
    book: Book, between: Phase, cause: Cause | None
) -> None:
    book.ended("u1", "2", Phase.ROLLED_BACK, Cause.PLATFORM)
    book.ended("u2", "2", between, cause)
    book.ended("u3", "3", Phase.ROLLED_BACK, Cause.PLATFORM)
    assert book.memory().holds == (), "another version has its own row"
    book.ended("u4", "2", Phase.ROLLED_BACK, Cause.PLATFORM)
    assert bool(book.memory().holds) is (between is not Phase.SUCCEEDED)


def test_inconsistent_asset_is_blocked_until_released(book: Book) -> None:
    book.ended("u1", "2", Phase.INCONSISTENT, Cause.UNKNOWN)
    (blocked,) = book.memory().blocked
    assert (blocked.asset, "sau release" in blocked.reason) == (WEB, True)
    book.decisions.release(WEB, "repaired")
    assert book.memory().blocked == ()


def test_interrupted_asset_is_blocked_even_when_released(book: Book) -> None:
    book.journal.begin("u1", step("2"))
    book.clock.sleep(1)
    book.decisions.release(WEB, "no")
    (blocked,) = book.memory().blocked
    assert "sau recover" in blocked.reason


def test_a_clock_that_steps_back_releases_nothing_and_orders_nothing(book: Book) -> None:
    book.ended("u1", "2", Phase.SUCCEEDED)
    book.decisions.release(WEB, "fine")
    book.clock.sleep(-10_000)
    book.ended("u2", "3", Phase.ROLLED_BACK, Cause.IMAGE)
    book.ended("u3", "4", Phase.INCONSISTENT, Cause.UNKNOWN)
    assert [record.id for record in book.journal.history()] == ["u3", "u2", "u1"]
    memory = book.memory()
    assert [entry.update for entry in memory.quarantine] == ["u2"]
    assert [entry.update for entry in memory.blocked] == ["u3"]


def test_a_version_that_a_human_took_back_is_held_however_the_rollback_ended_its_run(
    book: Book,
) -> None:
    book.ended("u1", "2", Phase.SUCCEEDED)
    back = undo_step(book.journal.get("u1"), book.journal.history(WEB))
    book.journal.begin("u2", back)
    book.journal.enter("u2", Phase.VERIFY, {})
    assert book.memory().holds == ()
    book.journal.enter("u2", Phase.SUCCEEDED, {})  # by `recover`, for all we know
    (hold,) = book.memory().holds
    assert (hold.asset, hold.content, hold.reference) == (WEB, "sha256:c2", "web:2")
    book.decisions.release(WEB, "again")
    assert book.memory().holds == ()


def test_hold_until_ends_by_itself(book: Book) -> None:
    book.decisions.hold(WEB, "a while", until=book.clock.now() + 10)
    assert book.memory().holds != ()
    book.clock.sleep(10)
    assert book.memory().holds == ()


def test_what_fails_in_the_middle_is_not_decided(book: Book) -> None:
    with pytest.raises(UsageError), book.decisions.undisturbed():
        book.decisions.hold(WEB, "half")
        raise UsageError("the other half cannot be read")
    book.decisions.hold(WEB, "whole")
    assert [word.reason for word in book.decisions.words()] == ["whole"]


def test_a_hold_is_told_once_per_reason(book: Book) -> None:
    told = [book.decisions.tell_once([WEB], reason, "why") for reason in ("a", "a", "b", "b", "a")]
    assert told == [True, False, True, False, True]


def test_undo_goes_back_to_what_ran_and_refuses_where_something_newer_took_effect(
    book: Book,
) -> None:
    book.ended("u1", "2", Phase.SUCCEEDED)
    history = book.journal.history(WEB)
    back = undo_step(history[0], history)
    (change,) = back.changes
    assert (change.candidate, back.undoes) == (OLD, "u1")
    assert change.current.image_id == "sha256:i2"

    book.ended("u2", "3", Phase.ROLLED_BACK, Cause.IMAGE)
    history = book.journal.history(WEB)
    assert last_effective(history, WEB).id == "u1"
    assert undo_step(history[1], history).undoes == "u1"
    with pytest.raises(UsageError, match="nothing to take back"):
        undo_step(history[0], history)

    book.ended("u3", "4", Phase.SUCCEEDED)
    history = book.journal.history(WEB)
    with pytest.raises(UsageError, match="u3"):
        undo_step(history[2], history)


def test_taking_back_twice_goes_further_back_and_not_forth_again(book: Book) -> None:
    book.ended("u1", "2", Phase.SUCCEEDED)
    book.ended("u2", "3", Phase.SUCCEEDED)

    def take_back(update: str, record: Record) -> None:
        book.journal.begin(update, undo_step(record, book.journal.history(WEB)))
        book.journal.enter(update, Phase.SUCCEEDED, {"prepared": {"image_id": "sha256:i"}})

    assert last_effective(book.journal.history(WEB), WEB).id == "u2"
    take_back("r1", book.journal.get("u2"))
    assert last_effective(book.journal.history(WEB), WEB).id == "u1"
    take_back("r2", book.journal.get("r1"))  # forth again, asked for by its ID
    assert last_effective(book.journal.history(WEB), WEB).id == "u2"


def test_undo_of_an_asset_without_updates_is_refused() -> None:
    with pytest.raises(UsageError, match="no finished update"):
        last_effective((), WEB)


def test_a_member_of_a_group_is_released_for_itself_only(book: Book) -> None:
    api = "docker:local/api"
    change = step("2").changes[0]
    both = Step(
        api,
        Action.UPDATE,
        changes=(replace(change, asset=api, container="api"), change),
        members=(api, WEB),
    )
    book.journal.begin("u1", both)
    failure = {"failure": {"cause": Cause.IMAGE.value, "error": "bad"}}
    book.journal.enter("u1", Phase.INCONSISTENT, failure)
    book.decisions.release(WEB, "repaired")
    memory = book.memory()
    assert [entry.asset for entry in memory.blocked] == [api]
    assert [entry.asset for entry in memory.quarantine] == [api]
    book.decisions.release("*", "all of it")
    assert (book.memory().blocked, book.memory().quarantine) == ((), ())
