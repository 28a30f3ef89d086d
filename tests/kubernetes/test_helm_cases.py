"""The disasters that Helm's users know (rows of CASES), on real helm: none of them happens here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab import images as pushed
from safe_auto_updater.core.outcome import Cause, Outcome
from tests.docker.kill.hitting import update_when
from tests.kubernetes.charts import RELEASE, Chart, config_map, plain
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Json, Namespace, deployment
from tests.kubernetes.release_kit import Release
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.whole_chart import (
    custom_resource,
    definition,
    group_of,
    hook,
    surroundings,
)
from tests.lab_kit import eventually


@pytest.fixture
def release(namespace: Namespace, helm: Helm, sau: ClusterSau, tmp_path: Path) -> Iterator[Release]:
    """Nothing is installed yet."""
    with surroundings(namespace, tmp_path, volumes=1):
        yield Release(namespace, helm, sau)
        helm.say("uninstall", "shop", "--no-hooks")


def web(version: str, image: str, replicas: int = 1, **more: Json) -> Chart:
    """A chart of one Deployment, and what else is named."""
    templates = {"web.yaml": deployment(f"{RELEASE}-web", image, replicas), **_named(more)}
    return Chart(version=version, app_version=version, templates=templates)


def _named(more: dict[str, Any]) -> dict[str, Any]:
    return {f"{name}.yaml": manifest for name, manifest in more.items()}


def test_k08_ready_and_then_crashing_goes_back(release: Release) -> None:
    good = release.namespace.publish("1.0.0").reference
    bad = release.namespace.publish("1.0.1", behaviour="crash_later").reference
    release.configure("{timeout: 20s, stable_for: 10s}")
    release.install(web("1.0.0", good))
    before = release.live()
    release.publish(web("1.0.1", bad))

    update = release.apply()

    assert (update["outcome"], update["cause"]) == ("rolled_back", "image"), update
    assert release.live() == before


def test_k10_chart_of_the_same_image_whose_pods_nobody_may_make_goes_back(release: Release) -> None:
    good = release.namespace.publish("1.0.0").reference
    release.configure("{timeout: 15s, stable_for: 2s}")
    release.install(web("1.0.0", good))
    before = release.live()
    newer = web("1.0.1", good)
    (container,) = newer.templates["web.yaml"]["spec"]["template"]["spec"]["containers"]  # type: ignore[index]
    container["env"] = [{"name": "MODE", "value": "new"}]
    release.publish(newer)
    release.namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "none"},
            "spec": {"hard": {"pods": "0"}},
        }
    )

    update = release.apply()

    assert (update["outcome"], update["cause"]) == ("rolled_back", "capacity"), update
    assert "made before the last change of its template" in str(update)
    assert release.live() == before


def test_k16_way_back_is_found_after_failures_and_with_a_short_history(release: Release) -> None:
    good = release.namespace.publish("1.0.0").reference
    bad = release.namespace.publish("1.0.1", behaviour="crash").reference
    release.install(web("0.9.0", good))
    release.helm.upgrade("shop", web("1.0.0", good), "--wait", "--history-max", "1")
    before = release.live()
    for version in ("1.0.1", "1.0.2"):
        release.publish(web(version, bad))
        assert release.apply()["outcome"] == "rolled_back"
        assert release.live() == before
        eventually(release.all_ready)
    assert release.revisions()[-1] == ("web-1.0.0", "deployed")
    release.publish(web("1.0.3", good))
    assert release.apply()["outcome"] == "succeeded"


def test_k17_what_the_failed_upgrade_added_is_gone(release: Release) -> None:
    good = release.namespace.publish("1.0.0").reference
    bad = release.namespace.publish("1.0.1", behaviour="crash").reference
    release.install(web("1.0.0", good, config=config_map(f"{RELEASE}-config", a="1")))
    before = release.live()
    newer = web(
        "1.0.1",
        bad,
        config=config_map(f"{RELEASE}-config", a="2", b="3"),
        extra=config_map(f"{RELEASE}-extra", c="4"),
    )
    spec = newer.templates["web.yaml"]["spec"]  # type: ignore[index]
    spec["minReadySeconds"] = 1
    spec["template"]["metadata"]["annotations"] = {"new": "one"}
    release.publish(newer)

    assert release.apply()["outcome"] == "rolled_back"

    assert release.live() == before
    assert release.namespace.say("get", "configmap", "shop-extra").code != 0


def test_k18_definition_that_a_failed_upgrade_brought_stays_with_its_resources(
    release: Release,
) -> None:
    namespace, group = release.namespace, group_of(release.namespace)
    good = namespace.publish("1.0.0").reference
    bad = namespace.publish("1.0.1", behaviour="crash").reference
    release.configure("{timeout: 30s, stable_for: 2s}")
    release.install(web("1.0.0", good))
    before = release.live()
    release.publish(web("1.0.1", bad, gadgets=definition(group, "Gadget")))
    going = release.sau.start("apply", "--yes", release.asset)
    name = f"gadgets.{group}"
    eventually(lambda: namespace.say("get", "crd", name).code == 0, 90)
    namespace.wait(f"crd/{name}", "condition=Established")
    eventually(lambda: _applied(namespace, custom_resource(group, "Gadget", "mine")), 30)

    out, _ = going.communicate(timeout=200)

    (update,) = json.loads(out)["updates"]
    assert update["outcome"] == "rolled_back", update
    assert name in str(update) and "stays" in str(update)
    assert namespace.get(f"gadgets.{group}", "mine")["spec"]["size"] == 1
    assert release.live() == before


def _applied(namespace: Namespace, manifest: Json) -> bool:
    return namespace.say("apply", "-f", "-", given=json.dumps(manifest)).code == 0


def test_k20_hook_that_migrated_data_halts_instead_of_going_back(release: Release) -> None:
    good = release.namespace.publish("1.0.0").reference
    bad = release.namespace.publish("1.0.1", behaviour="crash").reference
    ends = release.namespace.publish("1", name="job", behaviour="one_shot").reference
    release.install(web("1.0.0", good))
    migrate = hook("pre-upgrade", ends)
    migrate["metadata"]["name"] = f"{RELEASE}-db-migrate"
    release.publish(web("1.0.1", bad, migrate=migrate))

    planned = release.step()
    assert (planned["action"], planned["reversibility"]) == ("hold", "R3"), planned
    release.sau("approve", planned["id"])
    update = release.apply()

    assert (update["outcome"], update["cause"]) == ("halted", "image"), update
    assert "may have migrated data" in str(update)
    assert release.revisions()[-1] == ("web-1.0.1", "deployed"), "nothing more was touched"
    assert release.step()["action"] == "hold", "a human has to look"


def test_k02_chart_that_scales_what_an_autoscaler_scales_is_held(release: Release) -> None:
    good = release.namespace.publish("1.0.0").reference
    release.install(web("1.0.0", good, replicas=2))
    release.namespace.run("autoscale", "deployment/shop-web", "--min=3", "--max=5", "--cpu=50%")
    release.publish(web("1.0.1", good, replicas=2))

    planned = release.step()

    assert planned["action"] == "hold", planned
    assert "An autoscaler sets how many pods there are" in " ".join(planned["reasons"])


def test_k21_old_image_that_is_gone_is_known_before(release: Release) -> None:
    namespace = release.namespace
    good = namespace.publish("1.0.0").reference
    newer = namespace.publish("1.0.1").reference
    release.install(web("1.0.0", good))
    release.publish(web("1.0.1", newer))
    name, _, tag = good.partition("/")[2].partition(":")
    pushed.delete(namespace.cluster.registry, name, tag)

    planned = release.step()

    assert planned["action"] == "hold", planned
    assert "no way back" in " ".join(planned["reasons"])


def test_k22_kind_that_the_cluster_does_not_serve_is_known_before(release: Release) -> None:
    good = release.namespace.publish("1.0.0").reference
    release.install(web("1.0.0", good))
    budget = {
        "apiVersion": "policy/v1beta1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": RELEASE},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
    }
    release.publish(web("1.0.1", good, budget=budget))

    planned = release.step()

    assert planned["action"] == "hold", planned
    assert "policy/v1beta1" in " ".join(planned["reasons"])


def test_k22_kind_that_is_not_served_any_more_is_known_before_too(release: Release) -> None:
    namespace, group = release.namespace, group_of(release.namespace)
    good = namespace.publish("1.0.0").reference
    old = web("1.0.0", good, widget=custom_resource(group))
    release.install(replace(old, crds={"widgets.yaml": definition(group)}))
    namespace.cluster.run("delete", "crd", f"widgets.{group}")
    release.publish(web("1.0.1", good))

    planned = release.step()

    assert planned["action"] == "hold", planned
    assert 'no matches for kind "Widget"' in " ".join(planned["reasons"]), planned


@pytest.mark.parametrize(
    ("phase", "outcome"), [("STAGE", Outcome.ABORTED), ("APPLY", Outcome.ROLLED_BACK)]
)
def test_k25_a_human_who_upgrades_meanwhile_wins(
    release: Release, phase: str, outcome: Outcome
) -> None:
    good = release.namespace.publish("1.0.0").reference
    release.install(web("1.0.0", good))
    release.publish(web("1.0.1", good))
    theirs = web("1.0.5", good, config=config_map(f"{RELEASE}-theirs", a="1"))

    record = update_when(release.sau, phase, lambda: release.helm.upgrade("shop", theirs))

    assert (record.outcome, record.cause) == (outcome, Cause.CONFLICT), record.facts
    assert release.revisions() == [("web-1.0.0", "superseded"), ("web-1.0.5", "deployed")]
    assert "ConfigMap/shop-theirs" in release.live()


def test_k25_two_programs_at_once_end_in_one_version(release: Release, tmp_path: Path) -> None:
    good = release.namespace.publish("1.0.0").reference
    release.install(web("1.0.0", good))
    release.publish(web("1.0.1", good))
    (tmp_path / "other").mkdir()
    other = ClusterSau(release.namespace, tmp_path / "other")
    other.config.write_text(release.sau.config.read_text())
    going = [one.start("apply", "--yes", release.asset) for one in (release.sau, other)]

    said = [json.loads(one.communicate(timeout=240)[0]) for one in going]

    ends = sorted(update["outcome"] for one in said for update in one["updates"])
    assert "succeeded" in ends and set(ends) <= {"succeeded", "aborted", "rolled_back"}, said
    lost = [update for one in said for update in one["updates"] if update["cause"]]
    assert all(update["cause"] == "conflict" for update in lost), lost
    assert release.revisions()[-1] == ("web-1.0.1", "deployed")
    assert len(release.revisions()) == 2


def test_doctor_says_which_helm_there_is_and_what_is_missing(release: Release) -> None:
    release.helm.install("shop", plain())

    well = release.sau("doctor", json_output=True)
    release.sau.config.write_text(
        release.sau.config.read_text().replace(release.helm.program, "/nowhere/helm")
    )
    missing = release.sau("doctor", json_output=True)

    told = {one["what"]: one for one in well.json["findings"]}
    assert told["helm"]["ok"] and f"version {release.helm.version}." in told["helm"]["fact"], told
    told = {one["what"]: one for one in missing.json["findings"]}
    assert not told["helm"]["ok"] and "execution.helm.program" in told["helm"]["fact"], told
    assert missing.code == 1
