"""The objects of a release on the cluster: read, tried, put back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.helm.live import comparable, merge_patch
from safe_auto_updater.platforms.kubernetes.helm.pieces import KEEP, Piece
from safe_auto_updater.platforms.kubernetes.served import Served

Json = Mapping[str, Any]
OWNER = "meta.helm.sh/release-name"
OWNER_NAMESPACE = "meta.helm.sh/release-namespace"


class Unserved(PlatformError):
    """A manifest has kinds that this cluster does not serve (any more)."""


class Objects:
    """What is asked about the objects of releases on one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._served = Served(cluster)

    def unserved(self, pieces: Iterable[Piece]) -> list[str]:
        """Which of these are of a kind that the cluster does not serve in this API version."""
        return [
            f"{piece.label} ({piece.api_version})"
            for piece in pieces
            if self._served.find(piece.api_version, piece.kind) is None
        ]

    def path(self, piece: Piece) -> str:
        """Where the API has it. Raises Unserved."""
        resource = self._served.find(piece.api_version, piece.kind)
        if resource is None:
            fact = f"the cluster does not serve {piece.kind} of {piece.api_version}"
            raise Unserved(f"{fact}, which {piece.label} is")
        return resource.path(piece.namespace, piece.name)

    def get(self, piece: Piece) -> dict[str, Any] | None:
        """The object now; None where it is not there."""
        return self.cluster.find(self.path(piece))

    def get_if_served(self, piece: Piece) -> dict[str, Any] | None:
        """The same; None also where the cluster does not serve its kind."""
        try:
            return self.get(piece)
        except Unserved:
            return None

    def snapshot(self, pieces: Iterable[Piece]) -> dict[str, Any]:
        """All that stay, as they are kept; null where one is not there."""
        found = {}
        for piece in pieces:
            if piece.goes_by_itself:
                continue
            live = self.get(piece)
            found[piece.key] = None if live is None else comparable(live, piece.body)
        return found

    def tried(self, piece: Piece) -> dict[str, Any]:
        """What the server would make of an object, with every default; nothing is changed.

        Raises Refused with the server's own words, such as that a field is immutable.
        """
        return self.cluster.would_apply(self.path(piece), piece.body)

    def keep(self, piece: Piece) -> None:
        """Have Helm leave an object where it would delete it."""
        note = {"metadata": {"annotations": {KEEP: "keep"}}}
        self.cluster.merge(self.path(piece), note)

    def put_back(self, piece: Piece, before: Json, live: Json) -> None:
        """Give this very object what it had. Never for a Secret, of which no values are kept."""
        change = merge_patch(comparable(live, piece.body), before)
        meta = {**(change.get("metadata") or {}), "uid": live["metadata"]["uid"]}
        self.cluster.merge(self.path(piece), {**change, "metadata": meta})

    def remove(self, piece: Piece, live: Json) -> None:
        """Delete this very object, and what it made."""
        self.cluster.delete(self.path(piece), live["metadata"]["uid"], and_dependents=True)


def owned(live: Json, release: str, namespace: str) -> bool:
    """Whether Helm's own marks say that an object is of this release."""
    notes = live["metadata"].get("annotations") or {}
    return (notes.get(OWNER), notes.get(OWNER_NAMESPACE)) == (release, namespace)
