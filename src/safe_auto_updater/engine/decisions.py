"""Human words, kept for ever with who and when; and what was told to humans, to tell it once.

A later word replaces an earlier one: the rows are never changed, their order decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from safe_auto_updater.core.codec import step_from_json, to_json
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.memory import Approved, Denied, Hold
from safe_auto_updater.core.model import Action, Step
from safe_auto_updater.core.risk import Reversibility, Risk
from safe_auto_updater.engine.in_words import headline, versions
from safe_auto_updater.engine.state import State, all_or_nothing, ask

ALL = "*"


@dataclass(frozen=True)
class Word:
    """One row: what was decided or told, about which asset, by whom (empty: by the program)."""

    at: float
    kind: str
    asset: str
    subject: str | None
    until: float | None
    reason: str
    who: str


@dataclass(frozen=True)
class Annotated:
    """What an asset's own annotation approved, and how far the journal went then."""

    text: str
    approved: Approved
    at: int
    counts: bool = True  # not denied since


@dataclass
class Standing:
    """What the words come to.

    `released` says up to which row of the journal an asset is clear, `approved_at` how far the
    journal went when a step was approved, `annotated` what an asset itself says.
    """

    holds: list[Hold] = field(default_factory=list)
    approved: dict[str, Approved] = field(default_factory=dict)
    denied: dict[tuple[str, str, str], Denied] = field(default_factory=dict)
    approved_at: dict[str, int] = field(default_factory=dict)
    annotated: dict[str, Annotated] = field(default_factory=dict)
    released: dict[str, int] = field(default_factory=dict)


class Decisions:
    """The decisions, told and proposals tables. Every method may raise JournalError."""

    def __init__(self, connection: State, now: Callable[[], float]) -> None:
        self._db = connection
        self._now = now

    def hold(
        self,
        asset: str,
        reason: str,
        until: float | None = None,
        content: str | None = None,
        who: str = "",
    ) -> None:
        """Hold an asset, every asset (`*`), or with `content` one version of an asset."""
        self._decide("hold", asset, content, until, reason, who)

    def release(self, asset: str, reason: str, who: str = "") -> None:
        """Forget every hold, denial, quarantine and inconsistency up to now (`*`: of all)."""
        self._decide("release", asset, str(self._journaled()), None, reason, who)

    def approve(self, step: Step, who: str) -> None:
        """This step may be made once, at the risk that it has now or less."""
        risk = step.risk
        seen = [risk.score, risk.reversibility.value] if risk else [0, Reversibility.R0.value]
        subject = json.dumps([step.id, self._journaled(), *seen])
        for asset in step.assets:
            self._decide("approve", asset, subject, None, headline(step), who)

    def annotated(self, step: Step, shown: Risk, text: str, who: str) -> None:
        """The asset's own annotation says `text`: as `approve`, at the risk that was shown."""
        seen = [shown.score, shown.reversibility.value]
        subject = json.dumps([step.id, self._journaled(), *seen, text])
        self._decide("annotated", step.asset, subject, None, headline(step), who)

    def withdraw(self, asset: str, text: str) -> None:
        """The asset's annotation says this no more: what it approved is not approved."""
        self._decide("withdrawn", asset, None, None, f"{text} is not approved any more", "")

    def deny(self, step: Step, who: str) -> None:
        """The versions that this step would take are skipped; others may follow."""
        for asset in step.assets:
            self._decide("deny", asset, step.id, None, headline(step), who)
        for change in step.changes:
            if change.candidate is not None:
                version = change.candidate.own_tag(change.current)
                known = [change.container, change.candidate.key(), step.id, version]
                subject = json.dumps(known)
                self._decide(
                    "skip", change.asset, subject, None, versions(change, change.candidate), who
                )

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Nobody else decides between what is read and what is written within."""
        with all_or_nothing(self._db):
            yield

    def words(self, assets: Sequence[str] | None = None) -> tuple[Word, ...]:
        """Everything decided and told, oldest first; of some assets (and of all at once) or all."""
        rows = self._run(
            "SELECT at, kind, asset, subject, until, reason, who FROM decisions ORDER BY seq"
        )
        words = (Word(*row) for row in rows)
        return tuple(w for w in words if assets is None or w.asset in (ALL, *assets))

    def last(self) -> int:
        """The number of the newest word."""
        return int(self._run("SELECT coalesce(max(seq), 0) FROM decisions")[0][0])

    def words_after(self, number: int) -> tuple[Word, ...]:
        """What was decided and told after a word of this number, oldest first."""
        rows = self._run(
            "SELECT at, kind, asset, subject, until, reason, who FROM decisions "
            "WHERE seq > ? ORDER BY seq",
            (number,),
        )
        return tuple(Word(*row) for row in rows)

    def standing(self) -> Standing:
        """What all words come to, the later ones over the earlier ones."""
        found = Standing()
        for word in self.words():
            _weigh(found, word)
        return found

    def propose(self, assets: Collection[str] | None, steps: Sequence[Step]) -> None:
        """Remember what a plan of these assets (None: of all) would do: `approve` refers to it."""
        rows = {
            (step.id, step.asset, json.dumps(to_json(step)))
            for step in steps
            if step.action is not Action.NONE and any(change.candidate for change in step.changes)
        }
        known = set(self._run("SELECT step, asset, planned FROM proposals"))
        gone = [row[:1] for row in known - rows if assets is None or row[1] in assets]
        new = sorted(rows - known)
        if not gone and not new:
            return
        with all_or_nothing(self._db):
            self._db.executemany("DELETE FROM proposals WHERE step = ?", gone)
            self._db.executemany("INSERT OR REPLACE INTO proposals VALUES (?, ?, ?)", new)

    def proposals(self) -> tuple[Step, ...]:
        """The steps of the last plan of each asset."""
        rows = self._run("SELECT planned FROM proposals ORDER BY asset")
        try:
            return tuple(step_from_json(json.loads(planned)) for (planned,) in rows)
        except ValueError as error:
            raise UsageError(f"the last plan cannot be read ({error}); run `sau plan`") from error

    def tell_once(self, assets: Sequence[str], what: str, reason: str) -> bool:
        """Whether holding these assets for `what` is news. Remembers that it was told."""
        known = self._run("SELECT reason FROM told WHERE asset = ?", assets[:1])
        if known and known[0][0] == what:
            return False
        self._run("INSERT OR REPLACE INTO told VALUES (?, ?, ?)", (assets[0], what, self._now()))
        for asset in assets:
            self._decide("held", asset, None, None, reason, "")
        return True

    def told_no_more(self, asset: str) -> None:
        """The asset is held no more: when it is again, that is news."""
        if self._run("SELECT 1 FROM told WHERE asset = ?", (asset,)):
            self._run("DELETE FROM told WHERE asset = ?", (asset,))

    def is_due(self, what: str, every_s: float) -> bool:
        """Whether it is this long ago that this was told. Remembers that it is told now."""
        known = self._run("SELECT at FROM told WHERE asset = ?", (what,))
        due = bool(known) and self._now() - known[0][0] >= every_s
        if due or not known:
            self._run("INSERT OR REPLACE INTO told VALUES (?, '', ?)", (what, self._now()))
        return due

    def prove_writable(self) -> None:
        """Write something that means nothing; JournalError where that cannot be."""
        self._run("INSERT OR REPLACE INTO told VALUES ('', 'doctor', ?)", (self._now(),))

    def _journaled(self) -> int:
        """Up to which row the journal goes: clocks may step back, rows do not."""
        return int(self._run("SELECT coalesce(max(rowid), 0) FROM phases")[0][0])

    def _decide(
        self,
        kind: str,
        asset: str,
        subject: str | None,
        until: float | None,
        reason: str,
        who: str,
    ) -> None:
        self._run(
            "INSERT INTO decisions (at, kind, asset, subject, until, reason, who) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._now(), kind, asset, subject, until, reason, who),
        )

    def _run(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        return ask(self._db, query, values)


def _weigh(found: Standing, word: Word) -> None:
    match word.kind:
        case "hold":
            held = Hold(word.asset, word.reason, word.at, word.until, word.subject)
            found.holds.append(held)
        case "release":
            everything = word.asset == ALL
            found.released[word.asset] = int(word.subject or 0)
            found.holds = [h for h in found.holds if not everything and h.asset != word.asset]
            found.denied = {
                k: d for k, d in found.denied.items() if not everything and d.asset != word.asset
            }
        case "approve":
            step, seen, score, reversibility = json.loads(word.subject or "")
            found.approved[step] = Approved(
                step, word.asset, word.who, word.at, score, Reversibility(reversibility)
            )
            found.approved_at[step] = seen
            found.denied = {k: d for k, d in found.denied.items() if d.step != step}
        case "annotated":
            step, seen, score, reversibility, text = json.loads(word.subject or "")
            approved = Approved(
                step, word.asset, word.who, word.at, score, Reversibility(reversibility)
            )
            found.annotated[word.asset] = Annotated(text, approved, seen)
        case "withdrawn":
            found.annotated.pop(word.asset, None)
        case "deny":
            found.approved.pop(word.subject or "", None)
            said = found.annotated.get(word.asset)
            if said is not None and said.approved.step == word.subject:
                found.annotated[word.asset] = replace(said, counts=False)
        case "skip":
            container, content, step, reference = json.loads(word.subject or "")
            key = (word.asset, container, content)
            found.denied[key] = Denied(*key, step, word.who, word.at, reference)
