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
    assert comparable(one) == comparable(other)


def test_of_a_secret_only_hashes_are_kept() -> None:
    kept = comparable(live("Secret", data={"token": "czNjcmV0"}))
    assert "czNjcmV0" not in str(kept)
    assert kept != comparable(live("Secret", data={"token": "YW5vdGhlcg=="}))


def test_what_kubectl_apply_notes_of_a_secret_is_kept_as_a_hash_too() -> None:
    note = '{"data": {"token": "czNjcmV0"}}'
    notes = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": note}}
    kept = comparable(live("Secret", metadata=notes))
    assert "czNjcmV0" not in str(kept)
    assert kept != comparable(live("Secret"))


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


@pytest.mark.parametrize("text", ["a: [", "just text", "{kind: A}", "- a\n- b", "a: &a [*a]"])
def test_what_is_no_manifest_is_told(text: str) -> None:
    with pytest.raises(PlatformError, match="the manifest holds something that is no object"):
        pieces(text, "shop")
