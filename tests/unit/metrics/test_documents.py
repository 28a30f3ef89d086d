"""The document, the rules and the dashboard speak of what is there, and of all of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from safe_auto_updater.core.outcome import Cause, Outcome
from safe_auto_updater.core.versions import Bump
from tests.metrics_kit import labelled, lived

ROOT = Path(__file__).parents[3]
DOC = (ROOT / "docs/metrics.md").read_text()
RULES = (ROOT / "deploy/prometheus/rules.yml").read_text()
BOARD = (ROOT / "deploy/grafana/dashboard.json").read_text()
OURS = "safe_auto_updater_"
METRICS = lived()
LABELS = labelled(METRICS)


def expressions() -> list[Any]:
    """Every query that we ship."""
    groups = yaml.safe_load(RULES)["groups"]
    found = [(rule["alert"], rule["expr"]) for group in groups for rule in group["rules"]]
    board = json.loads(BOARD)
    for panel in board["panels"]:
        found += [(panel["title"], one["expr"]) for one in panel.get("targets", ())]
    found += [(one["name"], one["expr"]) for one in board["annotations"]["list"]]
    found += [(one["name"], str(one["query"])) for one in board["templating"]["list"]]
    return [pytest.param(expression, id=name) for name, expression in found]


def named(text: str) -> set[str]:
    """The metrics that a text names, a part of a histogram as the whole."""
    names = re.findall(rf"\b(?:{OURS}|process_)\w+", text)
    return {re.sub(r"(?<=downtime_seconds)_(bucket|sum|count)$", "", name) for name in names}


@pytest.mark.parametrize("expression", expressions())
def test_each_query_names_only_metrics_that_there_are(expression: str) -> None:
    assert named(expression) - LABELS.keys() == set()


def test_the_document_has_each_metric_as_it_is() -> None:
    rows = []
    for family in METRICS.registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        if name.startswith(OURS):
            labels = ", ".join(f"`{label}`" for label in sorted(LABELS[name]))
            rows.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    assert re.findall(rf"^\| `{OURS}.*$", DOC, re.M) == rows


def test_the_document_names_no_metric_that_there_is_not() -> None:
    assert named(DOC) - LABELS.keys() == set()
    assert {name for name in LABELS if name.startswith("process_")} <= named(DOC)


def test_each_label_is_explained_with_its_words() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", DOC, re.M))
    assert set().union(*LABELS.values()) <= rows.keys()
    for label, words in (("outcome", Outcome), ("cause", Cause), ("bump", Bump)):
        assert {f"`{word.value}`" for word in words} <= set(re.findall(r"`\w+`", rows[label]))


def test_each_alert_has_its_section_where_it_says() -> None:
    alerts = re.findall(r"^ *- alert: (\w+)$", RULES, re.M)
    sections = re.findall(r"^### (SafeAutoUpdater\w+)$", DOC, re.M)
    assert sections == alerts
    runbooks = re.findall(r"^ *runbook: (\S+)$", RULES, re.M)
    assert runbooks == [f"docs/metrics.md#{alert.lower()}" for alert in alerts]
