"""What the last cycle saw, and who waits for people."""

from __future__ import annotations

import pytest

from safe_auto_updater.core.memory import Blocked, Failed, Memory
from safe_auto_updater.core.model import Action, Plan, Status, Step
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.metrics import Metrics
from tests.metrics_kit import NOW, WEB, Source, asset, change, checked, event, held, samples


def of(metrics: Metrics, name: str) -> dict[str, float]:
    """The labels of one metric with their values; '' where there are none."""
    name = f"safe_auto_updater_{name}"
    return {
        key.removeprefix(name).strip("{}"): value
        for key, value in samples(metrics).items()
        if key.partition("{")[0] == name
    }


def ended(metrics: Metrics, *sources: Source, at: float = NOW) -> None:
    metrics.cycle_ended(checked(sources), Plan(()), 1.0, at)


def test_assets_are_counted_by_platform_and_status() -> None:
    metrics = Metrics()
    docker = Source("docker:local", asset("a"), asset("b"), asset("c", Status.EXITED))
    ended(metrics, docker, Source("kubernetes:prod", asset("d", place="helm:prod/shop")))
    assert of(metrics, "assets") == {
        'platform="docker",status="running"': 2,
        'platform="docker",status="exited"': 1,
        'platform="helm",status="running"': 1,
    }
    ended(metrics, Source("docker:local", asset("a")))
    assert of(metrics, "assets") == {'platform="docker",status="running"': 1}


def test_available_updates_go_as_far_as_the_versions_behind_them() -> None:
    web, shop, idle = asset("web"), asset("shop"), asset("idle")
    found = change(web, "minor"), change(shop, "digest", behind="major"), change(idle, None)
    metrics = Metrics()
    metrics.cycle_ended(
        checked([Source("docker:local", web, shop, idle)], *found), Plan(()), 1.0, NOW
    )
    assert of(metrics, "updates_available") == {
        'bump="minor",platform="docker"': 1,
        'bump="major",platform="docker"': 1,
    }


def test_a_step_held_by_two_rules_counts_in_both_and_once_as_a_step() -> None:
    web, shop, idle = asset("web"), asset("shop"), asset("idle")
    steps = (
        held(web, "approval", "window"),
        held(shop, "approval", "approval"),
        Step(idle.id, Action.NONE),
        Step("docker:local/x", Action.UPDATE),
    )
    metrics = Metrics()
    metrics.cycle_ended(checked([Source("docker:local", web, shop)]), Plan(steps), 1.0, NOW)
    assert of(metrics, "holds") == {'rule="approval"': 2, 'rule="window"': 1}
    assert of(metrics, "approvals_waiting") == {"": 2}
    steps_of = of(metrics, "plan_steps")
    assert steps_of == {'action="hold"': 2, 'action="none"': 1, 'action="update"': 1}


def test_who_listens_is_asked_with_each_scrape_and_nobody_at_first() -> None:
    metrics = Metrics()
    assert of(metrics, "source_watched") == {}
    watched = {"docker:local": True, "kubernetes:prod": True}
    metrics.watched_by(lambda: watched)
    watched["kubernetes:prod"] = False
    assert of(metrics, "source_watched") == {
        'source="docker:local"': 1,
        'source="kubernetes:prod"': 0,
    }


def test_a_source_that_fails_keeps_the_time_when_it_was_seen_last() -> None:
    metrics = Metrics()
    broken = Source("docker:attic", failures=(("part of it", "no answer"),))
    ended(metrics, Source("docker:local"), broken, at=NOW)
    ended(metrics, Source("docker:local"), broken, at=NOW + 10)
    last, failures = "last_scan_success_timestamp_seconds", "scan_failures_total"
    assert of(metrics, last) == {'source="docker:local"': NOW + 10, 'source="docker:attic"': 0}
    assert of(metrics, failures) == {'source="docker:local"': 0, 'source="docker:attic"': 2}
    ended(metrics, Source("docker:local"), Source("docker:attic"), at=NOW + 20)
    ended(metrics, Source("docker:local"), broken, at=NOW + 30)
    assert of(metrics, last)['source="docker:attic"'] == NOW + 20
    assert of(metrics, failures)['source="docker:attic"'] == 3


def test_a_source_that_breaks_is_a_failure_and_one_that_is_gone_is_forgotten() -> None:
    class Breaking(Source):
        def scan(self) -> None:  # type: ignore[override]
            raise RuntimeError("a plugin's code")

    metrics = Metrics()
    ended(metrics, Source("docker:local"), Breaking("plugin x"))
    assert of(metrics, "scan_failures_total") == {
        'source="docker:local"': 0,
        'source="plugin x"': 1,
    }
    ended(metrics, Source("docker:local"))
    assert of(metrics, "scan_failures_total") == {'source="docker:local"': 0}
    assert set(of(metrics, "last_scan_success_timestamp_seconds")) == {'source="docker:local"'}


def test_cycles_tell_their_times() -> None:
    metrics = Metrics()
    metrics.cycle_due(NOW, 3600)
    assert of(metrics, "last_cycle_end_timestamp_seconds") == {}
    metrics.cycle_ended(checked([]), Plan(()), 12.5, NOW + 20)
    metrics.cycle_due(NOW + 3600, 1800)
    names = ("cycles_total", "last_cycle_end_timestamp_seconds", "last_cycle_duration_seconds",
             "next_cycle_timestamp_seconds", "cycle_interval_seconds")  # fmt: skip
    assert [of(metrics, name)[""] for name in names] == [1, NOW + 20, 12.5, NOW + 3600, 1800]


@pytest.mark.parametrize(
    ("kind", "calls"),
    [("inconsistent", True), ("halted", True), ("rolled_back", False), ("held", False)],
)
def test_who_needs_a_human_is_known_at_once(kind: str, calls: bool) -> None:
    metrics = Metrics()
    metrics(event(kind))
    assert of(metrics, "needs_human") == ({f'asset="{WEB}"': 1} if calls else {})


def test_what_is_remembered_replaces_what_was_heard() -> None:
    metrics = Metrics()
    metrics(event("halted"))
    other = Blocked("docker:local/db", "u0", "update u0 ended halted")
    bad = [
        Failed(WEB, container, "sha256:1", Cause.IMAGE, update, "bad")
        for container, update in (("web", "u1"), ("web", "u2"), ("side", "u1"))
    ]
    metrics.remembered(Memory(NOW, blocked=(other,), quarantine=tuple(bad)))
    assert of(metrics, "needs_human") == {'asset="docker:local/db"': 1}
    assert of(metrics, "quarantined_versions") == {"": 1}
    metrics.remembered(Memory(NOW))
    assert of(metrics, "needs_human") == {}
    assert of(metrics, "quarantined_versions") == {"": 0}
