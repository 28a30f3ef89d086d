"""What registries answered before, kept in a file of its own beside the state.

Not in `state.db`: this may be lost at any time and grows to megabytes, and the journal's file is
checked from end to end at every start.
"""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_KEPT_FOR_S = 90 * 86400.0
_TOUCHED_EVERY_S = 86400.0  # not every reading is worth a write
_LARGEST_ENTRY_BYTES = 8 << 20
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY, etag TEXT, body BLOB NOT NULL, used_at REAL NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A body as it was put, and its entity tag."""

    etag: str | None
    body: bytes


def open_answers(folder: Path) -> sqlite3.Connection:
    """The file of answers in the state folder; a damaged one is made anew.

    Never raises for what is wrong with the file: then nothing is kept beyond this run. May be used
    by several threads, one at a time.
    """
    file = folder / "answers.db"
    for again in (True, False):
        try:
            file.touch(mode=0o600, exist_ok=True)
            return _opened(str(file))
        except sqlite3.OperationalError:
            break  # locked, read-only or a full disk: not damage
        except sqlite3.DatabaseError:
            if again:
                _remove(file)
        except OSError:
            break
    return _opened(":memory:")


class Answers:
    """Answers by key. Thread-safe, and never raises: a store that fails keeps nothing.

    What is put is written by `keep`, all at once, for each write would wait for the disk.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        now: Callable[[], float],
        largest_bytes: int = 64 << 20,
    ) -> None:
        self._db = connection
        self._now = now
        self._largest_bytes = largest_bytes
        self._lock = threading.Lock()
        self._put: dict[str, Kept] = {}
        self._used: set[str] = set()

    def get(self, key: str) -> Kept | None:
        """What was put under this key, in this run or an earlier one."""
        with self._lock:
            if key in self._put:
                return self._put[key]
            try:
                query = "SELECT etag, body, used_at FROM answers WHERE key = ?"
                row = self._db.execute(query, (key,)).fetchone()
                if row is None:
                    return None
                kept = Kept(row[0], _unpacked(row[1]))
            except (sqlite3.Error, zlib.error, TypeError):
                return None
            if row[2] < self._now() - _TOUCHED_EVERY_S:
                self._used.add(key)
            return kept

    def put(self, key: str, etag: str | None, body: bytes) -> None:
        """Keep this, unless it is too large."""
        if len(body) <= _LARGEST_ENTRY_BYTES:
            with self._lock:
                self._put[key] = Kept(etag, body)

    def keep(self) -> None:
        """Write what is new, and forget what was not used for long or is too much."""
        with self._lock:
            put, self._put = self._put, {}
            used, self._used = self._used, set()
            if not put and not used:
                return
            try:
                self._write(put, used)
            except sqlite3.Error:  # the next run asks again
                try:
                    self._db.rollback()
                except sqlite3.Error:
                    pass

    def _write(self, put: dict[str, Kept], used: set[str]) -> None:
        now = self._now()
        rows = [(k, one.etag, zlib.compress(one.body, 1), now) for k, one in put.items()]
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", rows)
        marks = [(now, key) for key in used]
        self._db.executemany("UPDATE answers SET used_at = ? WHERE key = ?", marks)
        self._db.execute("DELETE FROM answers WHERE used_at < ?", (now - _KEPT_FOR_S,))
        # From the newest on: what no longer fits goes.
        self._db.execute(
            "DELETE FROM answers WHERE key IN (SELECT key FROM (SELECT key, sum(length(body)) "
            "OVER (ORDER BY used_at DESC, key) AS size FROM answers) WHERE size > ?)",
            (self._largest_bytes,),
        )
        self._db.execute("COMMIT")


def _unpacked(body: bytes) -> bytes:
    """At most what could have been put: a damaged entry fills no memory."""
    unpacking = zlib.decompressobj()
    unpacked = unpacking.decompress(body, _LARGEST_ENTRY_BYTES)
    if not unpacking.eof:
        raise zlib.error("cut short")
    return unpacked


def _opened(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=2.0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # losing it costs requests, nothing else
        connection.execute(_SCHEMA)
        connection.execute("SELECT key, etag, body, used_at FROM answers LIMIT 1")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _remove(file: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
