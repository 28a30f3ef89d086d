"""What people read: tables that fit 80 columns, colours only on a terminal."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from safe_auto_updater.core.charts import chart_name
from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.model import Action, Asset, Change, Image, ImageUse, Plan, Step
from safe_auto_updater.core.redact import redact
from safe_auto_updater.core.risk import Reversibility
from safe_auto_updater.engine.cycle import Checked
from safe_auto_updater.engine.inventory import AssetInventory
from safe_auto_updater.engine.journal import Record

if TYPE_CHECKING:
    from rich.console import Console

MOST_REJECTED = 3
_CALLED = {"kubernetes": "workload", "helm": "release"}
_WORDS = {Action.UPDATE: "READY", Action.HOLD: "HELD", Action.NONE: "NEWEST"}
_COLOURS = {
    "READY": "green", "HELD": "yellow", "EDIT": "yellow", "UNKNOWN": "red", "succeeded": "green",
    "rolled_back": "yellow", "aborted": "yellow", "inconsistent": "bold red",
    "unfinished": "bold red", "halted": "bold red",
}  # fmt: skip


def console(*, err: bool = False) -> Console:
    """80 columns wide unless a terminal says otherwise."""
    from rich.console import Console  # here: who wants JSON does not wait for it

    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else 80
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def rows(header: Sequence[str], lines: Iterable[Sequence[str]], *, err: bool = False) -> None:
    """One table; the last column wraps, the others are kept whole as far as they fit."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    for number, title in enumerate(header):
        last = number == len(header) - 1
        table.add_column(title, overflow="fold", no_wrap=False, ratio=1 if last else None)
    for line in lines:
        table.add_row(*(Text(clean(cell), style=_COLOURS.get(cell, "")) for cell in line))
    console(err=err).print(table)


def say(text: str, *, err: bool = False) -> None:
    """Plain lines, wrapped."""
    from rich.text import Text

    console(err=err).print(Text(clean(text)))


def clean(text: str) -> str:
    """Without credentials, and without what a container's words could do to a terminal."""
    shown = (c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in redact(text))
    return "".join(shown)


def failures(inventory: AssetInventory) -> None:
    """What could not be seen, on standard error."""
    for source, error in inventory.failures:
        say(f"NOT SEEN  {source}: {error}", err=True)


def scan(inventory: AssetInventory) -> None:
    """Every asset: name, images, status, health."""
    rows(
        ("NAME", "STATUS", "HEALTH", "IMAGE"),
        [
            (
                asset.name,
                asset.status.value,
                asset.health.value,
                ", ".join(_runs(asset, use) for use in asset.images),
            )
            for asset in inventory.assets
        ],
    )
    say(f"{_seen(inventory.assets)}, {counted(len(inventory.images), 'image')}")
    failures(inventory)


def _runs(asset: Asset, use: ImageUse) -> str:
    """An image's reference; of a release `web 1.2.0 (app 3.4)`."""
    if asset.platform != "helm":
        return use.image.reference
    app = f" (app {use.declared})" if use.declared else ""
    return f"{chart_name(use.image.reference)} {use.image.version}{app}"


def check(item: Plan, checked: Checked, seconds: float) -> None:
    """What is newer and whether it may be applied; for each container what was rejected."""
    say(f"{_seen(checked.assets)}, {seconds:.1f} s")
    _steps(item.steps, ("", "NAME", "CHANGE"))
    quiet = [step for step in item.steps if step.action is Action.NONE]
    built = [step for step in quiet if step.reasons[0].startswith("built here")]
    parts = [f"{len(quiet) - len(built)} current"]
    parts += [f"{len(built)} built here"] if built else []
    following = f" Next: sau apply {short_name(item.updates[0].asset)}" if item.updates else ""
    say(f"{', '.join(parts)}.{following}")
    failures(checked.inventory)


def plan(item: Plan, checked: Checked, *, err: bool = False) -> None:
    """What would be done and why; what is current is only counted."""
    _steps(item.steps, ("", "NAME", "CHANGE AND REASON"), err=err)
    held = sum(step.action is Action.HOLD for step in item.steps)
    quiet = len(item.steps) - held - len(item.updates)
    say(f"{len(item.updates)} to update, {held} held, {quiet} with nothing to do.", err=err)
    failures(checked.inventory)


def _steps(steps: Sequence[Step], header: Sequence[str], *, err: bool = False) -> None:
    lines = [
        line
        for step in steps
        if step.action is not Action.NONE or any(change.rejected for change in step.changes)
        for line in _step(step)
    ]
    if lines:
        rows(header, lines, err=err)


def _seen(assets: Sequence[Asset]) -> str:
    """`40 containers`, `2 containers, 3 workloads, 1 release`."""
    many = Counter(_CALLED.get(asset.platform, "container") for asset in assets)
    parts = [counted(many[word], word) for word in ("container", *_CALLED.values()) if many[word]]
    return ", ".join(parts) or "0 containers"


def counted(number: int, word: str) -> str:
    """`1 image`, `2 images`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _step(step: Step) -> list[tuple[str, str, str]]:
    word = "UNKNOWN" if "unknown" in step.hold_rules else _WORDS[step.action]
    if step.hold_rules == ("compose",):
        word = "EDIT"
    name = short_name(step.asset)
    lines = []
    for change in step.changes:
        if change.candidate:
            whose = f"{short_name(change.asset)}: " if step.members else ""
            lines.append((word, name, f"{whose}{arrow(change)}  {change.bump}"))
            word = name = ""
    lines += [(word, name, reason) for reason in step.reasons[:1]]
    lines += [("", "", reason) for reason in step.reasons[1:]]
    lines += [("", "", cost) for cost in _cost_of_going_back(step)]
    for change in step.changes:
        shown = change.rejected[:MOST_REJECTED]
        lines += [("", "", f"{r.tag} not chosen: {r.reason}") for r in shown]
        if len(change.rejected) > len(shown):
            more = len(change.rejected) - len(shown)
            lines.append(("", "", f"and {more} more; --output json lists them"))
    return lines


def _cost_of_going_back(step: Step) -> list[str]:
    """What a rollback does not bring back, where it leaves something."""
    risk = step.risk
    if risk is None or risk.reversibility < Reversibility.R2:
        return []
    worst = [f for f in risk.findings if f.reversibility is risk.reversibility]
    return [f"{risk.reversibility}, risk {risk.score} of 100: {worst[0].why}" if worst else ""]


def arrow(change: Change) -> str:
    """`1.0.0 -> 1.1.0`, or the digests where the tag stays."""
    assert change.candidate is not None
    old, new = change.current, change.candidate
    if old.version != new.version:
        return f"{old.version or old.reference} -> {new.version or new.reference}"
    return f"{old.version or 'latest'}  {_short(old)} -> {_short(new)}"


def _short(image: Image) -> str:
    return (image.digest or image.image_id or "?").removeprefix("sha256:")[:12]


def history(records: Sequence[Record]) -> None:
    """Past updates, newest first."""
    lines = []
    for record in records:
        outcome = record.outcome.value if record.outcome else "unfinished"
        what = ", ".join(arrow(c) for c in record.step.changes if c.candidate)
        name = short_name(record.asset)
        lines.append((record.id, when(record.created_at), name, outcome, what))
    rows(("ID", "WHEN", "NAME", "OUTCOME", "CHANGE"), lines)


def when(at: float) -> str:
    """Local time, to the minute."""
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


def milliseconds(seconds: float | None) -> str:
    """A downtime for people."""
    return "unknown" if seconds is None else f"{seconds * 1000:.0f} ms"
