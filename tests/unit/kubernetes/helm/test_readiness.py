"""How well a release is known, by what each of its objects says."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.core.ports import CheckResult, CheckState
from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece
from safe_auto_updater.platforms.kubernetes.helm.readiness import all_prove, judge_piece
from safe_auto_updater.platforms.kubernetes.judging import Judged


def through(*, proves: bool) -> CheckResult:
    return CheckResult("rollout", CheckState.PASSED, proves=proves)


PROBED, UNPROBED = Judged((through(proves=True),)), Judged((through(proves=False),))
NO_PODS = Judged((through(proves=False),), "scaled to 0: no pod runs")
SERVICE = Judged(())


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        ([PROBED, PROBED, SERVICE], True),
        ([PROBED, UNPROBED], False),
        ([PROBED, NO_PODS], True),
        ([NO_PODS], False),
        ([SERVICE], False),
        ([], False),
    ],
)
def test_release_is_proven_well_where_each_of_its_workloads_is(
    judged: list[Judged], expected: bool
) -> None:
    assert all_prove(judged) is expected


def job(**spec: Any) -> Piece:
    return Piece("batch/v1", "Job", "shop", "load", {"kind": "Job", "metadata": {}, "spec": spec})


@pytest.mark.parametrize(("spec", "missed"), [({"ttlSecondsAfterFinished": 60}, False), ({}, True)])
def test_job_that_goes_once_it_has_ended_is_missed_by_nobody(
    spec: dict[str, Any], missed: bool
) -> None:
    told = judge_piece(job(**spec), None, ())
    assert [result.check for result in told.results] == ["Job load is not there"] * missed
