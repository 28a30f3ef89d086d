"""`sau recover`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import documents, stories, tables
from safe_auto_updater.cli.context import Options, Stopping
from safe_auto_updater.cli.names import seen_or_remembered
from safe_auto_updater.cli.progress import Progress


@click.command("recover")
@click.argument("assets", metavar="[RELEASE]...", nargs=-1)
@click.pass_obj
def command(options: Options, assets: tuple[str, ...]) -> None:
    """Finish or undo what a killed run left behind, and say what happened.

    A Helm release that is named is taken back too where another client left it pending: to what
    was deployed before, and only if nobody seems to work on it any more.

    Exit code 4 when something still needs a human.
    """
    progress = Progress()
    with options.actor("sau recover", progress) as app:
        for name in assets:
            app.adopt(seen_or_remembered(app, name))
        before = app.journal.unfinished()
        stopping = Stopping()
        with stopping.listening():
            after = app.recover(stopping)
        app.sweep()
    progress.wipe()
    told = [stories.recovered(a, b) for a, b in zip(before, after, strict=True)]
    options.answer(
        "recover",
        {"updates": [documents.update(record) for record in after]},
        lambda: tables.say("\n".join(told) or "Nothing was interrupted."),
    )
    if any(documents.outcome(record).exit_code == 4 for record in after):
        raise click.exceptions.Exit(4)
