"""What objects a release's manifest names. Pure, and quick: manifests are long, and many.

A manifest is YAML that a chart's author wrote. Helm parts it at lines of `---`, and so do we. Of
objects in the usual layout only the lines that tell their names are read, all else is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from safe_auto_updater.core.errors import PlatformError

# A line break is a quicker anchor than the beginning of any line.
_PARTED = re.compile(r"\n---(?=\s|$)")
_KIND = re.compile(r"\nkind:[ \t]*([\"']?)(\w+)\1[ \t\r]*(?:#.*)?(?=\n|$)")
_OTHERS = re.compile(r"\napiVersion:[ \t]*[\"']?[\w-]+\.")  # Kubernetes' own have no dot
_METADATA = re.compile(r"^metadata:.*\n?(?:(?:[ \t#].*)?\n)*(?:[ \t#].*)?", re.MULTILINE)


_USUAL = re.compile(r"^metadata:[ \t]*\n(?P<indent>[ ]+)(?=\w)")
_NAMED = re.compile(
    r"^(?P<indent>[ ]+)(?P<key>name|namespace):[ \t]+"
    r"(?P<quote>[\"']?)(?P<value>[a-z0-9][a-z0-9.-]*)(?P=quote)[ \t]*$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Head:
    """What an object is called. Without a namespace it is of the release's, or of none."""

    kind: str
    name: str
    namespace: str | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)
    annotations: Mapping[str, Any] = field(default_factory=dict)


def heads(manifest: str, kinds: Container[str]) -> Iterator[tuple[str, str | None, str]]:
    """Kind, namespace and name of the objects of these kinds. PlatformError: not to be read."""
    for document in _PARTED.split(f"\n{manifest}"):
        kind = _KIND.search(document)
        if kind is not None and kind[2] not in kinds and not kind[2].endswith("List"):
            continue
        if kind is not None and kind[2] in kinds and _OTHERS.search(document):
            continue  # it is only called the same
        named = _named(document) if kind is not None and kind[2] in kinds else None
        if kind is not None and named is not None:
            yield kind[2], named.get("namespace"), named["name"]
            continue
        for head in _parsed_heads(document):
            if head.kind in kinds:
                yield head.kind, head.namespace, head.name


def bearing(manifest: str, mark: str) -> Iterator[Head]:
    """The objects that have this text somewhere. PlatformError: not to be read."""
    if mark not in manifest:
        return
    for document in _PARTED.split(f"\n{manifest}"):
        if mark in document:
            yield from _parsed_heads(document)


def _named(document: str) -> dict[str, str] | None:
    """Name and namespace where they are written in the usual layout; else None."""
    meta = _METADATA.search(document)
    usual = _USUAL.match(meta[0]) if meta is not None else None
    if meta is None or usual is None:
        return None
    indent = usual["indent"]
    found = {
        one["key"]: one["value"] for one in _NAMED.finditer(meta[0]) if one["indent"] == indent
    }
    written = re.findall(rf"^{indent}[\"']?(?:name|namespace)\b", meta[0], re.MULTILINE)
    return found if "name" in found and len(written) == len(found) else None


def _parsed_heads(document: str) -> Iterator[Head]:
    """All of one document: one object, or those of a list."""
    told = _parsed(document)
    items = told.get("items") if isinstance(told, dict) and "items" in told else [told]
    for item in items or ():
        if isinstance(item, dict) and "kind" in item:
            yield _head(item)


def _head(told: Mapping[str, Any]) -> Head:
    meta = told.get("metadata")
    if not isinstance(meta, dict) or "name" not in meta:
        raise PlatformError(f"its manifest has a {told['kind']} without a name")
    return Head(
        str(told["kind"]),
        str(meta["name"]),
        str(meta["namespace"]) if meta.get("namespace") else None,
        _mapping(meta.get("labels")),
        _mapping(meta.get("annotations")),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _parsed(text: str) -> Any:
    # here, for most scans see no release
    from safe_auto_updater.platforms.kubernetes.helm.documents import documents

    try:
        return next(iter(documents(text)), None)
    except ValueError as error:
        raise PlatformError(f"its manifest is no YAML: {str(error)[:200]}") from error
