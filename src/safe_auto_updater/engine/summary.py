"""What became of the last seven days, and what waits: the text of the weekly summary. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from safe_auto_updater.core.events import CALLS_A_HUMAN
from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.memory import Memory
from safe_auto_updater.core.model import Action, Step
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.core.windows import told_here
from safe_auto_updater.engine.in_words import ending, in_short
from safe_auto_updater.engine.journal import Record

WEEK_S = 7 * 86400.0
MOST_LINES = 20  # of one part


def weekly(records: Iterable[Record], memory: Memory, proposals: Iterable[Step], now: float) -> str:
    """The summary of the week that ends `now`; records of other weeks are passed over.

    `proposals` are the steps of the last plans (`Decisions.proposals`).
    """
    week = [r for r in records if now - WEEK_S < r.created_at <= now]
    parts = [
        (None, [_headline(week, now)]),
        ("Updated", [_line(r) for r in week if r.took_effect]),
        ("Not updated", [_line(r) for r in week if not r.took_effect]),
        ("Needs a human", [f"{b.asset}: {b.reason}" for b in memory.blocked]),
        ("Waits", list(_waiting(proposals))),
        ("On hold", list(_held(memory))),
    ]
    return "\n\n".join(
        "\n".join([*([f"{title}:"] if title else []), *_at_most(lines)])
        for title, lines in parts
        if lines
    )


def _headline(week: Sequence[Record], now: float) -> str:
    until = f"The week until {told_here(now)}"
    if not week:
        return f"{until}: no update was made."
    counted = Counter(_outcome(record).value.replace("_", " ") for record in week)
    outcomes = ", ".join(f"{number} {word}" for word, number in counted.most_common())
    down = sum(record.facts.get("downtime_s") or 0.0 for record in week)
    updates = "1 update" if len(week) == 1 else f"{len(week)} updates"
    return f"{until}: {updates}: {outcomes}. Down in all for {down:.1f} s."


def _line(record: Record) -> str:
    """`web 1.0 -> 1.1 (minor), Sat 2026-11-28 02:00 UTC`; where it did not succeed, why."""
    line = f"{_what(record.step)}, {told_here(record.created_at)}"
    outcome, why = _outcome(record), ending(record.facts)
    if outcome is Outcome.SUCCEEDED:
        return line
    line += f": {outcome.value.replace('_', ' ')}" + (f": {why}" if why else "")
    return line + (f" (`sau show {record.id}`)" if outcome.value in CALLS_A_HUMAN else "")


def _what(step: Step) -> str:
    """Its changes where there are some, by the names of its assets."""
    names = " + ".join(short_name(asset) for asset in step.assets)
    return f"{names}: {in_short(step)}" if in_short(step) else names


def _waiting(proposals: Iterable[Step]) -> Iterator[str]:
    for step in proposals:
        if step.action is Action.HOLD:
            yield f"{_what(step)}: {'; '.join(step.reasons)}"
        elif step.action is Action.UPDATE:
            yield f"{_what(step)}: ready"


def _held(memory: Memory) -> Iterator[str]:
    for hold in memory.holds:
        until = f", until {told_here(hold.until)}" if hold.until is not None else ""
        yield f"{'every asset' if hold.asset == '*' else hold.asset}: {hold.reason}{until}"
    for failed in memory.quarantine:
        yield f"{failed.asset}: one version, which failed ({failed.cause.value}): {failed.reason}"


def _outcome(record: Record) -> Outcome:
    return record.outcome or Outcome.UNFINISHED


def _at_most(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield f"and {len(lines) - MOST_LINES} more: `sau status` and `sau history` list them"
