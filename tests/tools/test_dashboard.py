"""The dashboard, read by Grafana's own types, and each query of it asked of a real Prometheus."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.registries import Asked
from tests.docker.prometheus_kit import Prometheus
from tests.lab_kit import eventually
from tests.lacking import lacking
from tests.metrics_kit import WEB, cycle, event, lived
from tests.tools.conftest import DEPLOY

FILE = DEPLOY / "grafana/dashboard.json"
BOARD: dict[str, Any] = json.loads(FILE.read_text())
PANELS: list[dict[str, Any]] = [one for one in BOARD["panels"] if one["type"] != "row"]
VARIABLES = {"$job": ".*", "$instance": ".*", "$__rate_interval": "10s", "$__range": "1m"}
Faults = Callable[[Path], str]


def test_it_is_what_grafana_reads(dashboard_faults: Faults) -> None:
    assert dashboard_faults(FILE) == ""


@pytest.mark.parametrize(
    ("there", "instead", "told"),
    [
        ('"expr"', '"exprr"', "expr"),
        ('"unit": "s"', '"unitt": "s"', "unitt"),
        ('"schemaVersion": 39', '"schemaVersion": "39"', "schemaVersion"),
        ('"drawStyle"', '"drawStile"', "drawStile"),
        ('"w": 24', '"w": 25', "gridPos.w"),
    ],
)
def test_what_grafana_would_not_read_is_told(
    dashboard_faults: Faults, tmp_path: Path, there: str, instead: str, told: str
) -> None:
    text = FILE.read_text()
    assert there in text
    (tmp_path / "board.json").write_text(text.replace(there, instead))
    assert told in dashboard_faults(tmp_path / "board.json")


def test_its_panels_are_known_and_lie_beside_each_other() -> None:
    """What Grafana's types leave open: which kinds there are, and that none covers another."""
    assert {one["type"] for one in PANELS} <= {"stat", "table", "timeseries", "bargauge"}
    taken = [
        (x, y)
        for place in (one["gridPos"] for one in BOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken)) and max(x for x, _ in taken) < 24
    ids = [one["id"] for one in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert all(one["title"] and one.get("description") for one in PANELS)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A server that has scraped a service in which something goes on all the time."""
    if shutil.which("prometheus") is None:
        lacking("needs prometheus: `python -m lab build` installs Debian's")
    metrics = lived(time.time())
    turns = iter(range(1_000_000))

    def text() -> str:
        update = f"again-{next(turns)}"
        metrics(event("warning"))
        metrics(event("waiting", WEB, update))
        metrics(event("rolled_back", WEB, update, downtime_s=2.0, cause="image"))
        for outcome in ("ok", "timeout"):
            metrics.asked(Asked("ghcr.io", "GET", outcome))
        cycle(metrics, time.time())
        return metrics.text().decode()

    server = Prometheus(tmp_path_factory.mktemp("prometheus"), text)
    yield server
    server.close()


QUERIES = [
    pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for panel in PANELS
    for target in panel["targets"]
] + [pytest.param(one["expr"], id=one["name"]) for one in BOARD["annotations"]["list"]]


@pytest.mark.parametrize("query", QUERIES)
def test_each_query_shows_something(prometheus: Prometheus, query: str) -> None:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    assert "$" not in query
    values = eventually(lambda: prometheus.values(query))
    assert "NaN" not in values
