"""Hears of what changes on a cluster as it happens: one line per kind and namespace.

Source: the API concepts of Kubernetes, "Efficient detection of changes". No list is read first: a
watch that begins nowhere tells of all that is there, by names and labels alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from safe_auto_updater.core.errors import NotFound, PlatformError, PlatformUnreachable
from safe_auto_updater.platforms.kubernetes.access import Told
from safe_auto_updater.platforms.kubernetes.cluster import OF_ONE, Cluster, is_forbidden
from safe_auto_updater.platforms.kubernetes.helm.releases import OWNER, STORES
from safe_auto_updater.platforms.kubernetes.kinds import KINDS
from safe_auto_updater.platforms.kubernetes.permissions import Need, lacking, watching

Json = dict[str, Any]
TURN_S = 240  # then it is asked anew: on a line that is dead nothing comes either
LATE_S = 30.0  # how late the end of a turn may be
_GONE = 410  # that version is forgotten: what came after it cannot be told any more


def watches(
    cluster: Cluster, namespaces: Sequence[str], *, releases: bool | None
) -> list[KindWatch]:
    """Who hears of all that the scanner sees there but pods; no namespaces: all.

    `releases` as `helm` of the cluster: None where that is allowed.
    """
    needs = {need.resource: need for need in watching(releases=releases)}
    found = []
    for namespace in namespaces or (None,):
        for kind in KINDS.values():
            path = kind.path(namespace)
            found.append(KindWatch(cluster, path, needs[kind.plural], namespace))
        for store in STORES.values() if releases is not False else ():
            path = store.path(namespace)
            found.append(KindWatch(cluster, path, needs[store.plural], namespace, OWNER))
    return found


class KindWatch:
    """Opens lines about one kind, each going on after the version that the one before it saw."""

    def __init__(
        self,
        cluster: Cluster,
        path: str,
        need: Need,
        namespace: str | None,
        selector: str | None = None,
    ) -> None:
        self.source = f"kubernetes:{cluster.name}"
        self._cluster = cluster
        self._path = path
        self._need = need
        self._namespace = namespace or ""
        self._selector = {"labelSelector": selector} if selector else {}
        self.version: str | None = None  # up to which it was told; None: nothing is known
        self.known: dict[str, int] = {}  # by uid: what of it can be news
        self.whole = False  # whether nothing may have been missed since

    def open(self) -> KindLine | None:
        """A line for one turn; None where the kind is not served, or need not be watched."""
        try:
            try:
                told_on = self._follow()
            except PlatformError as error:
                if error.status != _GONE:
                    raise
                self.forget()
                told_on = self._follow()
        except NotFound:
            return None
        except PlatformError as error:
            if not is_forbidden(error):
                raise
            if self._need.optional:
                return None
            raise PlatformError(lacking(self._need, self._namespace), error.status) from error
        missed, self.whole = not self.whole, False
        return KindLine(self, told_on, missed=missed)

    def forget(self) -> None:
        """Begin afresh: everything is told anew, but what is gone."""
        self.version, self.whole = None, False
        self.known.clear()

    def close(self) -> None:
        """Nothing is held between two lines: connections are the cluster's."""

    def _follow(self) -> Told:
        after = {"resourceVersion": self.version} if self.version is not None else {}
        return self._cluster.follow(
            self._path,
            TURN_S + LATE_S,
            OF_ONE,
            watch="true",
            allowWatchBookmarks="true",
            timeoutSeconds=TURN_S,
            **self._selector,
            **after,
        )


class KindLine:
    """One turn of what happens to objects of one kind."""

    def __init__(self, watch: KindWatch, told_on: Told, *, missed: bool) -> None:
        self.missed = missed
        self._watch = watch
        self._told = told_on

    def changes(self) -> Iterator[None]:
        """One item for each object that is new, gone, or told otherwise than before."""
        watch = self._watch
        for line in self._told.lines():
            kind, told_of = _event(line)
            if kind == "ERROR" and told_of.get("code") == _GONE:
                watch.forget()
                return
            if kind == "ERROR":
                fact = told_of.get("message")
                raise PlatformUnreachable(f"{watch.source}: a watch ended: {fact}")
            watch.version = str(told_of["metadata"]["resourceVersion"])
            if _is_news(watch.known, kind, told_of["metadata"]):
                yield
        watch.whole = True

    def end(self) -> None:
        """Have it end, from another thread."""
        self._told.end()

    def close(self) -> None:
        """Free what it holds."""
        self._told.close()


def _event(line: bytes) -> tuple[str, Json]:
    """Of which kind it is, and the object."""
    try:
        event = json.loads(line)
    except ValueError as error:
        raise PlatformUnreachable(f"a watch broke off within a line: {error}") from error
    return str(event["type"]), event["object"]


def _is_news(known: dict[str, int], kind: str, meta: Json) -> bool:
    """Whether it can matter to the inventory; how an object fares does not."""
    if kind == "BOOKMARK":
        return False
    if kind == "DELETED":
        known.pop(meta["uid"], None)
        return True
    # What a Secret holds has no generation; a release changes by another Secret, or its labels.
    said = [meta.get("generation"), meta.get("labels")]
    said += [meta.get("annotations")] if "generation" in meta else []
    now = hash(json.dumps(said, sort_keys=True))
    before, known[meta["uid"]] = known.get(meta["uid"]), now
    return before != now
