"""What we give to Prometheus, judged by Prometheus' own tool."""

from __future__ import annotations

import urllib.request
from typing import Any

import pytest
import yaml

from safe_auto_updater.metrics import Metrics, Server
from tests.metrics_kit import lived
from tests.tools.conftest import DEPLOY, Promtool

RULES, RULES_TEST = DEPLOY / "prometheus/rules.yml", DEPLOY / "prometheus/rules_test.yml"


def scrape(metrics: Metrics) -> bytes:
    server = Server("127.0.0.1:0", metrics.text, lambda: None, lambda: None)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
            return bytes(answer.read())
    finally:
        server.close()


@pytest.mark.parametrize("metrics", [Metrics(), lived()], ids=["new", "lived"])
def test_a_scrape_follows_the_conventions(promtool: Promtool, metrics: Metrics) -> None:
    assert promtool("check", "metrics", given=scrape(metrics)) == ""


def test_a_scrape_that_breaks_them_would_be_told(promtool: Promtool) -> None:
    with pytest.raises(AssertionError, match="counter metrics should have"):
        promtool("check", "metrics", given=b"# HELP a b\n# TYPE a counter\na 1\n")


def test_the_rules_can_be_read(promtool: Promtool) -> None:
    promtool("check", "rules", RULES)


def test_the_rules_fire_when_they_should(promtool: Promtool) -> None:
    promtool("test", "rules", RULES_TEST)


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_rule_is_tested_where_it_fires_and_where_not(rule: dict[str, Any]) -> None:
    cases = yaml.safe_load(RULES_TEST.read_text())["tests"]
    mine = [c for case in cases for c in case["alert_rule_test"] if c["alertname"] == rule["alert"]]
    assert {bool(case["exp_alerts"]) for case in mine} == {True, False}
