"""The heads of a manifest's objects are what a whole parse of it would find."""

from __future__ import annotations

import pytest
import yaml

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.platforms.kubernetes.helm.manifest import bearing, heads
from safe_auto_updater.platforms.kubernetes.helm.pieces import pieces
from safe_auto_updater.platforms.kubernetes.kinds import STATEFUL_SET

KINDS = ("Deployment", "StatefulSet")
MANIFESTS = {
    "as Helm writes it": """---
# Source: web/templates/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels:
    app: web
# a comment at the margin

  annotations:
    note: |
      kind: StatefulSet
      metadata: {name: none}
spec:
  template:
    metadata:
      name: inner
---
# Source: web/templates/map.yaml
kind: ConfigMap
apiVersion: v1
metadata:
  name: map
data:
  text: |
    kind: Deployment
    ---
    metadata:
      name: text
---
""",
    "metadata before the kind": "metadata:\n  name: web\napiVersion: apps/v1\nkind: Deployment\n",
    "metadata last, in one line": "kind: Deployment\nspec:\n  a: 1\nmetadata: {name: web}",
    "quoted and commented": 'kind: "Deployment" # it is one\nmetadata:\n  \'name\': "web"\n',
    "flow": '---\n{"kind": "StatefulSet", "metadata": {"name": "db", "namespace": "x"}}\n',
    "quoted keys": '"kind": Deployment\n"metadata":\n  "name": web\n',
    "a list": "kind: List\nitems:\n- kind: Deployment\n  metadata:\n    name: a\n- kind: Pod\n"
    "  metadata: {name: p}\n- kind: StatefulSet\n  metadata:\n    name: b\n",
    "windows": "---\r\nkind: Deployment\r\nmetadata:\r\n  name: web\r\nspec: {}\r\n",
    "a name in other words": "kind: Deployment\nmetadata:\n  name: >-\n    web\n  namespace: 'x'\n",
    "a name twice": "kind: Deployment\nmetadata:\n  name: a\n  name: b\n",
    "labels first": "kind: Deployment\nmetadata:\n    labels:\n      name: a\n    name: b\n",
    "an anchor": "kind: Deployment\nmetadata:\n  name: &n web\n  labels: {app: *n}\n",
    "a comment first": "kind: Deployment\nmetadata:\n  # why\n  name: web # so\n",
    "a namespace of nothing": "kind: Deployment\nmetadata:\n  name: web\n  namespace:\n",
    "nothing": "\n---\n# only a comment\n---\n\n",
    "empty": "",
    "a number as a name": "kind: Deployment\nmetadata:\n  name: 123\n",
}


def test_kind_of_the_same_name_in_another_group_is_no_workload() -> None:
    kruise = "apiVersion: apps.kruise.io/v1beta1\nkind: StatefulSet\nmetadata:\n  name: db\n"
    ours = kruise.replace("apps.kruise.io/v1beta1", "apps/v1")
    assert [list(heads(one, KINDS)) for one in (kruise, ours)] == [
        [],
        [("StatefulSet", None, "db")],
    ]
    assert [one.workload for one in pieces(kruise, "shop")] == [None]
    assert pieces(ours, "shop")[0].workload is STATEFUL_SET


def whole(manifest: str) -> list[tuple[str, str | None, str]]:
    """By parsing all of it."""
    found = []
    for document in yaml.safe_load_all(manifest):
        for one in (document or {}).get("items", [document or {}]):
            if one.get("kind") in KINDS:
                meta = one["metadata"]
                found.append((one["kind"], meta.get("namespace"), str(meta["name"])))
    return found


@pytest.mark.parametrize("which", MANIFESTS)
def test_heads_are_those_of_a_whole_parse(which: str) -> None:
    assert list(heads(MANIFESTS[which], KINDS)) == whole(MANIFESTS[which])


def test_labels_and_annotations_are_those_of_the_object_and_not_of_its_pods() -> None:
    (web,) = bearing(MANIFESTS["as Helm writes it"], "note:")
    assert web.name == "web"
    assert web.labels == {"app": "web"}
    assert list(web.annotations) == ["note"]


def test_manifest_without_the_mark_is_not_looked_at() -> None:
    assert list(bearing("kind: [", "argocd")) == []


BAD = {
    "no YAML": ("kind: Deployment\nmetadata:\n  name: [\n", "is no YAML"),
    "no name": ("kind: Deployment\nmetadata: {}\n", "a Deployment without a name"),
    "no metadata": ("kind: Deployment\nspec: {}\n", "a Deployment without a name"),
    "metadata a text": ("kind: Deployment\nmetadata: text\n", "a Deployment without a name"),
    "deep": ("kind: Deployment\nmetadata: " + "[" * 20_000 + "\n", "is no YAML"),
    "a Python object": ("kind: Deployment\nmetadata: !!python/name:os.system\n", "is no YAML"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", BAD)
def test_manifest_that_cannot_be_read_is_named(what: str) -> None:
    manifest, words = BAD[what]
    with pytest.raises(PlatformError, match=words):
        list(heads(manifest, KINDS))
