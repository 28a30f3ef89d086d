"""`sau history`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import documents, tables
from safe_auto_updater.cli.context import Options
from safe_auto_updater.engine.inventory import pick


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
    """List past updates, newest first, of one ASSET or of all."""
    with options.app() as app:
        if asset is not None:
            asset = pick(asset, {record.asset for record in app.journal.history()})
        records = app.journal.history(asset, limit)
    options.answer(
        "history",
        {"updates": [documents.update(record) for record in records]},
        lambda: tables.history(records),
    )
