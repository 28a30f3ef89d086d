"""Which pods of a StatefulSet are in its way: those that it is to make anew by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.kinds import STATEFUL_SET
from safe_auto_updater.platforms.kubernetes.stuck import free_blocked_pods, of_another_revision
from safe_auto_updater.platforms.kubernetes.target import Target
from safe_auto_updater.platforms.kubernetes.workloads import Workloads

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


class Late(Cluster):
    """A controller that sees the way back only at the third look; its one pod is broken."""

    def __init__(self) -> None:
        super().__init__("lab", Access())
        self.looks = 0
        self.removed: list[str] = []

    def find(self, path: str) -> Json:
        self.looks += 1
        seen = self.looks >= 3
        found = stateful_set()
        found["metadata"] = {"name": "db", "generation": 3}
        found["status"] = {
            "observedGeneration": 3 if seen else 2,
            "updateRevision": "db-1" if seen else "db-2",
        }
        return found

    def listed(self, path: str, **params: Any) -> Iterator[Json]:
        owner = {"kind": "StatefulSet", "apiVersion": "apps/v1", "name": "db", "controller": True}
        broken = pod(0, "db-2")
        broken["metadata"] |= {"namespace": "shop", "uid": "u0", "ownerReferences": [owner]}
        yield from () if self.removed else (broken,)

    def delete(self, path: str, uid: str, *, and_dependents: bool = False) -> None:
        self.removed.append(uid)


def test_controller_that_has_not_seen_the_way_back_is_waited_for() -> None:
    cluster, target = Late(), Target("lab", "shop", STATEFUL_SET, "db")
    free_blocked_pods(Workloads(cluster), target, of_another_revision, lambda _: None, 10)
    assert cluster.removed == ["u0"]
