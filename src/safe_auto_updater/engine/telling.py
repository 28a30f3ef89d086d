"""What people are told of a plan: each thing once, not every cycle."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from safe_auto_updater.core.events import Emit, Event
from safe_auto_updater.core.guards_of_time import WAITS_FOR_TIME
from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.model import Action, Plan, Step
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.engine.decisions import Decisions
from safe_auto_updater.engine.in_words import headline, in_short


class Telling:
    """Tells about assets, and remembers what was told."""

    def __init__(self, decisions: Decisions, clock: Clock, emit: Emit) -> None:
        self._decisions = decisions
        self._clock = clock
        self._emit = emit

    def holds(self, plan: Plan) -> None:
        """Each hold of a plan, once; where there is none any more a new one is news again."""
        for step in plan.steps:
            if step.action is not Action.HOLD:
                self._decisions.told_no_more(step.asset)
                continue
            waits = bool(WAITS_FOR_TIME & set(step.hold_rules))
            rules = " ".join(step.hold_rules) if waits else None
            self.hold(step, "; ".join(step.reasons), rules)

    def available(self, steps: Sequence[Step]) -> None:
        """Each update that nobody but a person may ask for, once."""
        for step in steps:
            name = short_name(step.asset)
            text = f"{headline(step)}: `sau apply {name}` makes it, or `sau approve {step.id}`"
            if self._decisions.tell_once(step.assets, f"available {step.id}", text):
                self.tell("available", step.asset, text)

    def hold(self, step: Step, reason: str, rules: str | None = None) -> None:
        """Why it waits, and what it is that waits; once.

        `rules` stand for a reason whose words change as time goes on.
        """
        # What counts on by itself (seconds to wait, ids of requests) is no news.
        still = rules or re.sub(r"\b[0-9a-f-]{8,}\b|[0-9]+", "#", reason)
        if not self._decisions.tell_once(step.assets, f"{step.id} {still}", reason):
            return
        details: dict[str, Any] = {"changes": in_short(step)} if in_short(step) else {}
        details |= {"links": step.links} if step.links else {}
        details |= {"members": step.members} if step.members else {}
        self.tell("held", step.asset, reason, details)

    def tell(
        self, kind: str, asset: str, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        """One event about an asset, now."""
        self._emit(Event(kind, message, self._clock.now(), asset, details=details or {}))
