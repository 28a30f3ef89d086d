"""What a cluster does not tell of releases is a failure of that part; what it tells is weighed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from safe_auto_updater.core.errors import NotFound, PlatformError, PlatformUnreachable
from safe_auto_updater.core.model import Asset, Health, Image, ImageUse, Status
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster, Refused
from safe_auto_updater.platforms.kubernetes.helm.scanner import AT_ONCE, MANY, HelmScanner
from safe_auto_updater.platforms.kubernetes.helm.seen import Around

Json = dict[str, Any]
SILENT = PlatformUnreachable("cluster lab does not answer")


def record(name: str, status: str = "deployed", revision: int = 1, **told: Any) -> Json:
    """A Secret as Helm writes it."""
    body = {
        "name": name,
        "namespace": "shop",
        "version": revision,
        "info": {"status": status},
        "chart": {"metadata": {"name": "web", "version": "1.0.0"}},
    } | told
    packed = base64.b64encode(json.dumps(body).encode())
    labels = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
    meta = {
        "namespace": "shop",
        "name": f"sh.helm.release.v1.{name}.v{revision}",
        "uid": f"{name}-{revision}",
        "resourceVersion": "1",
        "labels": labels,
    }
    return {"metadata": meta, "data": {"release": base64.b64encode(packed).decode()}}


class Keeping(Cluster):
    """Keeps these Secrets; a path that `broken` names raises."""

    def __init__(self, *records: Json, broken: Mapping[str, Exception] | None = None) -> None:
        super().__init__("lab", Access())
        self._records = records
        self._broken = dict(broken or {})
        self.asked: list[str] = []
        self.together = 0

    def get(self, path: str, **params: Any) -> Any:
        self.asked.append(path)
        self._break(path)
        if path == "/apis":
            return {"groups": []}
        (found,) = [one for one in self._records if path.endswith(one["metadata"]["name"])]
        return found

    def listed(self, path: str, **params: Any) -> Iterator[Json]:
        self._break(path)
        if "status!=superseded" in params.get("labelSelector", ""):
            self.together += 1
            self._break("together")
            yield from self._records
        elif path.endswith("/secrets"):
            yield from ({"metadata": one["metadata"]} for one in self._records)

    def _break(self, path: str) -> None:
        for end, error in self._broken.items():
            if end in path:
                raise error


def scanned(
    cluster: Cluster, around: Around | None = None, wanted: bool | None = None
) -> tuple[dict[str, Asset], list[str]]:
    failures: list[tuple[str, str]] = []
    around = around or Around("lab", ["shop"], {}, ())
    assets = HelmScanner(cluster, wanted=wanted).scan(["shop"], around, failures)
    return {asset.name: asset for asset in assets}, [fact for _, fact in failures]


def test_cluster_that_falls_silent_is_told_once_and_not_waited_for_again() -> None:
    many = [record(f"web-{n}") for n in range(50)]
    cluster = Keeping(*many, broken={"sh.helm.release": SILENT, "together": SILENT})
    assets, failures = scanned(cluster)
    assert (assets, failures) == ({}, [str(SILENT)])
    assert len([path for path in cluster.asked if "sh.helm" in path]) <= AT_ONCE


@pytest.mark.parametrize("broken", [{}, {"together": PlatformError("too old")}])
def test_many_are_read_together_and_otherwise_one_by_one(broken: dict[str, Exception]) -> None:
    many = [record(f"web-{n}") for n in range(MANY + 1)]
    cluster = Keeping(*many, broken=broken)
    assets, failures = scanned(cluster)
    one_by_one = [path for path in cluster.asked if "sh.helm" in path]
    assert (len(assets), failures, cluster.together) == (len(many), [], 1)
    assert len(one_by_one) == (len(many) if broken else 0)


def test_damaged_one_among_many_is_told_and_the_others_are_seen() -> None:
    many = [record(f"web-{n}") for n in range(MANY + 1)]
    many[3]["data"] = {}
    assets, (failure,) = scanned(Keeping(*many))
    assert len(assets) == MANY
    assert failure.startswith("release shop/web-3, revision 1: Secret shop/")


def test_record_that_goes_meanwhile_is_no_failure() -> None:
    gone = {"v1.web.v1": NotFound("not found", 404)}
    assets, failures = scanned(Keeping(record("web"), record("db"), broken=gone))
    assert (list(assets), failures) == (["db"], [])


def test_owners_that_cannot_be_asked_are_told_and_releases_are_seen() -> None:
    assets, failures = scanned(Keeping(record("web"), broken={"/apis": PlatformError("too bad")}))
    assert (list(assets), failures) == (["web"], ["who else upgrades releases: too bad"])


def test_what_bears_helms_label_and_is_not_helms_is_left_out() -> None:
    other = record("web")
    other["metadata"]["name"] = "a-secret-of-mine"
    assert scanned(Keeping(other)) == ({}, [])


FORBIDDEN = Refused("secrets is forbidden", 403, "Forbidden")


@pytest.mark.parametrize(
    ("wanted", "error", "told"),
    [
        (None, FORBIDDEN, []),
        (True, FORBIDDEN, ["releases in secrets: secrets is forbidden"]),
        (False, FORBIDDEN, []),
        (None, PlatformError("broken"), ["releases in secrets: broken"]),
    ],
)
def test_only_who_wants_releases_hears_that_they_may_not_be_read(
    wanted: bool | None, error: Exception, told: list[str]
) -> None:
    assert scanned(Keeping(broken={"/secrets": error}), wanted=wanted) == ({}, told)


def test_the_newest_revision_is_the_one_of_the_highest_number() -> None:
    many = [record("web", "superseded", n) for n in (2, 9, 1)] + [record("web", "deployed", 10)]
    cluster = Keeping(*many)
    scanned(cluster)
    assert [path[-4:] for path in cluster.asked if "sh.helm" in path] == [".v10"]


def workload(kind: str, name: str, health: Health) -> Asset:
    use = (ImageUse("web", Image("web:1")),)
    id_ = f"kubernetes:lab/shop/{kind}/{name}"
    return Asset(id_, "kubernetes", kind, name, use, Status.RUNNING, health)


def manifest(*objects: str) -> str:
    """`Kind/name` or `Kind/namespace/name`, one document each."""
    found = ""
    for one in objects:
        kind, *where, name = one.split("/")
        found += f"---\nkind: {kind}\nmetadata:\n  name: {name}\n"
        found += f"  namespace: {where[0]}\n" if where else ""
    return found


WELL = workload("Deployment", "web", Health.HEALTHY)
STARTING = workload("StatefulSet", "db", Health.STARTING)
UNPROVEN = workload("DaemonSet", "agent", Health.NONE)
UNWELL = workload("Deployment", "bad", Health.UNHEALTHY)
CRON = workload("CronJob", "nightly", Health.NONE)
ALL = (WELL, STARTING, UNPROVEN, UNWELL, CRON)
# what the manifest names, kinds that could not be read -> health, and what is missed
HEALTHS: list[tuple[tuple[str, ...], tuple[str, ...], Health, str]] = [
    ((), (), Health.NONE, ""),
    (("ConfigMap/web",), (), Health.NONE, ""),
    (("Deployment/web",), (), Health.HEALTHY, ""),
    (("Deployment/web", "CronJob/nightly"), (), Health.HEALTHY, ""),
    (("Deployment/web", "DaemonSet/agent"), (), Health.NONE, ""),
    (("Deployment/web", "DaemonSet/agent", "StatefulSet/db"), (), Health.STARTING, ""),
    (("StatefulSet/db", "Deployment/bad"), (), Health.UNHEALTHY, ""),
    (("Deployment/web", "Deployment/gone"), (), Health.UNHEALTHY, "Deployment shop/gone of it"),
    (("Deployment/web", "DaemonSet/gone"), ("DaemonSet",), Health.HEALTHY, ""),
    (("Deployment/web", "Deployment/elsewhere/gone"), (), Health.HEALTHY, ""),
]


@pytest.mark.parametrize(("objects", "unlisted", "health", "missed"), HEALTHS)
def test_health_is_the_worst_of_what_a_release_owns(
    objects: tuple[str, ...], unlisted: tuple[str, ...], health: Health, missed: str
) -> None:
    around = Around("lab", ["shop"], {one.id: one for one in ALL}, unlisted)
    assets, _ = scanned(Keeping(record("web", manifest=manifest(*objects))), around)
    assert assets["web"].health is health
    assert "; ".join(o.reason for o in assets["web"].obstacles).startswith(missed)


UNCLEAR = {
    "no YAML": ({"manifest": "kind: Deployment\nmetadata: [\n"}, "its manifest is no YAML"),
    "objects elsewhere": ({"namespace": "other"}, "its record is kept in shop and its objects are"),
}


@pytest.mark.parametrize("what", UNCLEAR)
def test_release_of_which_not_all_is_clear_is_held(what: str) -> None:
    told, words = UNCLEAR[what]
    assets, failures = scanned(Keeping(record("web", **told)))
    assert failures == []
    assert assets["web"].obstacles[0].reason.startswith(words)


def test_values_of_a_release_are_its_configuration() -> None:
    def configured(**config: Any) -> str | None:
        assets, _ = scanned(Keeping(record("web", config=config)))
        return assets["web"].configuration

    assert configured(port=1) == configured(port=1) != configured(port=2)
