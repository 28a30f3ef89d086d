"""The JSON Schema of the configuration file, for editors and `sau config schema`."""

from __future__ import annotations

from typing import Any

from safe_auto_updater.config.models import File


def schema() -> dict[str, Any]:
    """A JSON Schema (2020-12). What it refuses the loader refuses; the loader knows more."""
    found = _without_null(File.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def _without_null(node: Any) -> Any:
    """A key may be left out but never be null, so `anyOf: [X, null]` is X."""
    if isinstance(node, list):
        return [_without_null(each) for each in node]
    if not isinstance(node, dict):
        return node
    options = [each for each in node.get("anyOf", ()) if each != {"type": "null"}]
    if node.get("type") == "string" and isinstance(node.get("default"), float):
        node = {**node, "default": f"{node['default']:g}s"}
    rest = {key: each for key, each in node.items() if not (key == "default" and each is None)}
    if len(options) == 1:
        del rest["anyOf"]
        rest = {**options[0], **rest}
    elif options:
        rest["anyOf"] = options
    return {key: _without_null(each) for key, each in rest.items()}
