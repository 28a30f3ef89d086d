"""K14: what another client left pending is taken back, and never while a client may be at work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes.charts import RELEASE, Chart, config_map
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Json, Namespace, deployment
from tests.kubernetes.release_kit import Release
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.whole_chart import hook
from tests.lab_kit import eventually

QUIET_S = 4


@pytest.fixture
def release(namespace: Namespace, helm: Helm, sau: ClusterSau) -> Iterator[Release]:
    """1.0.0 is installed, and well."""
    release = Release(namespace, helm, sau)
    release.configure(helm=f", abandoned_after: {QUIET_S}s")
    good = namespace.publish("1.0.0").reference
    release.install(web("1.0.0", good, config=config_map(f"{RELEASE}-config", a="1")))
    yield release
    helm.say("uninstall", "shop", "--no-hooks")


def web(version: str, image: str, **more: Json) -> Chart:
    templates = {"web.yaml": deployment(f"{RELEASE}-web", image, 1)}
    templates |= {f"{name}.yaml": manifest for name, manifest in more.items()}
    return Chart(version=version, app_version=version, templates=templates)


def broken_off(release: Release, verb: str = "upgrade", name: str = "late") -> None:
    """helm, killed while it waits for a hook after all objects were changed."""
    namespace = release.namespace
    worse = namespace.publish("1.0.1", behaviour="never_ready").reference
    waits = hook(f"post-{verb}", worse, name)
    config = config_map(f"{RELEASE}-config", a="2")
    more = config_map(f"{RELEASE}-more", b="3")
    newer = web("1.0.1", worse, config=config, more=more, waits=waits)
    words = release.helm.command("upgrade", "shop", newer)
    if verb == "rollback":
        release.helm.upgrade("shop", newer)
        release.helm.upgrade("shop", web("1.0.2", namespace.publish("1.0.2").reference), "--wait")
        words = ["rollback", "shop", "2"]
    client = release.helm.start(*words)
    eventually(lambda: release.helm.status("shop") == f"pending-{verb}")
    eventually(lambda: namespace.get("jobs")["items"])
    client.kill()
    client.wait(20)


def recover(release: Release) -> Json:
    """The update that `sau recover` of it makes of what was left."""
    said = release.sau("recover", f"{release.namespace.name}/shop", timeout_s=200)
    assert said.code == 0, said
    return said.update


def test_k14_upgrade_of_a_killed_client_is_taken_back(release: Release) -> None:
    before = release.live()
    release.publish(web("1.0.3", release.namespace.publish("1.0.3").reference))
    broken_off(release)
    told = " ".join(release.step()["reasons"])
    assert f"`sau recover {release.namespace.name}/shop`" in told, told
    release.namespace.run("delete", "job", "--all")
    time.sleep(QUIET_S)

    update = recover(release)

    assert update["outcome"] == "rolled_back", update
    assert release.revisions()[-1] == ("web-1.0.0", "deployed")
    assert release.live() == before
    assert release.namespace.say("get", "configmap", "shop-more").code != 0, "what it had added"
    assert release.apply()["outcome"] == "succeeded", "and life goes on"


def test_k14_rollback_of_a_killed_client_is_taken_back(release: Release) -> None:
    broken_off(release, "rollback")
    release.namespace.run("delete", "job", "--all")
    time.sleep(QUIET_S)
    assert recover(release)["outcome"] == "rolled_back"
    assert release.revisions()[-1] == ("web-1.0.2", "deployed")
    eventually(release.all_ready)


def test_k14_release_is_left_alone_while_somebody_may_be_at_work(release: Release) -> None:
    release.configure(helm=", abandoned_after: 2m")
    broken_off(release)
    said = release.sau("recover", "shop")
    assert said.code == 2, said
    assert "somebody may be at work: it began at 20" in said.err

    release.configure(helm=", abandoned_after: 1s")
    time.sleep(1)
    said = release.sau("recover", "shop")
    assert said.code == 2, said
    assert "hook Job" in said.err
    assert "runs" in said.err, "its client is gone, but what it started works on"
    assert release.helm.status("shop") == "pending-upgrade"
    assert release.sau("history").json["updates"] == []


def test_k14_change_by_somebody_else_is_a_sign_of_work(release: Release) -> None:
    release.configure(helm=", abandoned_after: 30s")
    broken_off(release)
    release.namespace.run("delete", "job", "--all")
    time.sleep(30)
    release.namespace.run("label", "configmap", "shop-config", "who=me")
    said = release.sau("recover", "shop")
    assert said.code == 2, said
    assert "changed ConfigMap" in said.err


def test_k14_after_a_hook_that_migrates_data_a_human_is_called(release: Release) -> None:
    broken_off(release, name="db-migrate")
    release.namespace.run("delete", "job", "--all")
    time.sleep(QUIET_S)
    said = release.sau("recover", "shop", timeout_s=200)
    assert (said.code, said.update["outcome"]) == (4, "halted"), said
    assert release.helm.status("shop") == "pending-upgrade"


def test_what_nobody_left_half_done_is_not_recovered(release: Release) -> None:
    said = release.sau("recover", "shop")
    assert said.code == 2, said
    assert "revision 1 is deployed, which nobody left half done" in said.err


def test_install_that_was_broken_off_has_nothing_to_go_back_to(
    namespace: Namespace, helm: Helm, sau: ClusterSau, tmp_path: Path
) -> None:
    image = namespace.publish("1.0.0", behaviour="never_ready").reference
    fresh = Release(namespace, helm, sau)
    client = helm.start(
        *helm.command("install", "shop", web("1.0.0", image, waits=hook("pre-install", image)))
    )
    eventually(lambda: helm.status("shop") == "pending-install" and namespace.get("jobs")["items"])
    client.kill()
    client.wait(20)
    said = fresh.sau("recover", "shop")
    assert said.code == 2, said
    assert f"`helm uninstall shop --namespace {namespace.name}`" in said.err
