"""What happened, as values. Logs, notices and later metrics are all made from the same event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

EVENTS = {
    "held": "something newer exists and may not be applied; told once per reason",
    "available": "something newer may be applied, by a person only; told once",
    "started": "an update began",
    "phase": "an update entered a phase",
    "progress": "long work moved on (a pull, a soak)",
    "waiting": "the platform does not answer; waiting for it",
    "succeeded": "the new version runs and was seen healthy",
    "unverified": "applied, and the platform cannot say whether it is healthy",
    "rolled_back": "the update failed and the old version runs again",
    "aborted": "the update failed before the old version was touched",
    "halted": "stopped on purpose: going back would be worse; a human is called",
    "inconsistent": "neither version can be shown to run well; a human is called",
    "unfinished": "the program had to stop in the middle; `sau recover` goes on from there",
    "service": "what the service itself did, such as to read its configuration anew",
    "warning": "something is not as it should be, and nothing was harmed",
    "cycle": "the service has ended a cycle; says what came of it in one line",
    "summary": "what became of the last seven days; the service tells it once a week",
    "test": "somebody asked by `sau notify test` whether notices arrive",
}
CALLS_A_HUMAN = frozenset({"halted", "inconsistent", "unfinished"})
"""Kinds that wait for nothing: no end of a cycle, and no end of quiet hours."""


@dataclass(frozen=True)
class Event:
    """One thing that happened. `update` is the correlation id of everything one update does."""

    kind: str
    message: str
    at: float
    asset: str | None = None
    update: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in EVENTS:
            raise ValueError(f"unknown event kind {self.kind!r}")


Emit = Callable[[Event], None]
