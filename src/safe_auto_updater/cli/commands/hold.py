"""`sau hold`."""

from __future__ import annotations

import click

from safe_auto_updater.cli import tables
from safe_auto_updater.cli.context import Options
from safe_auto_updater.cli.names import asset_meant, whoever
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.spelling import duration_s


@click.command("hold")
@click.argument("asset", required=False)
@click.option("--all", "everything", is_flag=True, help="Hold every asset.")
@click.option("--until", "period", metavar="PERIOD", help="For this long, such as 14d.")
@click.option("--reason", default="held by a human", show_default=True)
@click.pass_obj
def command(
    options: Options, asset: str | None, everything: bool, period: str | None, reason: str
) -> None:
    """Leave ASSET (or, with --all, everything) alone until it is released."""
    try:
        seconds = duration_s(period) if period is not None else None
    except ValueError as error:
        raise UsageError(f"--until {period}: {error}") from error
    with options.app() as app:
        meant = asset_meant(app, asset, everything)
        who = whoever(options.environ)
        until = None if seconds is None else app.clock.now() + seconds
        app.decisions.hold(meant, reason, until, who=who)
    ends = "until it is released" if until is None else f"until {tables.when(until)}"
    document = {"asset": meant, "until": until, "reason": reason, "who": who}
    what = "Everything" if everything else meant
    options.answer("hold", document, lambda: tables.say(f"{what} is held {ends}."))
