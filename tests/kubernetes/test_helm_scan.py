"""Releases that real helm made are seen as they are: chart, status, health, what is in the way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.kubernetes.charts import Chart, config_map, plain
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Json, Namespace, deployment
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.whole_chart import hook
from tests.lab_kit import eventually


def seen(sau: ClusterSau, name: str = "web") -> Json:
    """What a scan says of one release; nothing may be missing."""
    said = sau("scan")
    assert (said.code, said.json["failures"]) == (0, []), said
    (found,) = [one for one in said.json["assets"] if one["id"] == sau.release(name)]
    asset: Json = found
    return asset


def chart_of(asset: Json) -> tuple[str, str]:
    (use,) = asset["images"]
    assert use["container"] == "chart"
    return use["reference"], use["declared"]


def reasons(asset: Json) -> str:
    return "; ".join(one["reason"] for one in asset["obstacles"])


def serving(namespace: Namespace, version: str, **recipe: str) -> Chart:
    """A chart with one Deployment."""
    image = namespace.publish(version, **recipe).reference
    templates = {"web.yaml": deployment("{{ .Release.Name }}", image)}
    return Chart(version=version, app_version=f"app-{version}", templates=templates)


def test_release_is_seen_with_its_newest_chart_and_its_workloads_health(
    namespace: Namespace, sau: ClusterSau, helm: Helm
) -> None:
    helm.install("web", serving(namespace, "1.0.0"), "--wait")
    helm.upgrade("web", serving(namespace, "1.1.0"), "--wait")
    helm.rollback("web", 1, "--wait")
    helm.upgrade("web", serving(namespace, "1.2.0"), "--wait")

    asset = eventually(lambda: (one := seen(sau))["health"] == "healthy" and one)
    assert chart_of(asset) == ("web:1.2.0", "app-1.2.0")
    assert (asset["platform"], asset["kind"], asset["name"]) == ("helm", "release", "web")
    assert (asset["status"], asset["managed_by"], asset["obstacles"]) == ("running", None, [])
    assert "web 1.2.0 (app app-1.2.0)" in " ".join(sau("scan", json_output=False).out.split())
    assert "1 workload, 1 release" in sau("scan", json_output=False).out

    (workload,) = [one for one in sau("scan").json["assets"] if one["kind"] == "Deployment"]
    assert workload["managed_by"] == "helm:web"
    assert "Helm release web owns it" in reasons(workload), "held as ever"


def test_unwell_workload_makes_its_release_unwell(
    namespace: Namespace, sau: ClusterSau, helm: Helm
) -> None:
    helm.install("web", serving(namespace, "1.0.0", behaviour="crash"))
    eventually(lambda: seen(sau)["health"] == "unhealthy", 60)
    assert seen(sau)["status"] == "running"


def test_workload_that_somebody_deleted_is_missed(
    namespace: Namespace, sau: ClusterSau, helm4: Helm
) -> None:
    helm4.install("web", serving(namespace, "1.0.0"), "--wait")
    namespace.run("delete", "deployment", "web")
    asset = seen(sau)
    assert asset["health"] == "unhealthy"
    assert f"Deployment {namespace.name}/web of it is not there" in reasons(asset)


def failed(helm: Helm) -> None:
    """An upgrade that the API server refuses."""
    helm.install("web", plain("1.0.0"))
    bad = plain("1.1.0", more={"bad.yaml": config_map("Not-A-Name")})
    assert helm.say(*helm.command("upgrade", "web", bad)).code != 0
    assert helm.status("web") == "failed"


def never_installed(helm: Helm) -> None:
    bad = plain("1.1.0", more={"bad.yaml": config_map("Not-A-Name")})
    assert helm.say(*helm.command("install", "web", bad)).code != 0


def _killed(helm: Helm, verb: str, status: str) -> None:
    """helm, killed while it waits for a hook."""
    image = helm.namespace.publish("1.0.0", behaviour="never_ready").reference
    waits = hook(f"pre-{verb}", image)
    chart = plain("1.1.0", more={"hook.yaml": waits})
    if verb == "rollback":
        helm.install("web", chart)
        helm.upgrade("web", plain("1.2.0"))
        words = ["rollback", "web", "1"]
    else:
        if verb == "upgrade":
            helm.install("web", plain("1.0.0"))
        words = helm.command(verb, "web", chart)
    client = helm.start(*words)
    eventually(lambda: helm.status("web") == status and helm.namespace.get("jobs")["items"])
    client.kill()
    client.wait(20)


def pending_install(helm: Helm) -> None:
    _killed(helm, "install", "pending-install")


def pending_upgrade(helm: Helm) -> None:
    _killed(helm, "upgrade", "pending-upgrade")


def pending_rollback(helm: Helm) -> None:
    _killed(helm, "rollback", "pending-rollback")


def uninstalled(helm: Helm) -> None:
    helm.install("web", plain("1.0.0"))
    helm.uninstall("web", "--keep-history")


def record_lost(helm: Helm) -> None:
    """Somebody deleted the record of the revision that runs."""
    helm.install("web", plain("1.0.0"))
    helm.upgrade("web", plain("1.1.0"))
    helm.namespace.run("delete", "secret", "sh.helm.release.v1.web.v2")


# how it came about -> chart and status that are shown, and what is in the way
STANDINGS: list[tuple[Callable[[Helm], None], str, str, str]] = [
    (failed, "web:1.1.0", "running", 'revision 2 has failed (Upgrade "web" failed: '),
    (never_installed, "web:1.1.0", "running", "revision 1 has failed ("),
    (pending_install, "web:1.1.0", "created", "an install that began 20"),
    (
        pending_upgrade,
        "web:1.1.0",
        "running",
        "(revision 2 is pending-upgrade): another client",
    ),
    (pending_rollback, "web:1.1.0", "running", "a rollback that began 20"),
    (uninstalled, "web:1.0.0", "exited", "it was uninstalled, and only its history is kept"),
    (record_lost, "web:1.0.0", "unknown", "none of its revisions is deployed, and the newest (1)"),
]


@pytest.mark.parametrize("standing", STANDINGS, ids=lambda one: one[0].__name__)
def test_release_that_does_not_stand_well_is_held_and_says_why(
    namespace: Namespace,
    sau: ClusterSau,
    helm: Helm,
    standing: tuple[Callable[[Helm], None], str, str, str],
) -> None:
    come_about, chart, status, words = standing
    come_about(helm)
    asset = seen(sau)
    assert (chart_of(asset)[0], asset["status"]) == (chart, status), asset
    assert words in reasons(asset), asset


def test_pending_release_tells_since_when_and_the_way_out(
    namespace: Namespace, sau: ClusterSau, helm: Helm
) -> None:
    began = time.time()
    pending_upgrade(helm)
    told = reasons(seen(sau))
    minutes = (time.gmtime(at) for at in (began - 60, began, began + 60, began + 120))
    assert any(time.strftime("%Y-%m-%d %H:%M UTC", one) in told for one in minutes), told
    assert f"If none is: `sau recover {helm.namespace.name}/web`, or " in told
    _, _, way_out = told.partition("`, or ")
    helm.run(*way_out.strip("`").split()[1:])
    assert seen(sau)["obstacles"] == [], "what it says helps"


def test_configmap_driver_is_seen_as_well(
    namespace: Namespace, sau: ClusterSau, helm: Helm
) -> None:
    helm.driver = "configmap"
    helm.install("web", plain("1.0.0"))
    helm.upgrade("web", plain("1.1.0"))
    assert chart_of(seen(sau))[0] == "web:1.1.0"


def test_release_that_is_kept_twice_is_held(
    namespace: Namespace, sau: ClusterSau, helm4: Helm
) -> None:
    helm4.install("web", plain("1.0.0"))
    helm4.driver = "configmap"
    helm4.install("web", plain("1.1.0"), "--take-ownership")
    assert "it is kept in a ConfigMap and a Secret" in reasons(seen(sau))


def test_all_namespaces_are_looked_at_where_none_is_named(
    namespace: Namespace, sau: ClusterSau, helm: Helm
) -> None:
    sau.configure(everywhere=True)
    helm.install("web", plain("1.0.0"))
    assets = eventually(lambda: sau("scan").json["assets"])
    assert sau.release() in [one["id"] for one in assets]


def test_switched_off_nothing_is_seen(namespace: Namespace, sau: ClusterSau, helm4: Helm) -> None:
    helm4.install("web", plain("1.0.0"))
    sau.configure(cluster=", helm: false")
    assert sau("scan").json["assets"] == []


def test_damaged_record_is_told_and_the_others_are_seen(
    namespace: Namespace, sau: ClusterSau, helm: Helm
) -> None:
    helm.install("web", plain("1.0.0"))
    helm.install("db", plain("2.0.0"))
    broken = json.dumps({"data": {"release": "Z2FyYmFnZQ=="}})
    namespace.run("patch", "secret", "sh.helm.release.v1.web.v1", "-p", broken)
    said = sau("scan")
    assert said.code == 1
    assert [one["id"] for one in said.json["assets"]] == [sau.release("db")]
    (failure,) = said.json["failures"]
    assert failure["error"].startswith(f"release {namespace.name}/web, revision 1: Secret ")
