"""`sau plan`."""

from __future__ import annotations

from pathlib import Path

import click

from safe_auto_updater.cli import documents, planfile, tables
from safe_auto_updater.cli.context import Options


@click.command("plan")
@click.argument("assets", nargs=-1)
@click.option(
    "--save",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the plan to FILE, for apply --plan.",
)
@click.pass_obj
def command(options: Options, assets: tuple[str, ...], save: Path | None) -> None:
    """Show what apply would do with ASSETS (default: all), and why.

    Changes nothing, pulls nothing. With --save, exactly this plan can be applied later, unless
    the world has changed by then.
    """
    with options.app() as app:
        plan, checked = app.cycle.plan(assets)
    if save is not None:
        planfile.write(save, plan)
    options.answer(
        "plan",
        documents.plan(plan, checked, app.settings.bands),
        lambda: tables.plan(plan, checked),
    )
    if checked.inventory.failures:
        raise click.exceptions.Exit(1)
