"""Answers that the several subjects of one look share."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KEPT_S = 0.4  # less than from look to look, so that each look asks anew

Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")


class Kept(Generic[Q, A]):
    """Asks each question once within a moment; `now` gives monotonic seconds.

    Two threads that ask the same at once may both ask.
    """

    def __init__(self, ask: Callable[[Q], A], now: Callable[[], float]) -> None:
        self._ask = ask
        self._now = now
        self._known: dict[Q, tuple[float, A]] = {}

    def __call__(self, question: Q) -> A:
        """The answer, asked for or kept."""
        now = self._now()
        fresh = {q: known for q, known in self._known.items() if now - known[0] < KEPT_S}
        if question in fresh:
            return fresh[question][1]
        answer = self._ask(question)
        self._known = {**fresh, question: (self._now(), answer)}
        return answer
