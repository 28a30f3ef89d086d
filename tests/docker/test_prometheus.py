"""Updates judged by a real Prometheus, and held by it while there is an incident."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.prometheus_kit import PASSWORD, Prometheus, Served
from tests.lab_kit import World
from tests.sau_kit import Sau

pytestmark = pytest.mark.any_engine

QUERY = 'max(shop_error_ratio{container="{name}"})'
CHECK = """\
stable_for: 2s
    checks:
      - match: {{asset: "*/*-web"}}
        type: prometheus
        url: "{url}"
        query: '{query}'
        expect: "< 0.05"
        timeout: 4s
"""
HOLDS = """\
detection:
  block_while:
    - {{match: {{asset: "*/*-web"}}, url: "{url}", query: "incident == 0", timeout: 20s}}
"""


class Shop:
    """What the exporter tells: the errors of each version, as far as it knows any."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.ratios: dict[str, str] = {"1.0.0": "0.01"}
        self.incident: str | None = None

    def metrics(self) -> str:
        lines = [] if self.incident is None else [f"incident {self.incident}"]
        version = self._version()
        if version in self.ratios:
            named = f'container="{self._world.prefix}-web"'
            lines.append(f"shop_error_ratio{{{named}}} {self.ratios[version]}")
        return "".join(f"{line}\n" for line in lines)

    def _version(self) -> str:
        try:
            return self._world.http("web") or ""
        except Exception:
            return ""  # between two containers


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


@pytest.fixture
def prometheus(shop: Shop, tmp_path: Path) -> Iterator[Prometheus]:
    server = Prometheus(tmp_path, shop.metrics)
    yield server
    server.close()


def configure(sau: Sau, url: str, query: str = QUERY, more: str = "") -> None:
    """Judged by the query; nobody waits longer than six seconds."""
    sau.config.write_text(
        f'inventory: {{include: ["*/{sau.world.prefix}-*"]}}\n'
        "execution:\n  health:\n    timeout: 6s\n    " + CHECK.format(url=url, query=query) + more
    )


def newer(world: World, prometheus: Prometheus) -> str:
    """1.0.0 runs and is known to Prometheus, 1.1.0 is newer."""
    container = world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")
    prometheus.has("shop_error_ratio", "0.01")
    return container


def test_update_that_the_query_finds_well_is_kept(
    world: World, sau: Sau, shop: Shop, prometheus: Prometheus
) -> None:
    shop.ratios["1.1.0"] = "0.02"
    newer(world, prometheus)
    configure(sau, prometheus.url)

    said = sau("apply", "--yes")

    assert (said.code, said.update["outcome"]) == (0, "succeeded")
    assert world.text("web") == "1.1.0"


def test_update_that_the_query_finds_bad_is_taken_back_and_not_tried_again(
    world: World, sau: Sau, shop: Shop, prometheus: Prometheus
) -> None:
    shop.ratios["1.1.0"] = "0.4"
    old = newer(world, prometheus)
    configure(sau, prometheus.url)

    said = sau("apply", "--yes")

    assert said.code == 3
    assert (said.update["outcome"], said.update["cause"]) == ("rolled_back", "image")
    assert "0.4 is not < 0.05" in said.update["error"]
    assert world.ids() == {old}
    assert world.text(old) == "1.0.0"
    assert sau("plan").step(f"{world.prefix}-web")["hold_rules"] == ["memory"]


@pytest.mark.parametrize("ratio", [None, "NaN"])
def test_update_that_nobody_can_judge_is_taken_back_and_blames_no_image(
    world: World, sau: Sau, shop: Shop, prometheus: Prometheus, ratio: str | None
) -> None:
    if ratio is not None:
        shop.ratios["1.1.0"] = ratio
    old = newer(world, prometheus)
    configure(sau, prometheus.url)

    said = sau("apply", "--yes")

    assert said.code == 3
    assert (said.update["outcome"], said.update["cause"]) == ("rolled_back", "platform")
    assert "health unknown" in said.update["error"]
    assert ("no data" if ratio is None else ratio) in said.update["error"]
    assert world.ids() == {old}
    assert world.text(old) == "1.0.0"
    assert sau("plan").step(f"{world.prefix}-web")["action"] == "update"


def test_update_does_not_begin_where_nobody_can_judge_the_old_version(
    world: World, sau: Sau, prometheus: Prometheus
) -> None:
    old = newer(world, prometheus)
    prometheus.kill()
    configure(sau, prometheus.url)

    said = sau("apply", "--yes")

    assert (said.update["outcome"], said.update["cause"]) == ("aborted", "conflict")
    assert "health unknown" in said.update["error"] and prometheus.url in said.update["error"]
    assert world.ids() == {old}


def test_several_series_are_not_judged(world: World, sau: Sau, prometheus: Prometheus) -> None:
    newer(world, prometheus)
    configure(sau, prometheus.url, "scrape_duration_seconds or up or shop_error_ratio")

    said = sau("apply", "--yes")

    assert said.update["outcome"] == "aborted"
    assert "values where one is judged" in said.update["error"]


def test_prometheus_with_a_password_is_asked_with_it(
    world: World, sau: Sau, shop: Shop, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    prometheus = Prometheus(tmp_path / "own", shop.metrics, password=True)
    try:
        shop.ratios["1.1.0"] = "0.01"
        world.run(world.publish("1.0.0").reference)
        world.publish("1.1.0")
        configure(sau, prometheus.url)
        unknown = sau("doctor", json_output=False)
        refused = sau("apply", "--yes")
        file = tmp_path / "password"
        file.write_text(f"{PASSWORD}\n")
        named = f'"< 0.05"\n        username: sau\n        password_file: {file}\n'
        sau.config.write_text(sau.config.read_text().replace('"< 0.05"\n', named))
        known = sau("doctor", json_output=False)
        allowed = sau("apply", "--yes")
    finally:
        prometheus.close()

    assert (unknown.code, known.code) == (1, 0)
    assert "refused us (401)" in unknown.out and f"{prometheus.url} answers" in known.out
    assert refused.update["outcome"] == "aborted"
    assert "check token_file or username and password_file" in refused.update["error"]
    assert allowed.update["outcome"] == "succeeded"
    assert PASSWORD not in allowed.out + allowed.err


def test_incident_holds_updates_and_its_end_lets_them_go(
    world: World, sau: Sau, shop: Shop, prometheus: Prometheus, tmp_path: Path
) -> None:
    shop.ratios["1.1.0"] = "0.01"
    old = newer(world, prometheus)
    sau.configure(extra=HOLDS.format(url=prometheus.url))
    plan = tmp_path / "plan.json"
    assert sau("plan", "--save", str(plan)).step(f"{world.prefix}-web")["action"] == "update"

    shop.incident = "0"  # as with `up == 0`: what is returned holds, whatever its value
    prometheus.has("incident", "0")
    step = sau("plan").step(f"{world.prefix}-web")
    held = sau("apply", "--yes")
    planned_before = sau("apply", "--yes", "--plan", str(plan))

    assert (step["action"], step["hold_rules"]) == ("hold", ["block_while"])
    (reason,) = step["reasons"]
    assert "an incident (block_while */*-web): incident == 0 returned incident{" in reason
    assert (held.code, held.json["updates"]) == (0, [])
    assert planned_before.code == 2  # the plan of before does not hold any more
    assert world.ids() == {old}

    shop.incident = None
    prometheus.has("incident")
    assert sau("apply", "--yes").update["outcome"] == "succeeded"
    assert world.text("web") == "1.1.0"


def test_prometheus_that_does_not_answer_holds_updates(
    world: World, sau: Sau, prometheus: Prometheus
) -> None:
    old = newer(world, prometheus)
    sau.configure(extra=HOLDS.format(url=prometheus.url))
    prometheus.kill()

    step = sau("plan").step(f"{world.prefix}-web")

    assert (step["action"], step["hold_rules"]) == ("hold", ["block_while"])
    (reason,) = step["reasons"]
    assert "nobody can say whether there is an incident (block_while */*-web)" in reason
    assert f"{prometheus.url}: " in reason and "refused" in reason
    assert (sau("apply", "--yes").json["updates"], world.ids()) == ([], {old})


EMPTY = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}})
BUSY = json.dumps(
    {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "1"]}]},
    }
)


@pytest.mark.parametrize(
    ("after", "then"),
    [(1, (200, BUSY)), (1, (200, EMPTY[:20])), (2, (200, BUSY)), (2, (500, "{}"))],
)
def test_incident_that_begins_on_the_way_is_seen_before_anything_changes(
    world: World, sau: Sau, after: int, then: tuple[int, str]
) -> None:
    """The plan asks, the beginning asks, and after the pull it is asked once more."""
    asked: list[str] = []

    def answer(path: str) -> tuple[int, str]:
        asked.append(path)
        return (200, EMPTY) if len(asked) <= after else then

    server = Served(answer)
    old = world.run(world.publish("1.0.0").reference)
    world.publish("1.1.0")
    sau.configure(extra=HOLDS.format(url=server.url))

    said = sau("apply", "--yes")

    assert len(asked) == after + 1
    assert world.ids() == {old}
    assert world.text(old) == "1.0.0"
    if after == 1:
        assert said.json["updates"] == []
    else:
        assert (said.update["outcome"], said.update["cause"]) == ("aborted", "conflict")
        assert "block_while" in said.update["error"]
    server.close()


def test_question_is_asked_once_for_all_assets(world: World, sau: Sau) -> None:
    asked: list[str] = []

    def answer(path: str) -> tuple[int, str]:
        asked.append(path)
        return 200, BUSY

    server = Served(answer)
    for name in ("a-web", "b-web"):
        world.run(world.publish("1.0.0", name=name).reference, name)
        world.publish("1.1.0", name=name)
    sau.configure(extra=HOLDS.format(url=server.url))

    steps = sau("plan").json["steps"]

    assert [step["hold_rules"] for step in steps] == [["block_while"]] * 2
    assert len(asked) == 1
    server.close()
