"""Where releases are kept on one cluster: listed by their labels alone, read one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.errors import NotFound
from safe_auto_updater.platforms.kubernetes.cluster import METADATA, Cluster, Refused, is_forbidden
from safe_auto_updater.platforms.kubernetes.helm.release import (
    Release,
    Storage,
    key_of,
    release_of,
    storage_of,
    user_labels,
)

Json = dict[str, Any]
OWNER = "owner=helm"
_WHOLE = 20  # whole records per page
CLAIM = "safe-auto-updater/at-work"
CLAIM_S = 120.0  # for how long it keeps others away: helm writes its own mark within that


@dataclass(frozen=True)
class Store:
    """A kind of object that one of Helm's drivers keeps releases in."""

    kind: str
    plural: str
    driver: str  # what HELM_DRIVER calls it

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """Where one, all of a namespace, or all are asked for."""
        within = f"/namespaces/{namespace}" if namespace else ""
        return f"/api/v1{within}/{self.plural}" + (f"/{name}" if name else "")


SECRETS = Store("Secret", "secrets", "secret")
CONFIG_MAPS = Store("ConfigMap", "configmaps", "configmap")
STORES = {store.kind: store for store in (SECRETS, CONFIG_MAPS)}


@dataclass(frozen=True)
class Stored:
    """One revision by its labels: what it is, not what it holds. `modified` is in epoch seconds."""

    storage: Storage
    release: str
    revision: int
    status: str
    modified: float | None
    labels: Mapping[str, str]  # those that the user gave
    claimed: str = ""  # which update of which program is about to follow it, and since when

    @property
    def identity(self) -> tuple[str, str]:
        """Namespace and name of its release."""
        return self.storage.namespace, self.release


class Releases:
    """What is asked about the releases of one cluster. Keeps nothing; thread-safe."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def stored(
        self, store: Store, namespace: str | None = None, release: str | None = None
    ) -> Sequence[Stored]:
        """All revisions that one kind of object keeps, as their labels tell; in no order.

        Without a namespace those of all. Raises what the cluster raises, such as Refused.
        """
        selector = OWNER + (f",name={release}" if release else "")
        found = self.cluster.listed(store.path(namespace), accept=METADATA, labelSelector=selector)
        known = (_stored(store, one) for one in found)
        return [one for one in known if one is not None and release in (None, one.release)]

    def current(self, store: Store, namespace: str | None = None) -> Iterator[Json]:
        """The records of all revisions that are not superseded, whole: nearly all are newest ones.

        In small pages, for each may have a megabyte. Raises what the cluster raises.
        """
        selector = f"{OWNER},status!=superseded"
        path = store.path(namespace)
        for one in self.cluster.listed(path, limit=_WHOLE, labelSelector=selector):
            yield {"kind": store.kind, **one}

    def history(self, namespace: str, name: str) -> tuple[Stored, ...]:
        """All revisions of one release, the oldest first; none where there is no such release."""
        refused: list[Refused] = []
        for store in STORES.values():
            try:
                found = self.stored(store, namespace, name)
            except Refused as error:
                refused.append(error)
                continue
            if found:
                return tuple(sorted(found, key=lambda one: one.revision))
        if len(refused) == len(STORES):
            raise refused[0]
        return ()

    def revision(self, namespace: str, name: str, number: int) -> Release:
        """One revision, read. NotFound where it is not kept, PlatformError where it is damaged."""
        for one in self.history(namespace, name):
            if one.revision == number:
                return self.read(one.storage)
        raise NotFound(f"release {namespace}/{name} has no revision {number}")

    def read(self, storage: Storage) -> Release:
        """Fetch and decode one revision. PlatformError where it is gone or damaged."""
        return release_of(self.record(storage))

    def record(self, storage: Storage) -> Json:
        """Fetch one revision as it is kept. Raises what the cluster raises."""
        return {"kind": storage.kind, **self.cluster.get(_path(storage))}

    def claim(self, stored: Stored, update: str, now: float) -> bool:
        """Mark a revision as the one that an update begins with; False where another one has.

        Until helm has written its own mark nothing else tells two programs of each other. Who may
        not write the record goes without.
        """
        other, _, since = stored.claimed.partition(" ")
        if other not in ("", update) and now - float(since or 0) < CLAIM_S:
            return False
        note = {CLAIM: f"{update} {now:.3f}"}
        meta = {"resourceVersion": stored.storage.resource_version, "annotations": note}
        try:
            self.cluster.merge(_path(stored.storage), {"metadata": meta})
        except Refused as error:
            return is_forbidden(error)
        return True

    def unclaim(self, stored: Stored, update: str) -> None:
        """Take the mark of this update away, where it is still there."""
        if stored.claimed.partition(" ")[0] == update:
            with suppress(Refused, NotFound):
                self.cluster.merge(
                    _path(stored.storage), {"metadata": {"annotations": {CLAIM: None}}}
                )


def _path(storage: Storage) -> str:
    return STORES[storage.kind].path(storage.namespace, storage.name)


def newest(stored: Iterable[Stored]) -> dict[tuple[str, str], tuple[Stored, ...]]:
    """The revisions of each release, by namespace and name; its newest one first."""
    found: dict[tuple[str, str], list[Stored]] = {}
    for one in stored:
        found.setdefault(one.identity, []).append(one)
    return {
        identity: tuple(sorted(its, key=lambda one: one.revision, reverse=True))
        for identity, its in found.items()
    }


def _stored(store: Store, listed: dict[str, Any]) -> Stored | None:
    """None for what bears Helm's label and is none of its records."""
    storage = storage_of({"kind": store.kind, "metadata": listed["metadata"]})
    key = key_of(storage)
    if key is None:
        return None
    labels = listed["metadata"].get("labels") or {}
    modified = str(labels.get("modifiedAt") or labels.get("createdAt") or "")
    return Stored(
        storage,
        *key,
        str(labels.get("status") or ""),
        float(modified) if modified.isdecimal() else None,
        user_labels(labels),
        str((listed["metadata"].get("annotations") or {}).get(CLAIM) or ""),
    )
