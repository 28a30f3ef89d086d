"""Durations, schedules and windows, as they are configured. ValueError names the remedy."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from safe_auto_updater.core.spelling import duration_s
from safe_auto_updater.core.windows import Window, over_at

_LONGEST_S = 30 * 86400.0
MOST_JOB_S = 100  # before an update an asset has two minutes to show that it is well


def seconds_of(value: Any) -> float:
    """A duration with its unit, in seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # ValueError is what pydantic reports; a TypeError would escape as a crash
        raise ValueError(f"has no unit; write for example {value}s")
    if not isinstance(value, str) or len(value) > 99:
        raise ValueError("not a duration; write for example 30s, 5m, 1h30m or 2d")
    try:
        return duration_s(value)
    except ValueError as error:
        raise ValueError(str(error) if ";" in str(error) else f"{error}; shorten it") from None


def positive(seconds: float) -> float:
    """A duration that is not zero."""
    if seconds <= 0:
        raise ValueError("must be longer than zero; write for example 30s")
    return seconds


def job_timeout(seconds: float) -> float:
    """Not longer than an update waits for a Job."""
    if seconds > MOST_JOB_S:
        raise ValueError(
            f"longer than the {MOST_JOB_S} s that a Job has before an update; shorten it"
        )
    return seconds


def interval(seconds: float) -> float:
    """From one cycle of the service to the next."""
    if not 1 <= seconds <= _LONGEST_S:
        raise ValueError(
            "not between 1s and 30d; registries and people are patient with 1h or more"
        )
    return seconds


def schedule(text: str) -> tuple[str, ZoneInfo]:
    """Five fields of cron and a time zone, UTC where none is named."""
    words = text.split()
    fields, zones = " ".join(words[:5]), words[5:] or ["UTC"]
    example = "write for example `0 4 * * * Europe/Berlin`"
    if len(words) not in (5, 6):
        raise ValueError(f"not five fields of cron and a time zone; {example}")
    try:
        zone = ZoneInfo(zones[0])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{zones[0]!a} is no time zone; {example}") from None
    from cronsim import CronSim, CronSimError  # here: only who has a schedule needs it

    try:
        next(CronSim(fields, datetime.now(zone)))
    except (CronSimError, StopIteration) as error:
        why = f" ({error})" if str(error) else ""
        raise ValueError(f"no schedule of cron{why}; {example}") from None
    return fields, zone


def with_an_end(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """Windows that are over at some time."""
    if over_at(windows, 0.0) == math.inf:
        raise ValueError("never end; leave hours in which notices may come")
    return windows
