"""`sau check`."""

from __future__ import annotations

import time

import click

from safe_auto_updater.cli import documents, tables
from safe_auto_updater.cli.context import Options


@click.command("check")
@click.argument("assets", nargs=-1)
@click.pass_obj
def command(options: Options, assets: tuple[str, ...]) -> None:
    """Show what newer exists for ASSETS (default: all), and why the rest was rejected.

    A registry that does not tell leaves its images UNKNOWN, never "current".
    """
    begun = time.monotonic()
    with options.app() as app:
        plan, checked = app.cycle.plan(assets)
    seconds = time.monotonic() - begun
    options.answer("check", documents.check(checked), lambda: tables.check(plan, checked, seconds))
    if checked.inventory.failures:
        raise click.exceptions.Exit(1)
