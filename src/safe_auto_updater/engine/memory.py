"""Everything remembered that decides: human words, and what the journal teaches for later cycles.

Nothing is stored twice: quarantine is read out of the journal, and a release makes what came
before it void for the asset that is released.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from safe_auto_updater.core.memory import Blocked, Failed, Heard, Hold, Memory
from safe_auto_updater.core.model import Action
from safe_auto_updater.core.outcome import Cause, Outcome
from safe_auto_updater.engine.decisions import ALL, Decisions
from safe_auto_updater.engine.journal import Journal, Record
from safe_auto_updater.engine.rests import resting


def remember(decisions: Decisions, journal: Journal, now: float) -> Memory:
    """What is remembered at this instant. Raises JournalError."""
    words, history = decisions.standing(), journal.history()
    counting = [
        (record, asset)
        for record in history
        for asset in record.step.assets
        if record.outcome is None
        or record.last_row > max(words.released.get(one, 0) for one in (asset, ALL))
    ]
    return Memory(
        now=now,
        holds=(
            *(hold for hold in words.holds if hold.active(now)),
            *_taken_back(counting),
            *resting(counting, now),
        ),
        quarantine=tuple(_failures(counting)),
        blocked=tuple(_blocked(counting)),
        approved=tuple(
            word
            for word in words.approved.values()
            if not _used_up(word.step, words.approved_at[word.step], history)
        )
        + tuple(
            said.approved
            for said in words.annotated.values()
            if said.counts and not _used_up(said.approved.step, said.at, history)
        ),
        annotated=tuple(Heard(asset, said.text) for asset, said in words.annotated.items()),
        denied=tuple(words.denied.values()),
        left=frozenset(_left(history)),
    )


Counting = Sequence[tuple[Record, str]]  # updates, newest first, each with an asset of its own


def _left(history: Sequence[Record]) -> Iterator[tuple[str, str, str]]:
    """What updates took assets away from: a tag that points there again has gone back."""
    for record in history:
        if record.took_effect and record.step.undoes is None:
            for change in record.step.changes:
                if change.current.digest is not None:
                    yield change.asset, change.container, change.current.digest


def _used_up(step: str, approved_at: int, history: Sequence[Record]) -> bool:
    """Whether the step was made since it was approved; one that touched nothing was not."""
    return any(
        step in (record.step.id, *record.step.joins)
        and record.last_row > approved_at
        and record.outcome not in (None, Outcome.ABORTED)
        for record in history
    )


def _taken_back(counting: Counting) -> list[Hold]:
    """A human's rollback holds the version that it left."""
    return [
        Hold(
            change.asset,
            f"a human took {change.current.version or change.current.reference} back "
            f"(update {record.id})",
            record.created_at,
            content=change.current.key(),
            reference=change.current.own_tag(change.candidate),
        )
        for record, asset in counting
        if record.step.undoes is not None and record.took_effect
        for change in record.step.changes
        if change.asset == asset and change.candidate is not None
    ]


def _failures(counting: Counting) -> list[Failed]:
    """Quarantine: what ended badly by its own fault, one entry per container and content."""
    failed = []
    well: set[tuple[str, str, str]] = set()  # what ran since: another configuration let it
    for record, asset in counting:
        if record.took_effect:
            well |= {
                (asset, change.container, change.candidate.key())
                for change in record.step.changes
                if change.candidate is not None and change.asset == asset
            }
        if record.outcome not in (Outcome.ROLLED_BACK, Outcome.ABORTED, Outcome.INCONSISTENT):
            continue
        cause = record.cause
        # Where one that only follows is not well, what moved under it is to blame.
        guilty = record.guilty if record.guilty in record.step.movers else None
        if cause is None or not cause.quarantines or guilty not in (None, asset):
            continue
        for change in record.step.changes:
            if change.candidate is None or change.asset != asset:
                continue
            if (asset, change.container, change.candidate.key()) not in well:
                failed.append(
                    Failed(
                        asset,
                        change.container,
                        change.candidate.key(),
                        cause,
                        record.id,
                        record.facts["failure"]["error"],
                        _blamed(record, asset, cause),
                    )
                )
    return failed


def _blamed(record: Record, asset: str, cause: Cause) -> str | None:
    """The configuration that a failure is the fault of."""
    found = record.facts_of(asset).get("configuration") if cause is Cause.CONFIG else None
    return found if isinstance(found, str) else None


def _blocked(counting: Counting) -> list[Blocked]:
    """The newest update of each asset decides whether the asset waits for somebody."""
    newest: dict[str, Record] = {}
    for record, asset in counting:
        if record.step.action is Action.UPDATE:
            newest.setdefault(asset, record)
    blocked = []
    for asset, record in newest.items():
        match record.outcome:
            case None:
                reason = "an update was interrupted; `sau recover` finishes or undoes it"
            case Outcome.INCONSISTENT | Outcome.HALTED as outcome:
                reason = (
                    f"update {record.id} ended {outcome.value}; look at it (`sau show "
                    f"{record.id}`), then clear it with `sau release`"
                )
            case _:
                continue
        blocked.append(Blocked(asset, record.id, reason))
    return blocked
