"""`sau notify`."""

from __future__ import annotations

import click

from safe_auto_updater.app import SystemClock
from safe_auto_updater.cli import tables
from safe_auto_updater.cli.context import Options
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.events import Event
from safe_auto_updater.notify.trial import Tried, try_all
from safe_auto_updater.wiring.notices import handlers

ANSWER_S = 90.0
TEXT = "This is a test: notices of Safe Auto-Updater arrive here."


@click.group("notify")
def command() -> None:
    """Try the notifications of the configuration."""


@command.command("test")
@click.argument("type_", metavar="[TYPE]", required=False)
@click.pass_obj
def test(options: Options, type_: str | None) -> None:
    """Send one real notice to each receiver, or to those of TYPE, and wait for it.

    Exit code 1 where one did not take it.
    """
    clock = SystemClock()
    found = handlers(options.config, clock)
    if not found:
        raise UsageError("no notifications are configured; add some, and name the file: --config")
    kinds = [spec.kind for spec in options.config.notifications]
    asked = [h for h, kind in zip(found, kinds, strict=True) if type_ in (None, kind, h.name)]
    if not asked:
        raise UsageError(f"{type_}: none is configured; known: {', '.join(h.name for h in found)}")
    tried = try_all(asked, Event("test", TEXT, clock.now()), ANSWER_S)
    document = {
        "receivers": [
            {"name": each.name, "delivered": each.error is None, "error": each.error}
            for each in tried
        ]
    }
    options.answer("notify-test", document, lambda: _table(tried))
    if any(each.error is not None for each in tried):
        raise click.exceptions.Exit(1)


def _table(tried: list[Tried]) -> None:
    tables.rows(
        ("", "RECEIVER", "FACT"),
        [("BAD" if t.error else "good", t.name, t.error or "delivered") for t in tried],
    )
