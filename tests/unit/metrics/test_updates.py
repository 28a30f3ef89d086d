"""What is counted of updates, from the events that everybody else gets too."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import PlatformUnreachable, StepFailed
from safe_auto_updater.core.events import EVENTS
from safe_auto_updater.core.outcome import Cause, Outcome
from safe_auto_updater.metrics import Metrics
from tests.metrics_kit import SHOP, WEB, event, samples
from tests.unit.test_executor import STEP, Bench

ENDED = 'safe_auto_updater_updates_total{{outcome="{}",platform="{}"}}'
GOING = 'safe_auto_updater_updates_in_progress{{platform="{}"}}'


def told(bench: Bench) -> Metrics:
    metrics = Metrics()
    for one in bench.events:
        metrics(one)
    return metrics


def test_an_update_that_succeeds_is_counted_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.executor.execute("u0", STEP)
    seen = samples(told(bench))
    ended = {name: value for name, value in seen.items() if "updates_total" in name and value}
    assert ended == {ENDED.format("succeeded", "docker"): 1}
    assert seen[GOING.format("docker")] == 0


def test_a_rollback_is_counted_with_its_cause(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.updater.faults["apply"] = [StepFailed("the hook broke", Cause.HOOK)]
    bench.executor.execute("u0", STEP)
    seen = samples(told(bench))
    causes = {name: value for name, value in seen.items() if "rollbacks_total" in name and value}
    assert causes == {'safe_auto_updater_rollbacks_total{cause="hook",platform="docker"}': 1}
    assert seen[ENDED.format("rolled_back", "docker")] == 1


def test_waiting_for_a_platform_is_counted(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.updater.faults["stage"] = [PlatformUnreachable("gone"), PlatformUnreachable("gone")]
    bench.executor.execute("u0", STEP)
    waits = samples(told(bench))['safe_auto_updater_platform_waits_total{platform="docker"}']
    assert waits == [one.kind for one in bench.events].count("waiting") > 0


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_there_from_the_start_and_counted(outcome: Outcome) -> None:
    metrics, name = Metrics(), ENDED.format(outcome, "helm")
    assert samples(metrics)[name] == 0
    metrics(event(outcome.value, SHOP))
    assert samples(metrics)[name] == 1


def test_what_is_recovered_is_under_way_though_nobody_saw_it_begin() -> None:
    metrics = Metrics()
    metrics(event("phase", WEB, "u1"))
    metrics(event("started", WEB, "u2"))
    metrics(event("phase", WEB, "u2"))
    metrics(event("phase", SHOP, "u3"))
    assert samples(metrics)[GOING.format("docker")] == 2
    metrics(event("unfinished", WEB, "u1"))
    metrics(event("succeeded", WEB, "u2"))
    seen = samples(metrics)
    assert (seen[GOING.format("docker")], seen[GOING.format("helm")]) == (0, 1)


def test_downtime_is_told_where_it_is_known() -> None:
    metrics = Metrics()
    for downtime_s in (0.4, 45.0, None, 0.0):
        metrics(event("succeeded", downtime_s=downtime_s))
    seen, name = samples(metrics), "safe_auto_updater_downtime_seconds"
    assert seen[name + '_count{platform="docker"}'] == 3
    assert seen[name + '_sum{platform="docker"}'] == pytest.approx(45.4)
    assert seen[name + '_bucket{le="0.5",platform="docker"}'] == 2
    assert seen[name + '_bucket{le="60.0",platform="docker"}'] == 3


def test_a_cause_of_a_newer_program_is_unknown() -> None:
    metrics = Metrics()
    metrics(event("rolled_back", cause="moonlight"))
    seen = samples(metrics)
    assert seen['safe_auto_updater_rollbacks_total{cause="unknown",platform="docker"}'] == 1
    assert "moonlight" not in metrics.text().decode()


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_about_nothing_in_particular_does_no_harm(kind: str) -> None:
    metrics = Metrics()
    metrics(event(kind, None, None))
    assert samples(metrics)["safe_auto_updater_warnings_total"] == (kind == "warning")


def test_events_of_several_threads_are_all_counted() -> None:
    metrics = Metrics()

    def work(number: int) -> None:
        for turn in range(50):
            metrics(event("started", update=f"{number}-{turn}"))
            metrics(event("succeeded", update=f"{number}-{turn}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = samples(metrics)
    assert seen[ENDED.format("succeeded", "docker")] == 400
    assert seen[GOING.format("docker")] == 0
