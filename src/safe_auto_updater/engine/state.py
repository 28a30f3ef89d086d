"""The state folder: one SQLite file, one lock. Opening it checks everything that could be wrong."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safe_auto_updater.core.errors import Busy, JournalError, UsageError

SCHEMA_VERSION = 2
_APPLICATION_ID = 0x53415531  # "SAU1"
_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph"}
_OCTAL = re.compile(r"\\([0-7]{3})")  # how mountinfo writes blanks
_SCHEMA = """
CREATE TABLE updates (
  id TEXT PRIMARY KEY, asset TEXT NOT NULL, created_at REAL NOT NULL, step TEXT NOT NULL
) STRICT;

CREATE INDEX updates_by_asset ON updates (asset, created_at);

CREATE TABLE phases (
  update_id TEXT NOT NULL REFERENCES updates (id), seq INTEGER NOT NULL, name TEXT NOT NULL,
  at REAL NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (update_id, seq)
) STRICT;

CREATE TRIGGER phases_are_kept BEFORE DELETE ON phases
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER phases_are_final BEFORE UPDATE ON phases
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TABLE decisions (
  seq INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, asset TEXT NOT NULL,
  subject TEXT, until REAL, reason TEXT NOT NULL
) STRICT;

CREATE TABLE sightings (
  reference TEXT NOT NULL, digest TEXT NOT NULL, first_seen REAL NOT NULL,
  PRIMARY KEY (reference, digest)
) STRICT;

CREATE TABLE told (asset TEXT PRIMARY KEY, reason TEXT NOT NULL, at REAL NOT NULL) STRICT;
"""
# What each later version adds to the one before; a new file takes all of them too.
_UPGRADES = {
    2: """
ALTER TABLE decisions ADD COLUMN who TEXT NOT NULL DEFAULT '';

CREATE TABLE proposals (step TEXT PRIMARY KEY, asset TEXT NOT NULL, planned TEXT NOT NULL) STRICT;

CREATE TABLE tag_lists (
  repository TEXT PRIMARY KEY, tags TEXT NOT NULL, doubted TEXT, doubted_since REAL
) STRICT;
""",
}


class State(sqlite3.Connection):
    """The state file, for several threads: what one writes at once, no other writes into."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.turn = threading.RLock()

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """One statement, in its turn."""
        with self.turn:
            return super().execute(*arguments)


def open_state(folder: Path) -> State:
    """The state file, made or upgraded where needed. JournalError names what is wrong with it.

    The folder is 0700 and the file 0600, because snapshots can hold secrets.
    """
    file = folder / "state.db"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_network_file_system(folder)
        file.touch(mode=0o600, exist_ok=True)
        give_to_owner(file, folder)
        connection = sqlite3.connect(
            file, timeout=10.0, isolation_level=None, check_same_thread=False, factory=State
        )
        _prepare(connection, file)
    except (sqlite3.Error, OSError) as error:
        raise JournalError(
            f"{file}: cannot be used as state: {error}. Is its disk full, or not writable? Mend "
            "that, or give another folder with --state; do not move this one away while an update "
            "is interrupted."
        ) from error
    return connection


def ask(connection: State, query: str, values: Iterable[Any] = ()) -> list[Any]:
    """One statement's rows. Raises JournalError."""
    with _told():
        return connection.execute(query, tuple(values)).fetchall()


@contextmanager
def all_or_nothing(connection: State) -> Iterator[None]:
    """What is written within is written whole or not at all. Raises JournalError."""
    with connection.turn, _told():
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(
            f"the state file cannot serve: {error}. Free space on its disk, make it writable, "
            "or wait for who holds it."
        ) from error


def _prepare(connection: sqlite3.Connection, file: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if version > SCHEMA_VERSION or (application not in (0, _APPLICATION_ID)):
        raise JournalError(
            f"{file}: written by a newer or another program (schema {version}, this one knows "
            f"{SCHEMA_VERSION}). Use the newer program, or move the file away."
        )
    if version:
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise JournalError(f"{file}: damaged ({problem}). Move it away or restore a copy.")
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise JournalError(f"{file}: a database of another program. Give another --state.")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if version < SCHEMA_VERSION:
        _upgrade(connection)


def _upgrade(connection: sqlite3.Connection) -> None:
    """From whatever version the file has by now to ours, all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    wanted = [text for number, text in sorted(_UPGRADES.items()) if number > version]
    for text in [_SCHEMA, *wanted] if version == 0 else wanted:
        for statement in text.split(";\n\n"):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _refuse_network_file_system(folder: Path) -> None:
    """SQLite's locks are not safe there. The longest mount point above the folder decides."""
    path = str(folder.resolve())
    best = ("", "")
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        mount = _OCTAL.sub(lambda found: chr(int(found[1], 8)), left.split()[4])
        kind = right.split()[0]
        above = path == mount or path.startswith(mount.rstrip("/") + "/")
        if above and len(mount) >= len(best[0]):
            best = (mount, kind)
    if best[1] in _NETWORK_FILE_SYSTEMS:
        raise JournalError(
            f"{folder}: on a network file system ({best[1]} at {best[0]}), where locks cannot be "
            "trusted. Give a local folder with --state."
        )


@contextmanager
def acting(folder: Path, command: str, now: float) -> Iterator[None]:
    """Hold the state folder as its one actor. Raises Busy, saying who holds it."""
    with locked(folder, "actor.lock", fcntl.LOCK_EX) as handle:
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps([os.getpid(), command, now]).encode(), 0)
        except OSError:
            pass  # a full disk: the lock holds all the same, only its holder stays unnamed
        yield


@contextmanager
def locked(folder: Path, name: str, how: int) -> Iterator[int]:
    """Hold a lock of the folder, `how` by flock's words; its handle. Raises Busy."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        give_to_owner(folder / name, folder)
    except OSError as error:
        raise JournalError(f"{folder}: cannot be locked: {error}. Give another --state.") from error
    try:
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            told, command = _holder(handle)
            raise Busy(f"another actor is at work: {told}; wait for it", command) from None
        except OSError as error:
            raise UsageError(f"{folder}: cannot be locked: {error}") from error
        yield handle
    finally:
        os.close(handle)


def give_to_owner(file: Path, folder: Path) -> None:
    """What root makes in the folder of a service that is another user is that user's."""
    owner = folder.stat()
    if owner.st_uid != 0 and os.geteuid() == 0:
        with suppress(PermissionError):  # a root that may change no owners
            os.chown(file, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _holder(handle: int) -> tuple[str, str]:
    """Who holds a lock, in words, and which command that is."""
    try:
        pid, command, _since = json.loads(os.pread(handle, 4096, 0))
    except (ValueError, OSError):
        return "its name could not be read", ""
    return f"process {pid} ({command})", str(command)
