"""Which pods of a StatefulSet are in its way: those that it is to make anew by itself."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.platforms.kubernetes.stuck import of_another_revision

Json = dict[str, Any]


def stateful_set(**strategy: Any) -> Json:
    spec = {"replicas": 3, "updateStrategy": strategy}
    return {"spec": spec, "status": {"updateRevision": "db-2"}}


def pod(ordinal: int, revision: str) -> Json:
    labels = {"controller-revision-hash": revision}
    return {"metadata": {"name": f"db-{ordinal}", "labels": labels}}


ROLLING = stateful_set(type="RollingUpdate", rollingUpdate={"partition": 0})
PARTED = stateful_set(type="RollingUpdate", rollingUpdate={"partition": 2})


@pytest.mark.parametrize(
    ("workload", "found", "expected"),
    [
        (ROLLING, pod(0, "db-1"), True),
        (ROLLING, pod(0, "db-2"), False),
        (PARTED, pod(2, "db-1"), True),
        (PARTED, pod(1, "db-1"), False),
        (stateful_set(type="OnDelete"), pod(2, "db-1"), False),
    ],
)
def test_pod_that_is_kept_back_is_in_nobodys_way(
    workload: Json, found: Json, expected: bool
) -> None:
    assert of_another_revision(workload, found) is expected
