"""How well a release is known, by what each of its objects says."""

from __future__ import annotations

import pytest

from safe_auto_updater.core.ports import CheckResult, CheckState
from safe_auto_updater.platforms.kubernetes.helm.readiness import all_prove
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
