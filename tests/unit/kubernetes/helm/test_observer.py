"""What a look at a release takes into account of the pods that it owns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from safe_auto_updater.core.model import Action, Change, Image, Step
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.updater import Work
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.helm.objects import Objects
from safe_auto_updater.platforms.kubernetes.helm.observer import ReleaseObserver
from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece
from safe_auto_updater.platforms.kubernetes.observer import SOAK_PROVEN_S

Json = dict[str, Any]
ASSET = "helm:lab/shop/web"
WORK = Work("u", Step("s", ASSET, Action.UPDATE, (Change(ASSET, "chart", Image("web:1")),)), {})
WELL = {"conditions": [{"type": "Ready", "status": "True"}]}
SERVING = {"containers": [{"name": "web", "image": "web:1", "readinessProbe": {}}]}
RUNNING = {"containers": [{"name": "web", "image": "web:1"}]}


def pod(name: str, owner: str, kind: str, ip: str, **meta: Any) -> Json:
    by = {"kind": kind, "apiVersion": "apps/v1", "name": owner, "controller": True}
    known = {"name": name, "uid": name, "namespace": "shop", "ownerReferences": [by]}
    return {
        "metadata": known | meta,
        "spec": RUNNING,
        "status": WELL | {"podIPs": [{"ip": ip}]},
    }


DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "web", "generation": 1},
    "spec": {"replicas": 1, "template": {"spec": SERVING}},
    "status": {"observedGeneration": 1, "updatedReplicas": 1},
}
CRON_JOB = {
    "kind": "CronJob",
    "metadata": {"name": "tidy"},
    "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": RUNNING}}}},
}
PIECES = (
    Piece("apps/v1", "Deployment", "shop", "web", DEPLOYMENT),
    Piece("batch/v1", "CronJob", "shop", "tidy", CRON_JOB),
)


class Shop(Cluster):
    """A release of a Deployment and a CronJob, and these pods."""

    def __init__(self, *pods: Json) -> None:
        super().__init__("lab", Access())
        self.pods = pods

    def get(self, path: str, **params: Any) -> Any:
        group = "/".join(path.split("/")[2:])
        kinds = {"apps/v1": ("Deployment", "deployments"), "batch/v1": ("CronJob", "cronjobs")}
        kind, plural = kinds[group]
        return {"resources": [{"kind": kind, "name": plural, "namespaced": True}]}

    def find(self, path: str) -> Json:
        return DEPLOYMENT if "deployments" in path else CRON_JOB

    def listed(self, path: str, **params: Any) -> Iterator[Json]:
        yield from self.pods


SERVES = pod("web-1", "web-5d9", "ReplicaSet", "10.0.0.1", labels={"pod-template-hash": "5d9"})


def run(number: int) -> Json:
    return pod(f"tidy-{number}-x", f"tidy-{number}", "Job", "10.0.0.9")


def observer(*pods: Json) -> ReleaseObserver:
    return ReleaseObserver(Objects(Shop(*pods)), Settings())


def test_runs_of_a_cron_job_that_come_and_go_begin_no_watch_anew() -> None:
    looks = [observer(SERVES, run(n)).look(WORK, PIECES) for n in (29000001, 29000002)]
    assert looks[0].seen == looks[1].seen and "web-1" in looks[0].seen
    assert [result.state.value for result in looks[0].results] == ["passed"]
    assert observer().patience(WORK, PIECES).stable_for_s == SOAK_PROVEN_S


def test_checks_ask_no_pod_that_goes_and_no_run_of_a_cron_job() -> None:
    goes = pod(
        "web-0", "web-5d9", "ReplicaSet", "10.0.0.5",
        labels={"pod-template-hash": "5d9"}, deletionTimestamp="2026-01-01T00:00:00Z",
    )  # fmt: skip
    (subject,) = observer(goes, run(29000001), SERVES).look(WORK, PIECES).subjects
    assert subject.addresses == ("10.0.0.1",)
