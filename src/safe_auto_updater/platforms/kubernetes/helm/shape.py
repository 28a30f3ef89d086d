"""Objects in a form that people read differences of: by names, and without what always differs.

Pure. Values that may be secret leave this module only as hashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
_ALWAYS_DIFFER = (
    "helm.sh/chart", "app.kubernetes.io/version", "app.kubernetes.io/managed-by",
    "controller-gen.kubebuilder.io/version", "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
)  # fmt: skip
_NAMED_BY = ("name", "mountPath", "containerPort", "port", "key", "ip")
_HIDDEN = ("data", "stringData", "binaryData", "env", "envFrom", "args", "command")


def shaped(live: Json) -> dict[str, Any]:
    """What of an object is compared for people."""
    found = {k: v for k, v in live.items() if k not in ("apiVersion", "kind", "metadata")}
    meta = live.get("metadata") or {}
    found["labels"] = _bare_labels(meta.get("labels") or {})
    found["annotations"] = meta.get("annotations") or {}
    if live.get("kind") == "CustomResourceDefinition":
        found["spec"] = _definition(found.get("spec") or {})
    return {key: _shaped(value, key in _HIDDEN) for key, value in found.items()}


def _definition(spec: Json) -> dict[str, Any]:
    """Of the schema of each version how many fields it has and whether it is another.

    What is explained in there, and what looks like a field's name, is no secret and no setting.
    """
    versions = [
        {**one, "schema": _in_short((one.get("schema") or {}).get("openAPIV3Schema") or {})}
        for one in spec.get("versions") or ()
    ]
    return {**spec, "versions": versions}


def _in_short(schema: Json) -> str:
    bare = _bare(schema)
    text = json.dumps(bare, sort_keys=True)
    fields = text.count('"type":')
    return f"{fields} fields ({hashlib.sha256(text.encode()).hexdigest()[:8]})"


def _bare(schema: Any) -> Any:
    """Without descriptions, but for fields that are called so."""
    if isinstance(schema, list):
        return [_bare(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _bare(one) for name, one in value.items()}
        if key == "properties" and isinstance(value, dict)
        else _bare(value)
        for key, value in schema.items()
        if key != "description"
    }


def _shaped(value: Any, hidden: bool) -> Any:
    match value:
        case dict():
            return {
                key: _shaped(
                    _bare_labels(one) if key == "labels" else one, hidden or key in _HIDDEN
                )
                for key, one in value.items()
                if key not in _ALWAYS_DIFFER and not str(key).startswith("checksum/")
            }
        case list() if (named := _by_name(value)) is not None:
            return _shaped(named, hidden)
        case list():
            return [_shaped(one, hidden) for one in value]
        case None | bool() | int() | float():
            return value
        case _ if hidden:
            return "sha256:" + hashlib.sha256(str(value).encode()).hexdigest()[:12]
        case _:
            return value


def _bare_labels(labels: Any) -> Any:
    """Without the one that older charts give their own version in."""
    if not isinstance(labels, dict):
        return labels
    return {key: value for key, value in labels.items() if key != "chart"}


def _by_name(found: list[Any]) -> dict[str, Any] | None:
    """A list of objects as an object, where each has a name of its own."""
    for key in _NAMED_BY:
        if all(isinstance(one, dict) and key in one for one in found):
            named = {str(one[key]): {k: v for k, v in one.items() if k != key} for one in found}
            if len(named) == len(found):
                return named
    return None
