"""`sau deny`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import documents, tables
from safe_auto_updater.cli.context import Options
from safe_auto_updater.cli.names import step_meant, whoever


@click.command("deny")
@click.argument("step", metavar="ID|ASSET")
@click.option("--by", "who", metavar="NAME", help="Who says so; by default the user you are.")
@click.pass_obj
def command(options: Options, step: str, who: str | None) -> None:
    """Skip the version that a step of the last plan would take: ID or asset as `sau plan` shows.

    Only that version is skipped, and only there; another may follow. `sau release` forgets it.
    """
    with options.app() as app:
        meant = step_meant(app, step)
        speaker = who or whoever(options.environ)
        app.decisions.deny(meant, speaker)
    document = {"step": documents.step(meant, app.settings.bands), "who": speaker}
    what = ", ".join(tables.arrow(change) for change in meant.changes if change.candidate)
    said = (
        f"{meant.asset}: {what} is denied by {speaker}. "
        "That version is skipped there; another may follow."
    )
    options.answer("deny", document, lambda: tables.say(said))
