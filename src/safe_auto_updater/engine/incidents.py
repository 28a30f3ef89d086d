"""Asking whether there is an incident: each distinct question once, when a plan is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from safe_auto_updater.core.identity import matches
from safe_auto_updater.core.policy import BlockSpec
from safe_auto_updater.core.promql import Answer, Ask, Incident, Question

AT_ONCE = 8


@dataclass(frozen=True)
class Answers:
    """What was answered at one instant."""

    specs: Sequence[BlockSpec] = ()
    answers: Mapping[Question, Answer] = field(default_factory=dict)

    def of(self, asset: str) -> tuple[Incident, ...]:
        """The questions that are for an asset, each with its answer."""
        return tuple(
            Incident(spec.pattern, spec.question.query, self.answers[spec.question])
            for spec in self.specs
            if matches(spec.pattern, asset)
        )


class Incidents:
    """The configured questions, and who answers them. Nothing is kept: each asking is anew."""

    def __init__(self, specs: Sequence[BlockSpec], ask: Ask) -> None:
        self._specs = specs
        self._ask = ask

    def about(self, assets: Iterable[str]) -> Answers:
        """The answers to every question that is for any of the assets."""
        known = tuple(assets)
        specs = [one for one in self._specs if any(matches(one.pattern, id_) for id_ in known)]
        questions = tuple(dict.fromkeys(one.question for one in specs))
        if not questions:
            return Answers()
        with ThreadPoolExecutor(min(AT_ONCE, len(questions))) as pool:
            answers = dict(zip(questions, pool.map(self._ask, questions), strict=True))
        return Answers(specs, answers)
