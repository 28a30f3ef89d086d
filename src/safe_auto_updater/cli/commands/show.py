"""`sau show`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import documents, stories, tables
from safe_auto_updater.cli.context import Options


@click.command("show")
@click.argument("id_", metavar="ID")
@click.pass_obj
def command(options: Options, id_: str) -> None:
    """Tell the whole story of one update: phases, checks, cause, downtime, log."""
    with options.app() as app:
        record = app.journal.get(id_)
    options.answer(
        "show",
        {"updates": [documents.update(record)]},
        lambda: tables.say("\n".join(stories.story(record))),
    )
