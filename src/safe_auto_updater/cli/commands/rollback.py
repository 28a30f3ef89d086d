"""`sau rollback`."""

from __future__ import annotations

import sys

import click

from safe_auto_updater.app import App
from safe_auto_updater.cli import documents, stories, tables
from safe_auto_updater.cli.acting import confirmed, exit_with, recover_first
from safe_auto_updater.cli.context import Options, Stopping
from safe_auto_updater.cli.names import seen_or_remembered
from safe_auto_updater.cli.progress import Progress
from safe_auto_updater.core.errors import PlatformUnreachable, UsageError
from safe_auto_updater.core.model import Action, Plan
from safe_auto_updater.engine.journal import Record
from safe_auto_updater.engine.undo import last_effective, undo_step


@click.command("rollback")
@click.argument("target", metavar="ID|ASSET")
@click.option("--yes", is_flag=True, help="Do not ask on a terminal.")
@click.pass_obj
def command(options: Options, target: str, yes: bool) -> None:
    """Take a finished update back: by its ID, or an asset's last one.

    It is a new update, to what the snapshot says, with the same checks and the same way back.
    The version that it leaves is held until `sau release`.
    """
    progress, stopping = Progress(), Stopping()
    with options.actor("sau rollback", progress) as app:
        recovered = recover_first(app)
        record = _meant(app, target)
        changed = set(record.step.movers)
        theirs = [r for r in app.journal.history() if changed.intersection(r.step.movers)]
        step = app.cycle.whole(undo_step(record, theirs))
        if step.action is Action.HOLD:
            raise UsageError(f"{record.asset}: not taken back: {'; '.join(step.reasons)}")
        if sys.stdin.isatty():
            confirmed(f"Take update {record.id} of {record.asset} back?", yes)
        with stopping.listening():
            records = app.cycle.execute(Plan((step,)), stopping)
        if not records and not stopping():
            why = app.cycle.refusal(step) or "it could not be seen for a moment; try again"
            raise UsageError(f"{record.asset}: not taken back: {why}")
    done = [*recovered, *records]
    told = [stories.result(item) for item in done]
    told += [] if records else [f"{record.asset}: not begun, as asked"]
    progress.wipe()
    options.answer(
        "rollback",
        {"updates": [documents.update(item) for item in done]},
        lambda: tables.say("\n".join(told)),
    )
    exit_with(done, len(recovered), incomplete=not records)


def _meant(app: App, target: str) -> Record:
    """An update by its ID, or an asset's last one. UsageError where both could be meant.

    PlatformUnreachable where it is no ID, and not everything could be seen.
    """
    history = app.journal.history()
    by_id = [record for record in history if record.id.startswith(target)]
    try:
        asset = seen_or_remembered(app, target)
    except (UsageError, PlatformUnreachable) as error:
        if isinstance(error, PlatformUnreachable) and not by_id:
            raise
        return app.journal.get(target)
    if by_id:
        raise UsageError(f"{target} could be {asset} or update {by_id[0].id}; write more of it")
    return last_effective(app.journal.history(asset), asset)
