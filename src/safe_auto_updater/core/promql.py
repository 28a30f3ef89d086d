"""What a query of Prometheus answers, and what it means: answers come in as values.

Two readings, of a check and of an incident. No answer at all is never the harmless one.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safe_auto_updater.core.ports import CheckState

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_EXPECTATION = re.compile(rf"(<=|>=|==|!=|<|>)\s*({_NUMBER})")
_SHOWN_SAMPLES = 3
_SHOWN_TEXT = 160


@dataclass(frozen=True)
class Question:
    """One instant query and how its server is reached. Equal ones are asked once."""

    url: str
    query: str
    ca_file: str | None = None
    token_file: str | None = None
    username: str | None = None
    password_file: str | None = None
    timeout_s: float = 5.0


@dataclass(frozen=True)
class Sample:
    """One value as the server wrote it; `name` is its metric with labels, empty without any."""

    name: str
    value: str

    @property
    def number(self) -> float | None:
        """The value; None where it is no finite number."""
        found = float(self.value) if re.fullmatch(_NUMBER, self.value) else math.nan
        return found if math.isfinite(found) else None

    def __str__(self) -> str:
        return f"{_short(self.name)} {self.value}".strip()


@dataclass(frozen=True)
class Samples:
    """What the server said, all of it. A scalar is there whatever happens."""

    samples: tuple[Sample, ...]
    is_scalar: bool = False


@dataclass(frozen=True)
class NoAnswer:
    """The server was not reached, refused, or said something that cannot be relied on."""

    why: str


Answer = Samples | NoAnswer
Ask = Callable[[Question], Answer]


@dataclass(frozen=True)
class Expectation:
    """What a check's value must be: `< 0.05`, `== 1`."""

    sign: str
    limit: float
    text: str

    def met(self, value: float) -> bool:
        """Whether a value is so."""
        return _COMPARE[self.sign](value, self.limit)


@dataclass(frozen=True)
class Incident:
    """A question that holds the assets of a pattern while it returns anything, and its answer."""

    pattern: str
    query: str
    answer: Answer


def expectation(text: str) -> Expectation:
    """One comparison with a number. ValueError names the remedy."""
    found = _EXPECTATION.fullmatch(text.strip())
    limit = float(found[2]) if found else math.inf
    if found is None or not math.isfinite(limit):
        raise ValueError('not a comparison with a number; write for example "< 0.05" or "== 1"')
    return Expectation(found[1], limit, text.strip())


def judged(answer: Answer, expected: Expectation) -> tuple[CheckState, str]:
    """What a check makes of an answer. Only one number that is as expected passes."""
    match answer:
        case NoAnswer():
            return CheckState.UNKNOWN, answer.why
        case Samples(samples=()):
            return CheckState.UNKNOWN, "no data: the query returned nothing"
        case Samples(samples=(sample,)) if sample.number is None:
            return CheckState.UNKNOWN, f"{sample} is no number to judge by"
        case Samples(samples=(sample,)):
            assert sample.number is not None
            if expected.met(sample.number):
                return CheckState.PASSED, f"{sample} is {expected.text}"
            return CheckState.FAILING, f"{sample} is not {expected.text}"
        case Samples(samples=several):
            text = f"{len(several)} values where one is judged; make it one, as by sum() or min()"
            return CheckState.UNKNOWN, text


def holding(incident: Incident) -> str | None:
    """Why an incident's answer holds updates, or None: as with an alert, anything returned does."""
    query, source = _short(incident.query), f"block_while {incident.pattern}"
    match incident.answer:
        case NoAnswer(why):
            return f"nobody can say whether there is an incident ({source}): {query}: {why}"
        case Samples(is_scalar=True):
            return (
                f"nobody can say whether there is an incident ({source}): {query} is a scalar, "
                "which is always there; write what returns nothing in good times"
            )
        case Samples(samples=()):
            return None
        case Samples(samples=samples):
            more = len(samples) - _SHOWN_SAMPLES
            told = ", ".join(map(str, samples[:_SHOWN_SAMPLES]))
            told += f" and {more} more" if more > 0 else ""
            return f"an incident ({source}): {query} returned {told}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_TEXT else f"{line[:_SHOWN_TEXT]}..."
