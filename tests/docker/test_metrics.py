"""What a service's metrics tell of updates that are real."""

from __future__ import annotations

import os
import time

import pytest

from lab.behaviours import HEALTHCHECK
from safe_auto_updater.app import App
from safe_auto_updater.config import ConfigLoader
from safe_auto_updater.metrics import Metrics
from tests.lab_kit import World
from tests.metrics_kit import samples
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine
FAILS_AT_ONCE = {**HEALTHCHECK, "Test": ["CMD", "/bin/false"], "Retries": 2}


def cycle(sau: Sau, metrics: Metrics) -> None:
    """One cycle, told to the metrics as a service does."""
    config = ConfigLoader().load(sau.config)
    with App(config, sau.state, os.environ, [metrics], observe=metrics.asked) as app:
        began = time.monotonic()
        plan, checked = app.cycle.plan()
        app.cycle.execute(plan, lambda: False)
        metrics.cycle_ended(checked, plan, time.monotonic() - began, time.time())
        metrics.remembered(app.cycle.memory())


def test_a_cycle_on_a_real_engine_is_told(world: World, sau: Sau) -> None:
    sau.configure()
    world.publish("1.0.0")
    world.run(f"{world.repository}:1.0.0")
    world.publish("1.1.0")
    metrics, began = Metrics(), time.time()

    cycle(sau, metrics)

    seen = samples(metrics)
    assert seen['safe_auto_updater_updates_total{outcome="succeeded",platform="docker"}'] == 1
    assert seen['safe_auto_updater_downtime_seconds_count{platform="docker"}'] == 1
    assert seen['safe_auto_updater_downtime_seconds_sum{platform="docker"}'] > 0
    assert seen['safe_auto_updater_updates_in_progress{platform="docker"}'] == 0
    assert seen['safe_auto_updater_assets{platform="docker",status="running"}'] == 1
    assert seen['safe_auto_updater_updates_available{bump="minor",platform="docker"}'] == 1
    scanned = 'safe_auto_updater_last_scan_success_timestamp_seconds{source="docker:local"}'
    assert seen[scanned] >= began
    asked = "safe_auto_updater_registry_requests_total"
    host = f'host="{world.lab.registry}"'
    assert seen[f'{asked}{{{host},method="GET",outcome="ok"}}'] > 0
    assert seen[f'{asked}{{{host},method="HEAD",outcome="ok"}}'] > 0


def test_a_bad_version_is_told_and_then_held(world: World, sau: Sau) -> None:
    sau.configure("stable_for: 5s")
    world.publish("1.0.0")
    world.run(f"{world.repository}:1.0.0")
    world.publish("1.1.0", healthcheck=FAILS_AT_ONCE)
    metrics = Metrics()

    cycle(sau, metrics)
    cycle(sau, metrics)

    seen = samples(metrics)
    assert seen['safe_auto_updater_rollbacks_total{cause="image",platform="docker"}'] == 1
    assert seen["safe_auto_updater_quarantined_versions"] == 1
    assert seen['safe_auto_updater_holds{rule="memory"}'] == 1
    assert seen["safe_auto_updater_cycles_total"] == 2
    assert not any("needs_human" in name for name in seen)
