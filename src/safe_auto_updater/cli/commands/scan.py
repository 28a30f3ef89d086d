"""`sau scan`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import documents, tables
from safe_auto_updater.cli.context import Options


@click.command("scan")
@click.pass_obj
def command(options: Options) -> None:
    """List what runs, with status and health: containers, workloads, releases.

    Of images also those that nothing uses.

    Exit code 1 when a part could not be read; the rest is still shown.
    """
    with options.app() as app:
        inventory = app.cycle.scan()
    options.answer("scan", documents.scan(inventory), lambda: tables.scan(inventory))
    if inventory.failures:
        raise click.exceptions.Exit(1)
