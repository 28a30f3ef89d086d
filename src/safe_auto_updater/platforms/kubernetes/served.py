"""Which kinds a cluster serves, and where it has an object of a kind."""

from __future__ import annotations

from dataclasses import dataclass

from safe_auto_updater.core.errors import NotFound
from safe_auto_updater.platforms.kubernetes.cluster import Cluster


@dataclass(frozen=True)
class Resource:
    """A kind as the API has it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str | None = None) -> str:
        """Where one object is, or with no name those of a namespace."""
        root = "/apis" if "/" in self.api_version else "/api"
        within = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}/{self.api_version}{within}/{self.plural}" + (f"/{name}" if name else "")


class Served:
    """The kinds of one cluster, asked for once: one that is missing is asked for again."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[tuple[str, str], Resource] = {}

    def find(self, api_version: str, kind: str) -> Resource | None:
        """The kind of this API version; None where it is not served."""
        if (api_version, kind) not in self._known:
            self._ask(api_version)
        return self._known.get((api_version, kind))

    def _ask(self, api_version: str) -> None:
        root = "/apis" if "/" in api_version else "/api"
        try:
            told = self._cluster.get(f"{root}/{api_version}")
        except NotFound:
            return
        for one in told.get("resources") or ():
            if "/" not in one["name"]:  # the others are parts, such as deployments/status
                found = Resource(api_version, one["kind"], one["name"], bool(one["namespaced"]))
                self._known.setdefault((api_version, found.kind), found)
