"""Objects as a snapshot keeps them, and the patch that makes one of another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.platforms.kubernetes.helm.live import comparable, differences, merge_patch
from safe_auto_updater.platforms.kubernetes.helm.pieces import pieces

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
TREES = st.recursive(
    LEAVES.filter(lambda leaf: leaf is not None) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), TREES, max_size=4)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386, as it is written there."""
    if not isinstance(patch, dict):
        return patch
    found = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


@pytest.mark.slow
@given(now=OBJECTS, wanted=OBJECTS)
def test_patch_makes_the_one_of_the_other(now: Any, wanted: Any) -> None:
    assert merged(now, merge_patch(now, wanted)) == wanted
    assert merge_patch(wanted, wanted) == {}


def live(kind: str, **body: Any) -> dict[str, Any]:
    meta = {"name": "web", "uid": "1", "resourceVersion": "7", "generation": 3}
    return {"kind": kind, "metadata": meta | body.pop("metadata", {}), **body}


def test_what_passes_is_left_out() -> None:
    one = live("Deployment", spec={"replicas": 2, "paused": False}, status={"replicas": 2})
    notes = {"annotations": {"deployment.kubernetes.io/revision": "4"}}
    other = live("Deployment", spec={"replicas": 9, "paused": False}, metadata=notes)
    assert comparable(one, {}) == comparable(other, {})


def service(address: str, node_port: int, **said: Any) -> dict[str, Any]:
    port = {"port": 80, "protocol": "TCP", "nodePort": node_port}
    spec = {"clusterIP": address, "clusterIPs": [address], "ports": [port], "type": "NodePort"}
    return live("Service", apiVersion="v1", spec=spec | said)


def job(uid: str, image: str = "web:1") -> dict[str, Any]:
    marks = {"controller-uid": uid, "batch.kubernetes.io/controller-uid": uid, "job-name": "web"}
    template = {"metadata": {"labels": marks | {"app": "web"}}, "spec": {"image": image}}
    spec = {"selector": {"matchLabels": {"controller-uid": uid}}, "template": template}
    return live("Job", apiVersion="batch/v1", spec=spec)


WRITTEN = {"spec": {"clusterIP": "10.0.0.7", "ports": [{"port": 80, "nodePort": 30080}]}}
BY_HAND = {"spec": {"manualSelector": True}}
MADE_ANEW = [
    (service("10.0.0.7", 30080), service("10.0.0.9", 31111), {}, True),
    (service("10.0.0.7", 30080), service("10.0.0.7", 30080, type="ClusterIP"), {}, False),
    (service("10.0.0.7", 30080), service("10.0.0.9", 30080), WRITTEN, False),
    (service("10.0.0.7", 30080), service("10.0.0.7", 31111), WRITTEN, False),
    (job("a"), job("b"), {}, True),
    (job("a"), job("a", "web:2"), {}, False),
    (job("a"), job("b"), BY_HAND, False),
]


@pytest.mark.parametrize(("before", "after", "written", "equal"), MADE_ANEW)
def test_what_the_server_gives_a_new_object_anew_is_no_difference_unless_it_is_written(
    before: dict[str, Any], after: dict[str, Any], written: dict[str, Any], equal: bool
) -> None:
    assert (comparable(before, written) == comparable(after, written)) is equal


def test_what_an_autoscaler_sees_is_no_difference() -> None:
    told = "autoscaling.alpha.kubernetes.io/"
    quiet, busy = (
        live("HorizontalPodAutoscaler", metadata={"annotations": {
            f"{told}current-metrics": load, f"{told}conditions": load, f"{told}metrics": spec,
        }})
        for load, spec in (("1%", "50%"), ("90%", "50%"))
    )  # fmt: skip
    assert comparable(quiet, {}) == comparable(busy, {})
    busy["metadata"]["annotations"][f"{told}metrics"] = "80%"
    assert comparable(quiet, {}) != comparable(busy, {}), "that is its specification"


def test_of_a_secret_only_hashes_are_kept() -> None:
    kept = comparable(live("Secret", data={"token": "czNjcmV0"}), {})
    assert "czNjcmV0" not in str(kept)
    assert kept != comparable(live("Secret", data={"token": "YW5vdGhlcg=="}), {})


def test_what_kubectl_apply_notes_of_a_secret_is_kept_as_a_hash_too() -> None:
    note = '{"data": {"token": "czNjcmV0"}}'
    notes = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": note}}
    kept = comparable(live("Secret", metadata=notes), {})
    assert "czNjcmV0" not in str(kept)
    assert kept != comparable(live("Secret"), {})


def test_differences_name_object_and_path_and_no_values() -> None:
    before = {"A": {"spec": {"x": 1}}, "B": None, "C": {}}
    after = {"A": {"spec": {"x": 2}}, "B": {}, "C": None}
    assert differences(before, after) == ["A spec/x", "B was not there", "C is gone"]


MANIFEST = """\
# Source: web/templates/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: a, annotations: {built: 2024-05-01}}
data: {version: "1.10"}
---
# nothing
---
apiVersion: v1
kind: List
items:
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: b, namespace: other}}
"""


def test_manifest_is_read_object_by_object() -> None:
    a, b = pieces(MANIFEST, "shop")
    assert (a.key, a.label) == ("ConfigMap/shop/a", "ConfigMap a")
    assert (b.key, b.namespace) == ("Deployment.apps/other/b", "other")
    assert a.body["metadata"]["annotations"]["built"] == "2024-05-01", "a date stays text"
    assert a.body["data"]["version"] == "1.10"


SCALARS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {opens: 10:30, not: "!=", is: =, day: 2024-05-01, many: 1_000, big: 1e3, mode: 0644,
  eight: 08, half: .5, plain: 7, minus: -3, hex: 0x1F, quoted: "7", word: true, version: 1.2.3}
"""


def test_plain_text_means_what_helm_takes_it_for() -> None:
    (one,) = pieces(SCALARS, "shop")
    assert one.body["data"] == {
        "opens": "10:30", "not": "!=", "is": "=", "day": "2024-05-01", "many": 1000, "big": 1000.0,
        "mode": 0o644, "eight": 8.0, "half": 0.5, "plain": 7, "minus": -3, "hex": 31, "quoted": "7",
        "word": True, "version": "1.2.3",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["a: [", "just text", "{kind: A}", "- a\n- b", "a: &a [*a]", "a: " + "9" * 5000]
)
def test_what_is_no_manifest_is_told(text: str) -> None:
    with pytest.raises(PlatformError, match="the manifest holds something that is no object"):
        pieces(text, "shop")
