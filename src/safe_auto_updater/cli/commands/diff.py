"""`sau diff`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import documents, findings, tables
from safe_auto_updater.cli.context import Options


@click.command("diff")
@click.argument("asset")
@click.pass_obj
def command(options: Options, asset: str) -> None:
    """Show what the update of ASSET would change, and how dangerous that is.

    What changes and why it matters, what going back would cost, the score and how it is made up,
    and whether it needs approval. Changes nothing, pulls nothing.
    """
    with options.app() as app:
        plan, checked = app.cycle.plan([asset])
        bands = app.settings.bands
    (meant,) = checked.inventory.named([asset])
    step = next(step for step in plan.steps if meant.id in step.assets)
    document = {**documents.step(step, bands), "failures": documents.failures(checked.inventory)}
    options.answer("diff", document, lambda: findings.show(step, bands))
    if checked.inventory.failures:
        tables.failures(checked.inventory)
        raise click.exceptions.Exit(1)
