"""Objects in a form that people read differences of: by names, and without what always differs.

Pure. Values that may be secret leave this module only as hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
_ALWAYS_DIFFER = ("helm.sh/chart", "app.kubernetes.io/version", "app.kubernetes.io/managed-by")
_NAMED_BY = ("name", "mountPath", "containerPort", "port", "key", "ip")
_HIDDEN = ("data", "stringData", "binaryData", "env", "envFrom", "args", "command")


def shaped(live: Json) -> dict[str, Any]:
    """What of an object is compared for people."""
    found = {k: v for k, v in live.items() if k not in ("apiVersion", "kind", "metadata")}
    meta = live.get("metadata") or {}
    for part in ("labels", "annotations"):
        found[part] = meta.get(part) or {}
    return {key: _shaped(value, key in _HIDDEN) for key, value in found.items()}


def _shaped(value: Any, hidden: bool) -> Any:
    match value:
        case dict():
            return {
                key: _shaped(one, hidden or key in _HIDDEN)
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


def _by_name(found: list[Any]) -> dict[str, Any] | None:
    """A list of objects as an object, where each has a name of its own."""
    for key in _NAMED_BY:
        if all(isinstance(one, dict) and key in one for one in found):
            named = {str(one[key]): {k: v for k, v in one.items() if k != key} for one in found}
            if len(named) == len(found):
                return named
    return None
