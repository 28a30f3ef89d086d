"""The weekly summary: what became of seven days, and what waits."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.core.memory import Blocked, Failed, Hold, Memory
from safe_auto_updater.core.model import Action, Change, Image, Step
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.engine.journal import Record, Row
from safe_auto_updater.engine.summary import MOST_LINES, WEEK_S, weekly

NOW = 1_700_000_000.0  # Tue 2023-11-14 22:13 UTC
DAY_S = 86400.0
NONE = Memory(now=NOW)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def step(name: str, action: Action = Action.UPDATE, *reasons: str) -> Step:
    asset = f"docker:local/{name}"
    change = Change(asset, name, Image("r:1.0", "1.0"), Image("r:1.1", "1.1"), "minor")
    return Step(asset, action, reasons, (change,))


def record(name: str, end: str, days_ago: float, **facts: Any) -> Record:
    at = NOW - days_ago * DAY_S
    rows = (Row("PREPARE", at, {}), Row(end, at + 60, facts))
    return Record(f"id-{name}", f"docker:local/{name}", at, step(name), rows)


FAILED = {"failure": {"cause": "image", "error": "never healthy", "evidence": {}}}


def test_week_is_told_by_what_became_of_it() -> None:
    records = [
        record("web", "SUCCEEDED", 1, downtime_s=0.5),
        record("api", "ROLLED_BACK", 2, **FAILED, downtime_s=3.2),
        record("db", "INCONSISTENT", 3, **FAILED),
        record("old", "SUCCEEDED", 8),
    ]
    memory = Memory(
        now=NOW,
        holds=(Hold("*", "holidays", NOW, NOW + DAY_S),),
        quarantine=(
            Failed("docker:local/api", "api", "c", Cause.IMAGE, "id-api", "never healthy"),
        ),
        blocked=(Blocked("docker:local/db", "id-db", "inconsistent since update id-db"),),
    )
    proposals = [step("cache", Action.HOLD, "too young", "no window"), step("mail")]

    assert weekly(records, memory, proposals, NOW).splitlines() == [
        "The week until Tue 2023-11-14 22:13 UTC: 3 updates: 1 succeeded, 1 rolled back, "
        "1 inconsistent. Down in all for 3.7 s.",
        "",
        "Updated:",
        "web: web 1.0 -> 1.1 (minor), Mon 2023-11-13 22:13 UTC",
        "",
        "Not updated:",
        "api: api 1.0 -> 1.1 (minor), Sun 2023-11-12 22:13 UTC: rolled back: never healthy",
        "db: db 1.0 -> 1.1 (minor), Sat 2023-11-11 22:13 UTC: inconsistent: never healthy "
        "(`sau show id-db`)",
        "",
        "Needs a human:",
        "docker:local/db: inconsistent since update id-db",
        "",
        "Waits:",
        "cache: cache 1.0 -> 1.1 (minor): too young; no window",
        "mail: mail 1.0 -> 1.1 (minor): ready",
        "",
        "On hold:",
        "every asset: holidays, until Wed 2023-11-15 22:13 UTC",
        "docker:local/api: one version, which failed (image): never healthy",
    ]


def test_quiet_week_is_one_line() -> None:
    told = weekly([record("web", "SUCCEEDED", 7)], NONE, [], NOW)
    assert told == "The week until Tue 2023-11-14 22:13 UTC: no update was made."


@pytest.mark.parametrize(("at", "counts"), [(-WEEK_S, False), (-WEEK_S + 1, True), (0, True)])
def test_week_has_seven_days(at: float, counts: bool) -> None:
    told = weekly([record("web", "SUCCEEDED", -at / DAY_S)], NONE, [], NOW)
    assert ("1 update:" in told) == counts


def test_update_without_an_end_is_unfinished() -> None:
    told = weekly([record("web", "APPLY", 1)], NONE, [], NOW)
    assert "1 unfinished" in told and "(`sau show id-web`)" in told


def test_summary_of_a_large_fleet_is_bounded() -> None:
    steps = [step(f"web-{number}", Action.HOLD, "too young") for number in range(200)]
    lines = weekly([], NONE, steps, NOW).splitlines()
    assert lines[-1] == f"and {200 - MOST_LINES} more: `sau status` and `sau history` list them"
    assert len(lines) == MOST_LINES + 4
