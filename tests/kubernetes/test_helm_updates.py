"""Releases by real helm of both lines: a chart that is well stays, one that is not goes back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes.charts import Chart, config_map, plain
from tests.kubernetes.helm_kit import Helm
from tests.kubernetes.kit import Namespace
from tests.kubernetes.release_kit import Release
from tests.kubernetes.sau import ClusterSau
from tests.kubernetes.whole_chart import BROKEN, Images, surroundings, whole
from tests.lab_kit import eventually

BACK = {
    "web crashes": "image",
    "web is never ready": "image",
    "web's image is not there": "registry",
    "db crashes": "image",
    "agent crashes": "image",
    "sub crashes": "image",
    "config has lost a key": "config",
    "secret has lost a key": "config",
    "pre-upgrade fails": "hook",
    "pre-upgrade hangs": "hook",
    "post-upgrade fails": "hook",
    "post-upgrade hangs": "hook",
}
"""Ways that show only once it is done, and whose fault each is."""
HELD = {
    "service is refused": "spec.ports",
    "selector is another": "immutable",
    "claims are larger": "Forbidden",
    "widget is refused": "spec.size",
    "gadgets are gone": "Helm would delete the definition",
    "values are refused": "must-be-given",
    "template fails": "config.yaml",
}
"""Ways that are known before anything changes, and a word of what the plan says of each."""
ON_THE_WAY_BACK = ("pre-rollback fails", "post-rollback fails")
OF_NO_MATTER = ("test fails",)


@pytest.fixture
def release(namespace: Namespace, helm: Helm, sau: ClusterSau, tmp_path: Path) -> Iterator[Release]:
    """Nothing is installed yet; volumes for its claims are there."""
    with surroundings(namespace, tmp_path):
        yield Release(namespace, helm, sau)
        helm.say("uninstall", "shop", "--no-hooks")


def test_every_broken_version_is_expected_to_end_somehow() -> None:
    assert sorted([*BACK, *HELD, *ON_THE_WAY_BACK, *OF_NO_MATTER]) == sorted(BROKEN)


def test_new_chart_is_planned_applied_and_then_nothing_is_left_to_do(release: Release) -> None:
    images = Images.publish(release.namespace)
    release.install(whole(release.namespace, images), values={"greeting": "hi"})
    values = release.helm.get_values("shop")
    release.publish(whole(release.namespace, images, "1.0.1"))
    before = release.live()

    planned = release.step()
    assert (planned["action"], planned["reversibility"]) == ("update", "R2"), planned
    assert release.live() == before and len(release.revisions()) == 1, "a plan changes nothing"

    update = release.apply()

    assert update["outcome"] == "succeeded", update
    assert release.revisions() == [("web-1.0.0", "superseded"), ("web-1.0.1", "deployed")]
    shown = release.sau("show", update["id"], json_output=False)
    assert f"release {release.namespace.name}/shop, before at revision 1" in shown.out, shown
    assert release.helm.get_values("shop") == values
    assert release.all_ready()
    assert release.step()["action"] == "none"


@pytest.mark.parametrize("how", BACK)
def test_broken_chart_is_taken_back(release: Release, how: str) -> None:
    images = Images.publish(release.namespace)
    release.install(whole(release.namespace, images), values={"greeting": "hi"})
    before, values = release.live(), release.helm.get_values("shop")
    release.publish(whole(release.namespace, images, "1.0.1", how))

    update = release.apply()

    assert (update["outcome"], update["cause"]) == ("rolled_back", BACK[how]), update
    assert release.live() == before
    assert release.helm.get_values("shop") == values
    assert release.revisions()[-1] == ("web-1.0.0", "deployed")
    eventually(release.all_ready)


@pytest.mark.parametrize("how", HELD)
def test_what_the_server_would_refuse_is_held_before_anything_changes(
    release: Release, how: str
) -> None:
    images = Images.publish(release.namespace)
    release.install(whole(release.namespace, images))
    before = release.live()
    release.publish(whole(release.namespace, images, "1.0.1", how))

    planned = release.step()
    applied = release.sau("apply", "--yes", release.asset, timeout_s=120)

    assert planned["action"] == "hold" and HELD[how] in " ".join(planned["reasons"]), planned
    assert applied.json["updates"] == []
    assert release.live() == before
    assert release.revisions() == [("web-1.0.0", "deployed")]


@pytest.mark.parametrize("how", ON_THE_WAY_BACK)
def test_failing_hook_of_the_way_back_does_not_wedge_the_release(
    release: Release, how: str
) -> None:
    images = Images.publish(release.namespace)
    release.install(whole(release.namespace, images, broken=how))
    before = release.live()
    release.publish(whole(release.namespace, images, "1.0.1", "web crashes"))

    update = release.apply()

    assert update["outcome"] == "rolled_back", update
    assert release.live() == before
    assert release.revisions()[-1] == ("web-1.0.0", "deployed")
    eventually(release.all_ready)


def test_broken_test_hook_is_of_no_matter(release: Release) -> None:
    images = Images.publish(release.namespace)
    release.install(whole(release.namespace, images))
    release.publish(whole(release.namespace, images, "1.0.1", "test fails"))

    assert release.apply()["outcome"] == "succeeded"


EVERY_TYPE = """\
text: "1.10"
number: 1.10
whole: 3
large: 1234567
tiny: 0.000001
yes_or_no: true
nothing: null
word: "on"
list: [1, "1", {a: b}]
empty: {}
none: []
unicode: "grüße 🚢"
lines: |
  one
  two
"""


@pytest.mark.parametrize("size", ["every type", "large"])
def test_values_stay_to_the_byte(release: Release, size: str) -> None:
    values = EVERY_TYPE if size == "every type" else EVERY_TYPE + f'blob: "{_blob()}"\n'
    release.install(plain("1.0.0"), values=values)
    before = release.helm.get_values("shop")
    release.publish(plain("1.0.1"))

    assert release.apply()["outcome"] == "succeeded"
    assert release.helm.get_values("shop") == before

    taken_back = release.sau("rollback", release.asset, "--yes", timeout_s=120)
    assert taken_back.update["outcome"] == "succeeded", taken_back
    assert release.helm.get_values("shop") == before
    assert release.revisions()[-1] == ("web-1.0.0", "deployed")


def test_values_that_a_person_changed_since_are_not_lost_by_a_rollback(release: Release) -> None:
    release.install(plain("1.0.0"), values={"port": 1})
    release.publish(plain("1.0.1"))
    assert release.apply()["outcome"] == "succeeded"
    release.helm.upgrade("shop", plain("1.0.1"), "--wait", values={"port": 2})
    changed = release.helm.get_values("shop")

    said = release.sau("rollback", release.asset, "--yes", timeout_s=120)

    assert (said.code, said.update["outcome"]) == (1, "aborted"), said
    assert "its values were changed since" in said.update["error"]
    assert release.helm.get_values("shop") == changed


def _blob() -> str:
    """A megabyte that packs well: what Helm keeps must fit into a Secret."""
    return "0123456789abcdef" * (1 << 16)


def test_new_defaults_of_the_chart_appear_beside_the_users_values(release: Release) -> None:
    def chart(version: str, **values: object) -> Chart:
        shown = config_map(all="{{ toJson .Values | b64enc }}")
        return Chart(version=version, templates={"map.yaml": shown}, values=values)

    release.install(chart("1.0.0", port="1.10", old=1), values={"port": "1.20", "mine": True})
    release.publish(chart("1.0.1", port="1.10", new={"depth": 2}))

    findings = {one["path"]: one["rule"] for one in release.step()["risk"]["findings"]}
    assert release.apply()["outcome"] == "succeeded"

    (shown,) = [one for key, one in release.live().items() if key.startswith("ConfigMap/")]
    values = json.loads(base64.b64decode(shown["data"]["all"]))
    assert values == {"port": "1.20", "mine": True, "new": {"depth": 2}}
    assert findings["defaults/new.depth"] == "default-new"
    assert findings["defaults/old"] == "default-gone"
