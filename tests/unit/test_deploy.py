"""What is shipped for deployments says in each place the same."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/safe-auto-updater"


def test_chart_brings_the_very_alerts_that_are_shipped() -> None:
    assert (CHART / "files/rules.yml").read_text() == (
        ROOT / "deploy/prometheus/rules.yml"
    ).read_text()
