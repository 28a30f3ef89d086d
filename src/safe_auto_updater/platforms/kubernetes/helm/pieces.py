"""The objects of a release, as its manifest writes them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.platforms.kubernetes.helm.documents import documents
from safe_auto_updater.platforms.kubernetes.kinds import KINDS, Kind

Json = Mapping[str, Any]
KEEP = "helm.sh/resource-policy"
"""The annotation by which Helm leaves an object where it would delete it (value `keep`)."""


@dataclass(frozen=True)
class Piece:
    """One object. `namespace` is the one that it says, else that of its release."""

    api_version: str
    kind: str
    namespace: str
    name: str
    body: Json

    @property
    def key(self) -> str:
        """What tells it from others; the version of its API is only how it is written."""
        group = self.api_version.rpartition("/")[0]
        return f"{self.kind}{f'.{group}' if group else ''}/{self.namespace}/{self.name}"

    @property
    def workload(self) -> Kind | None:
        """Which kind of workload it is; None for all else, also where that is called the same."""
        kind = KINDS.get(self.kind)
        return kind if kind is not None and kind.group == self.api_version else None

    @property
    def pod_spec(self) -> Json | None:
        """That of its template, where it is built like a workload, whoever makes its pods."""
        try:
            return KINDS[self.kind].pod_spec(self.body)
        except (KeyError, TypeError):
            return None

    @property
    def label(self) -> str:
        """How a person calls it."""
        return f"{self.kind} {self.name}"

    @property
    def goes_by_itself(self) -> bool:
        """Whether the cluster removes it once it has done its work: a Job with a time to live."""
        if (self.kind, self.api_version) != ("Job", "batch/v1"):
            return False
        return (self.body.get("spec") or {}).get("ttlSecondsAfterFinished") is not None

    @property
    def kept(self) -> bool:
        """Whether Helm never deletes it."""
        return (self.body["metadata"].get("annotations") or {}).get(KEEP) == "keep"


def pieces(manifest: str, namespace: str) -> tuple[Piece, ...]:
    """Every object of a manifest, those of a `List` one by one. PlatformError where it is none."""
    try:
        return tuple(piece for one in documents(manifest) for piece in _pieces(one, namespace))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = " ".join(str(error).split())
        raise PlatformError(f"the manifest holds something that is no object: {why}") from error


def _pieces(found: Any, namespace: str) -> Iterator[Piece]:
    kind = str(found["kind"])
    if kind.endswith("List") and "items" in found:
        for item in found["items"] or ():
            yield from _pieces(item, namespace)
        return
    meta = found["metadata"]
    within = str(meta.get("namespace") or namespace)
    yield Piece(str(found["apiVersion"]), kind, within, str(meta["name"]), found)
