"""`sau status`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import documents, tables
from safe_auto_updater.cli.context import Options
from safe_auto_updater.core.codec import to_json
from safe_auto_updater.core.memory import Memory
from safe_auto_updater.core.model import Step
from safe_auto_updater.engine.journal import Record


@click.command("status")
@click.pass_obj
def command(options: Options) -> None:
    """Show what needs a human, and the last updates. Asks no engine and no registry."""
    with options.app() as app:
        memory, records = app.cycle.memory(), app.journal.history(limit=5)
        waiting = tuple(
            step
            for step in app.decisions.proposals()
            if "approval" in step.hold_rules and memory.approval(step.id) is None
        )
    document = {
        "approvals": [documents.step(step, app.settings.bands) for step in waiting],
        "blocked": to_json(memory.blocked),
        "holds": to_json(memory.holds),
        "denied": to_json(memory.denied),
        "quarantine": to_json(memory.quarantine),
        "updates": [documents.update(record) for record in records],
    }
    options.answer("status", document, lambda: _table(memory, waiting, records))


def _table(memory: Memory, waiting: tuple[Step, ...], records: tuple[Record, ...]) -> None:
    lines = [("HUMAN", b.asset, b.reason) for b in memory.blocked]
    lines += [("APPROVE?", step.asset, "; ".join(step.reasons)) for step in waiting]
    lines += [
        ("HELD", h.asset, h.reason + (f", until {tables.when(h.until)}" if h.until else ""))
        for h in memory.holds
    ]
    lines += [("DENIED", d.asset, f"one version, by {d.who or 'a human'}") for d in memory.denied]
    lines += [("BAD", q.asset, f"{q.reason} (update {q.update})") for q in memory.quarantine]
    if lines:
        tables.rows(("", "ASSET", "WHY"), lines)
    else:
        tables.say("Nothing needs a human.")
    if records:
        tables.history(records)
    else:
        tables.say("No update has been made yet. Next: sau plan")
