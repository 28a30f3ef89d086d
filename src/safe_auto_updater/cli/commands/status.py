"""`sau status`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import documents, tables
from safe_auto_updater.cli.context import Options
from safe_auto_updater.core.codec import to_json
from safe_auto_updater.core.memory import Memory
from safe_auto_updater.engine.journal import Record


@click.command("status")
@click.pass_obj
def command(options: Options) -> None:
    """Show what needs a human, and the last updates. Asks no engine and no registry."""
    with options.app() as app:
        memory, records = app.decisions.memory(), app.journal.history(limit=5)
    document = {
        "blocked": to_json(memory.blocked),
        "holds": to_json(memory.holds),
        "quarantine": to_json(memory.quarantine),
        "updates": [documents.update(record) for record in records],
    }
    options.answer("status", document, lambda: _table(memory, records))


def _table(memory: Memory, records: tuple[Record, ...]) -> None:
    lines = [("HUMAN", b.asset, b.reason) for b in memory.blocked]
    lines += [
        ("HELD", h.asset, h.reason + (f", until {tables.when(h.until)}" if h.until else ""))
        for h in memory.holds
    ]
    lines += [("BAD", q.asset, f"{q.reason} (update {q.update})") for q in memory.quarantine]
    if lines:
        tables.rows(("", "ASSET", "WHY"), lines)
    else:
        tables.say("Nothing needs a human.")
    if records:
        tables.history(records)
    else:
        tables.say("No update has been made yet. Next: sau plan")
