"""`sau history`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import documents, tables
from safe_auto_updater.cli.context import Options
from safe_auto_updater.cli.names import seen_or_remembered
from safe_auto_updater.core.codec import to_json
from safe_auto_updater.engine.decisions import Word
from safe_auto_updater.engine.journal import Record


@click.command("history")
@click.argument("asset", required=False)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=50,
    show_default=True,
    help="At most so many.",
)
@click.pass_obj
def command(options: Options, asset: str | None, limit: int) -> None:
    """List past updates, newest first, of one ASSET or of all.

    Of one asset also every hold that was told, and what humans said: approve, deny, hold, release.
    """
    with options.app() as app:
        if asset is not None:
            asset = seen_or_remembered(app, asset)
        records = app.journal.history(asset, limit)
        words = app.decisions.words(None if asset is None else [asset])[-limit:]
    document = {
        "updates": [documents.update(record) for record in records],
        "decisions": to_json(words),
    }
    options.answer("history", document, lambda: _table(records, words if asset else ()))


def _table(records: tuple[Record, ...], words: tuple[Word, ...]) -> None:
    tables.history(records)
    lines = [
        (tables.when(word.at), word.kind.upper(), word.who, word.reason)
        for word in reversed(words)
        if word.kind != "skip"  # said by its "deny"
    ]
    if lines:
        tables.rows(("WHEN", "SAID", "BY", "WHAT"), lines)
