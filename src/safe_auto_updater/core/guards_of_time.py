"""Guards that time alone opens: minimum age, maintenance windows, freezes, ends of incidents."""

from __future__ import annotations

from datetime import UTC, datetime

from safe_auto_updater.core.case import Case, in_one
from safe_auto_updater.core.promql import holding
from safe_auto_updater.core.spelling import in_words
from safe_auto_updater.core.windows import opening, told

WAITS_FOR_TIME = frozenset({"age", "window", "freeze", "block_while"})
"""Guards whose words change as time goes on."""


def age(case: Case, step: str) -> str | None:
    """A version waits until it has been in sight for long enough."""
    if case.policy.minimum_age_s <= 0:
        return None
    for change in case.wanted:
        seen = change.first_seen if change.first_seen is not None else case.memory.now
        ripe = seen + case.policy.minimum_age_s
        if case.memory.now < ripe:
            least = in_words(case.policy.minimum_age_s)
            return (
                f"too young: first seen {_utc(seen)}, minimum age is {least} "
                f"({case.policy.source('minimum_age')}): may go from {_utc(ripe)}"
            )
    return None


def window(case: Case, step: str) -> str | None:
    """Outside the hours in which it may be updated."""
    windows, now = case.policy.windows, case.memory.now
    if not windows:
        return None
    coming = opening(windows, now)
    source = case.policy.source("window")
    if coming is None:
        return f"outside its window ({source}), which does not open within two weeks"
    if coming.start <= now:
        return None
    texts = "; ".join(one.text for one in windows)
    opens = told(coming.start, windows[0].zone)
    return f"outside its window {texts} ({source}): opens {opens}"


def freeze(case: Case, step: str) -> str | None:
    """Inside a period in which nothing is."""
    for frozen in case.policy.freezes:
        period = frozen.around(case.memory.now)
        if period is not None:
            until = told(period.end, frozen.zone)
            return f"frozen by {frozen.text} ({case.policy.source('freeze')}): until {until}"
    return None


def block_while(case: Case, step: str) -> str | None:
    """While a query says that there is an incident, or nobody can say that there is none."""
    found = (holding(incident) for incident in case.incidents)
    return in_one(reason for reason in found if reason is not None)


def _utc(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
