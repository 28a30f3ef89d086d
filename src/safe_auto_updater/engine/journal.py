"""What happened to every update, durably and append-only. Journal first, then act."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from safe_auto_updater.core.codec import step_from_json, to_json
from safe_auto_updater.core.errors import JournalError, UsageError
from safe_auto_updater.core.model import Step
from safe_auto_updater.core.outcome import Cause, Outcome
from safe_auto_updater.core.phases import TABLE, Phase
from safe_auto_updater.core.updater import Facts, Work, merged
from safe_auto_updater.engine.state import State


@dataclass(frozen=True)
class Row:
    """One journaled entry into a phase. `name` is text: it may be of a newer program."""

    name: str
    at: float
    facts: Facts


@dataclass(frozen=True)
class Record:
    """One update as the journal tells it."""

    id: str
    asset: str
    created_at: float
    step: Step
    rows: tuple[Row, ...]
    last_row: int = 0  # counts up over all updates: what came later, whatever the clock says

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, None while it has not (or this program does not know the last phase)."""
        try:
            return Phase(self.rows[-1].name).outcome if self.rows else None
        except ValueError:
            return None

    @property
    def took_effect(self) -> bool:
        """Whether it left the new version behind."""
        return self.outcome in (Outcome.SUCCEEDED, Outcome.UNVERIFIED)

    @property
    def facts(self) -> dict[str, Any]:
        """Everything recorded on the way, later rows over earlier ones."""
        known: dict[str, Any] = {}
        for row in self.rows:
            known = merged(known, row.facts)
        return known

    @property
    def cause(self) -> Cause | None:
        """What the failure was the fault of."""
        failure = self.facts.get("failure")
        try:
            return Cause(failure["cause"]) if failure else None
        except ValueError:
            return Cause.UNKNOWN  # a newer program's word

    @property
    def guilty(self) -> str | None:
        """In a group, the member that failed; None where it was the whole, or nobody knows."""
        failure = self.facts.get("failure") or {}
        member = (failure.get("evidence") or {}).get("member")
        return member if isinstance(member, str) else None

    def facts_of(self, asset: str) -> dict[str, Any]:
        """What was recorded of one asset; of a single one everything."""
        facts = self.facts
        found: dict[str, Any] = facts.get("members", {}).get(asset, {})
        return found if self.step.members else facts

    @property
    def work(self) -> Work:
        """The update as its verbs see it."""
        return Work(self.id, self.step, self.facts)


class Journal:
    """The updates and phases tables. Every method may raise JournalError."""

    def __init__(self, connection: State, now: Callable[[], float]) -> None:
        self._db = connection
        self._now = now

    def begin(self, update: str, step: Step) -> None:
        """Make a new update known; its first phase is entered right after."""
        known = replace(step, changes=tuple(replace(c, rejected=()) for c in step.changes))
        row = (update, step.asset, self._now(), json.dumps(to_json(known)))
        self._run("INSERT INTO updates VALUES (?, ?, ?, ?)", row)

    def enter(self, update: str, phase: Phase, facts: Facts) -> None:
        """Record, durably, that `update` enters `phase` knowing `facts`. Returns when on disk."""
        self._run(
            "INSERT INTO phases SELECT ?, coalesce(max(seq), 0) + 1, ?, ?, ? "
            "FROM phases WHERE update_id = ?",
            (update, phase.value, self._now(), json.dumps(to_json(facts)), update),
        )

    def get(self, update: str) -> Record:
        """One update, by its id or a unique beginning of it; else UsageError."""
        rows = self._run("SELECT id FROM updates WHERE substr(id, 1, ?) = ?", (len(update), update))
        if len(rows) != 1 or not update:
            fact = "more than one update begins so" if rows else "no such update"
            raise UsageError(f"{update}: {fact}; `sau history` lists them")
        return self._load("WHERE id = ?", (rows[0][0],))[0]

    def history(self, asset: str | None = None, limit: int = -1) -> tuple[Record, ...]:
        """Updates, newest first, of one asset (alone or in its group) or of all."""
        of_one = (
            "WHERE (asset = ? OR EXISTS "
            "(SELECT 1 FROM json_each(updates.step, '$.members') WHERE value = ?))"
        )
        where = "" if asset is None else of_one
        values: tuple[Any, ...] = () if asset is None else (asset, asset)
        return self._load(f"{where} ORDER BY rowid DESC LIMIT ?", (*values, limit))

    def unfinished(self) -> tuple[Record, ...]:
        """Updates that neither ended nor were given up, oldest first."""
        ended = [phase.value for phase in Phase if phase not in TABLE]
        marks = ", ".join("?" * len(ended))
        return self._load(
            "WHERE NOT EXISTS (SELECT 1 FROM phases WHERE update_id = updates.id "
            f"AND name IN ({marks})) ORDER BY rowid",
            ended,
        )

    def _load(self, tail: str, values: Sequence[Any]) -> tuple[Record, ...]:
        records = []
        query = f"SELECT id, asset, created_at, step FROM updates {tail}"
        for id_, asset, created_at, step in self._run(query, values):
            rows = self._run(
                "SELECT name, at, facts, rowid FROM phases WHERE update_id = ? ORDER BY seq", (id_,)
            )
            try:
                known = tuple(Row(name, at, json.loads(facts)) for name, at, facts, _ in rows)
                planned = step_from_json(json.loads(step))
            except ValueError as error:
                raise JournalError(
                    f"update {id_} cannot be read: {error}. Move the state file away, or restore it"
                ) from error
            last_row = rows[-1][3] if rows else 0
            records.append(Record(id_, asset, created_at, planned, known, last_row))
        return tuple(records)

    def _run(self, query: str, values: Sequence[Any]) -> list[Any]:
        try:
            return self._db.execute(query, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise JournalError(
                f"the journal cannot be {'read' if query.startswith('SELECT') else 'written'}: "
                f"{error}. Free space on its disk, or make it writable."
            ) from error
