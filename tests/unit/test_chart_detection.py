"""What ChartDetector says where its sources or the cluster do not answer, and what it asks."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from safe_auto_updater.core.charts import ListedChart, Listing
from safe_auto_updater.core.codec import step_from_json, to_json
from safe_auto_updater.core.errors import PlatformUnreachable, RegistryError
from safe_auto_updater.core.model import (
    Action,
    Asset,
    Change,
    Health,
    Image,
    ImageUse,
    Status,
    Step,
)
from safe_auto_updater.core.planning import decide
from safe_auto_updater.core.policy import Keys, Settings, resolve
from safe_auto_updater.core.versions import PolicyLevel
from safe_auto_updater.engine.chart_detection import ChartDetector
from safe_auto_updater.engine.past import Past
from safe_auto_updater.engine.side_by_side import place_of
from safe_auto_updater.engine.state import open_state

WEB = "helm:prod/shop/web"
MINOR = Keys(policy=PolicyLevel.MINOR)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


@dataclass
class Shelf:
    """A source of one chart."""

    charts: list[ListedChart]
    broken: dict[str, str] = field(default_factory=dict)  # version or question -> reason
    asked: list[str] = field(default_factory=list)

    def listed(self, asset: str, chart: str) -> Listing:
        self._fail("listed")
        return Listing(f"https://x: {chart}", tuple(self.charts))

    def described(self, asset: str, chart: str, version: str) -> ListedChart:
        self._fail(f"described {version}")
        (found,) = [one for one in self.charts if one.version == version]
        return replace(found, digest=found.digest or digest(99))

    def archive(self, asset: str, chart: str, version: str, digest: str | None) -> bytes:
        self._fail(f"archive {version}")
        return b""

    def _fail(self, what: str) -> None:
        self.asked.append(what)
        if what in self.broken:
            raise RegistryError(f"{what} failed", self.broken[what])


def shelf(*versions: str, **more: str) -> Shelf:
    found = [
        ListedChart(text, f"https://x/{text}", digest(n), **more)  # type: ignore[arg-type]
        for n, text in enumerate(versions)
    ]
    return Shelf(found)


def asset(running: str = "1.0.0") -> Asset:
    use = ImageUse("chart", Image(f"web:{running}", running))
    return Asset(WEB, "helm", "release", "web", (use,), Status.RUNNING, Health.NONE)


def check(
    source: Shelf, folder: Path, running: str = "1.0.0", cluster: str | None = "v1.34.4"
) -> Change:
    def version() -> str:
        if cluster is None:
            raise PlatformUnreachable("cluster prod does not answer")
        return cluster

    with closing(open_state(folder)) as connection:
        past = Past(connection, (), (), lambda: 1_000_000.0)
        policy = resolve(Settings(default=MINOR), WEB, {})
        (change,) = ChartDetector(source, past, version).check(asset(running), policy)
        past.keep()
        return change


@pytest.mark.parametrize("reason", ["auth", "server", "timeout", "unreachable", "not_found"])
def test_a_source_that_does_not_tell_is_unknown(tmp_path: Path, reason: str) -> None:
    source = shelf("1.0.0", "1.1.0")
    source.broken["listed"] = reason
    found = check(source, tmp_path)
    assert (found.candidate, found.error) == (None, "unknown: listed failed")


@pytest.mark.parametrize("question", ["described 1.1.0", "archive 1.1.0"])
@pytest.mark.parametrize(
    ("reason", "unknown"),
    [("not_found", False), ("malformed", False), ("server", True), ("timeout", True)],
)
def test_a_version_that_cannot_be_had_is_passed_over_and_a_silence_is_not(
    tmp_path: Path, question: str, reason: str, unknown: bool
) -> None:
    source = shelf("1.0.0", "1.0.1", "1.1.0")
    source.broken[question] = reason
    found = check(source, tmp_path)
    assert (found.candidate is None) is unknown
    if unknown:
        assert found.error == f"unknown: {question} failed"
    else:
        assert found.candidate is not None
        assert found.candidate.version == "1.0.1"
        assert [one.tag for one in found.rejected] == ["1.1.0"]


def test_many_versions_that_cannot_be_had_are_unknown(tmp_path: Path) -> None:
    source = shelf("1.0.0", *(f"1.1.{n}" for n in range(20)))
    source.broken = {f"described 1.1.{n}": "not_found" for n in range(20)}
    assert "the 10 newest allowed versions cannot be had" in (check(source, tmp_path).error or "")


def test_the_cluster_is_asked_for_its_version_only_where_a_chart_minds(tmp_path: Path) -> None:
    assert check(shelf("1.0.0", "1.1.0"), tmp_path, cluster=None).candidate is not None
    found = check(shelf("1.0.0", "1.1.0", kube_version=">=1.19"), tmp_path, cluster=None)
    assert found.error == (
        "unknown, the cluster did not tell its version: cluster prod does not answer"
    )
    found = check(shelf("1.0.0", "1.1.0", kube_version=">=1.19"), tmp_path, cluster="None")
    assert "'None' is no version of Kubernetes" in (found.error or "")


@pytest.mark.parametrize("running", ["1.0", "latest", ""])
def test_what_is_no_version_has_nothing_newer(tmp_path: Path, running: str) -> None:
    found = check(shelf("1.1.0"), tmp_path, running)
    assert (found.candidate, found.error) == (None, None)
    assert "is no Semantic Version" in (found.note or "")


def test_what_is_current_costs_one_question(tmp_path: Path) -> None:
    source = shelf("0.9.0", "1.0.0")
    found = check(source, tmp_path)
    assert (found.candidate, found.note, found.rejected) == (None, None, ())
    assert source.asked == ["listed"]


def test_remarks_are_told_with_the_reasons_and_kept_in_a_saved_plan() -> None:
    from safe_auto_updater.core.case import Case
    from safe_auto_updater.core.memory import Memory

    new = Image("web:1.1.0", "1.1.0", digest(1), digest(1))
    found = Change(WEB, "chart", Image("web:1.0.0", "1.0.0"), new, "minor", remarks=("told",))
    policy = resolve(Settings(default=MINOR), WEB, {})
    step = decide(Case(asset(), (found,), policy, Memory(0.0)))
    assert "told" in step.reasons
    assert step_from_json(to_json(step)) == step
    idle = decide(Case(asset(), (replace(found, candidate=None),), policy, Memory(0.0)))
    assert (idle.action, idle.reasons) == (Action.NONE, ("nothing newer exists", "told"))


def test_an_older_plan_without_remarks_can_be_read() -> None:
    step = Step(WEB, Action.NONE, changes=(Change(WEB, "chart", Image("web:1.0.0")),))
    written = to_json(step)
    del written["changes"][0]["remarks"]
    assert step_from_json(written) == step


def test_releases_of_one_chart_wait_for_one_place() -> None:
    assert place_of(asset("1.0.0")) == place_of(asset("2.0.0")) == "chart web"
