"""`sau approve`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import documents, tables
from safe_auto_updater.cli.context import Options
from safe_auto_updater.cli.names import step_meant, whoever
from safe_auto_updater.core.errors import UsageError


@click.command("approve")
@click.argument("step", metavar="ID|ASSET")
@click.option("--by", "who", metavar="NAME", help="Who says so; by default the user you are.")
@click.pass_obj
def command(options: Options, step: str, who: str | None) -> None:
    """Let a step of the last plan be made: ID (or asset) as `sau plan` shows it.

    It counts for exactly this change, from and to. Windows, holds and ages still hold it.
    """
    with options.app() as app:
        meant = step_meant(app, step)
        if "risk" in meant.hold_rules:
            raise UsageError(f"{meant.asset}: {'; '.join(meant.reasons)}. Do it by hand")
        speaker = who or whoever(options.environ)
        app.decisions.approve(meant, speaker)
    document = {"step": documents.step(meant, app.settings.bands), "who": speaker}
    what = ", ".join(tables.arrow(change) for change in meant.changes if change.candidate)
    said = (
        f"{meant.asset}: {what} is approved by {speaker}. "
        "It is made once nothing else holds it: by the service where that runs, else by the next "
        "`sau apply`."
    )
    options.answer("approve", document, lambda: tables.say(said))
