"""What `apply`, `rollback` and `recover` share: ask, recover first, end with the right code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from safe_auto_updater.app import App
from safe_auto_updater.cli import documents, stories, tables
from safe_auto_updater.cli.context import Stopping
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.outcome import worst_exit_code
from safe_auto_updater.engine.journal import Record

EXIT_HUMAN = 4


def confirmed(question: str, yes: bool) -> bool:
    """Ask on a terminal; elsewhere `--yes` is needed. UsageError says so."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to ask: add --yes, or --dry-run to only look")
    if click.confirm(question, err=True):
        return True
    raise click.Abort


def recover_first(app: App) -> tuple[Record, ...]:
    """Finish or undo what was interrupted, and tell it."""
    before = app.journal.unfinished()
    stopping = Stopping()
    with stopping.listening():
        after = app.recover(stopping, wait=False)
    if stopping():
        raise click.Abort
    for interrupted, record in zip(before, after, strict=True):
        tables.say(stories.recovered(interrupted, record), err=True)
    return after


def exit_with(records: Sequence[Record], recovered: int, *, incomplete: bool = False) -> None:
    """End with the worst outcome's exit code; 1 at least where something was not seen or begun.

    The first `recovered` records are of an earlier run: of those, only what needs a human counts.
    """
    outcomes = [documents.outcome(record) for record in records]
    late = [outcome for outcome in outcomes[:recovered] if outcome.exit_code == EXIT_HUMAN]
    code = worst_exit_code(late + outcomes[recovered:])
    if code or incomplete:
        raise click.exceptions.Exit(code or 1)
