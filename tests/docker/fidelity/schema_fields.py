"""Prints the field names in Docker Engine API schemas: what `schema_names.txt` is made with.

    python -m tests.docker.fidelity.schema_fields 1.41.yaml 1.51.yaml 1.56.yaml > schema_names.txt

Names only: fields of `Config`, `HostConfig` and of a network endpoint, nested ones with dots. A
later schema adds the names that the earlier ones have not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOTS = {"ContainerConfig": "Config", "HostConfig": "HostConfig", "EndpointSettings": "Endpoint"}


def fields(definitions: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[str]:
    """Every field below one node of a schema."""
    if "$ref" in node:
        yield from fields(definitions, definitions[node["$ref"].rsplit("/", 1)[-1]], path)
    for part in node.get("allOf", ()):
        yield from fields(definitions, part, path)
    for below in ("items", "additionalProperties"):
        if isinstance(node.get(below), dict):
            yield from fields(definitions, node[below], path)
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from fields(definitions, child, f"{path}.{name}")


def main(schemas: list[Path]) -> None:
    """Print the names, by the first schema that has them."""
    known: set[str] = set()
    for schema in schemas:
        document = yaml.safe_load(schema.read_text())
        definitions = document["definitions"]
        found = {
            name
            for definition, path in ROOTS.items()
            for name in fields(definitions, definitions[definition], path)
        }
        print(f"# API {document['info']['version']}", *sorted(found - known), sep="\n")
        known |= found


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
