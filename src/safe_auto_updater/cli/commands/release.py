"""`sau release`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import tables
from safe_auto_updater.cli.context import Options
from safe_auto_updater.cli.names import asset_meant


@click.command("release")
@click.argument("asset", required=False)
@click.option("--all", "everything", is_flag=True, help="Release every asset.")
@click.pass_obj
def command(options: Options, asset: str | None, everything: bool) -> None:
    """Forget holds, quarantine and inconsistency of ASSET, or with --all of everything.

    The next plan judges it anew. What is interrupted stays so until `sau recover`.
    """
    with options.app() as app:
        meant = asset_meant(app, asset, everything)
        app.decisions.release(meant, "released by a human")
    what = "Everything" if everything else meant
    options.answer("release", {"asset": meant}, lambda: tables.say(f"{what} is released."))
