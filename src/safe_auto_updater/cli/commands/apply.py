"""`sau apply`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from safe_auto_updater.app import App
from safe_auto_updater.cli import documents, planfile, stories, tables
from safe_auto_updater.cli.acting import confirmed, exit_with, recover_first
from safe_auto_updater.cli.context import Options, Stopping
from safe_auto_updater.cli.progress import Progress
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.model import Plan, Step
from safe_auto_updater.engine.journal import Record


@click.command("apply")
@click.argument("assets", nargs=-1)
@click.option(
    "--plan", "file", metavar="FILE", type=click.Path(path_type=Path), help="Apply exactly this."
)
@click.option("--yes", is_flag=True, help="Answer the prompt, and nothing else.")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop, as `sau plan`.")
@click.pass_obj
def command(
    options: Options, assets: tuple[str, ...], file: Path | None, yes: bool, dry_run: bool
) -> None:
    """Update ASSETS (default: everything that the plan allows).

    Each update checks first, makes the new container beside the running one, swaps, watches,
    and goes back to the same old container if the new one is not well.

    \b
    Exit codes: 0 done (only holds too); 1 some aborted, nothing touched;
    3 some rolled back; 4 some need a human; 2 usage; 5 another actor is busy.
    """
    if file is not None and assets:
        raise UsageError("--plan names its assets itself; leave them out")
    if dry_run:
        _show(options, assets, file)
        return
    progress, stopping = Progress(), Stopping()
    with options.actor("sau apply", progress) as app:
        recovered = recover_first(app)
        saved = planfile.read(file) if file else None
        names = saved.movers if saved else assets
        plan, checked = app.cycle.plan(names)
        if file and saved:
            plan = planfile.still_holds(file, saved, plan)
        tables.plan(plan, checked, err=options.json)
        records: tuple[Record, ...] = ()
        unseen: list[Step] = []
        own = Plan(())
        if not plan.updates:
            app.telling.holds(plan)
        elif confirmed(f"Update {len(plan.updates)}?", yes):
            own = plan.hand_over
            with stopping.listening():
                records = app.cycle.execute(plan.before_hand_over, stopping, unseen.append)
        app.sweep()
        lost = [step.asset for step in unseen]
        told_of = {*lost, *(record.asset for record in records)}
        left = [step.asset for step in plan.updates if stopping() and step.asset not in told_of]
        document = {
            "plan_id": plan.id,
            "updates": [documents.update(record) for record in (*recovered, *records)],
            "not_begun": [*lost, *left],
            "hands_over": [step.asset for step in own.steps if step.asset not in left],
            "downtime": documents.downtime(records),
            "failures": documents.failures(checked.inventory),
        }
        told = "\n".join(stories.result(record) for record in (*recovered, *records))
        told += f"\n{stories.downtime(records)}" if len(records) > 1 else ""
        told += "".join(f"\n{asset}: not begun, for it was not seen any more" for asset in lost)
        told += "".join(f"\n{asset}: not begun, as asked" for asset in left)
        progress.wipe()
        options.answer("apply", document, lambda: tables.say(told) if told else None)
        if own.steps and not stopping():
            records += _hand_over(app, own, stopping, unseen.append)
    incomplete = bool(left or unseen or checked.inventory.failures)
    exit_with([*recovered, *records], len(recovered), incomplete=incomplete)


def _hand_over(
    app: App, own: Plan, stopping: Stopping, unseen: Callable[[Step], None]
) -> tuple[Record, ...]:
    """Replace this very program, when all else was told: where it succeeds nobody is left to."""
    sys.stdout.flush()
    text = "Handing over to the new version of this program; `sau history` there tells the rest."
    tables.say(text, err=True)
    with stopping.listening():
        records = app.cycle.execute(own, stopping, unseen)
    for record in records:
        tables.say(stories.result(record), err=True)
    return records


def _show(options: Options, assets: tuple[str, ...], file: Path | None) -> None:
    with options.app() as app:
        saved = planfile.read(file) if file else None
        names = saved.movers if saved else assets
        plan, checked = app.cycle.plan(names)
        if file and saved:
            plan = planfile.still_holds(file, saved, plan)
    options.answer(
        "plan",
        documents.plan(plan, checked, app.settings.bands),
        lambda: tables.plan(plan, checked),
    )
    if checked.inventory.failures:
        raise click.exceptions.Exit(1)
