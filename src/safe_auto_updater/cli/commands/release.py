"""`sau release`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import tables
from safe_auto_updater.cli.context import Options
from safe_auto_updater.cli.names import asset_meant, whoever


@click.command("release")
@click.argument("asset", required=False)
@click.option("--all", "everything", is_flag=True, help="Release every asset.")
@click.pass_obj
def command(options: Options, asset: str | None, everything: bool) -> None:
    """Forget holds, denials, quarantine and inconsistency of ASSET, or of everything.

    The next plan judges it anew. What is interrupted stays so until `sau recover`.
    """
    with options.app() as app:
        meant = asset_meant(app, asset, everything)
        who = whoever(options.environ)
        app.decisions.release(meant, "released by a human", who)
    what = "Everything" if everything else meant
    options.answer(
        "release", {"asset": meant, "who": who}, lambda: tables.say(f"{what} is released.")
    )
