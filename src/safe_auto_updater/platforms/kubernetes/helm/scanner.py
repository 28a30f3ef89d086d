"""HelmScanner: the releases of one cluster, what chart each has, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from safe_auto_updater.core.charts import chart_reference
from safe_auto_updater.core.errors import (
    NotFound,
    PlatformError,
    PlatformUnreachable,
    SafeAutoUpdaterError,
)
from safe_auto_updater.core.identity import helm_id
from safe_auto_updater.core.model import Asset, Image, ImageUse
from safe_auto_updater.platforms.kubernetes.cluster import Cluster, is_forbidden
from safe_auto_updater.platforms.kubernetes.helm.declared import owners
from safe_auto_updater.platforms.kubernetes.helm.owners import Identity, Owner
from safe_auto_updater.platforms.kubernetes.helm.release import policy_labels, release_of
from safe_auto_updater.platforms.kubernetes.helm.releases import (
    STORES,
    Releases,
    Store,
    Stored,
    newest,
)
from safe_auto_updater.platforms.kubernetes.helm.seen import Around, Seen, unclear
from safe_auto_updater.platforms.kubernetes.helm.standing import in_the_way, status_of

MANY = 20  # records; more are fetched together
AT_ONCE = 4  # of the others, side by side
Answer = Seen | str | None  # what a record says, why it cannot be read, or that it is gone
Failures = list[tuple[str, str]]


class HelmScanner:
    """Scans the releases of one cluster, beside its workloads, of which it asks nothing itself.

    `wanted` None: where we may look. True: where we may not is a failure of that part.
    """

    def __init__(self, cluster: Cluster, *, wanted: bool | None = None) -> None:
        self._cluster = cluster
        self._releases = Releases(cluster)
        self._wanted = wanted
        self._source = f"kubernetes:{cluster.name}"
        self._known: dict[str, tuple[str, Seen]] = {}  # by uid: resourceVersion, and what it is

    def scan(
        self,
        namespaces: Sequence[str | None],
        around: Around,
        failures: Failures,
    ) -> list[Asset]:
        """Releases now. What could not be read is added to the failures."""
        if self._wanted is False:
            return []
        stored = [
            one
            for namespace in namespaces
            for store in STORES.values()
            for one in self._listed(store, namespace, failures)
        ]
        if not stored:
            self._known = {}
            return []
        revisions = newest(stored)
        seen = self._seen([its[0] for its in revisions.values()], namespaces, failures)
        declared = self._owners(namespaces, failures)
        return [
            self._asset(its, found, declared.get(identity), around)
            for identity, its in revisions.items()
            if (found := seen.get(its[0].storage.uid)) is not None
        ]

    def _listed(self, store: Store, namespace: str | None, failures: Failures) -> Sequence[Stored]:
        try:
            return self._releases.stored(store, namespace)
        except SafeAutoUpdaterError as error:
            if self._wanted or not is_forbidden(error):
                failures.append((self._source, f"releases in {store.plural}: {error}"))
            return ()

    def _seen(
        self, stored: Sequence[Stored], namespaces: Sequence[str | None], failures: Failures
    ) -> dict[str, Seen]:
        """Each newest revision by its uid, read where it is new or another than it was."""
        known = self._known
        now = {
            one.storage.uid: was
            for one in stored
            if (was := known.get(one.storage.uid)) is not None
            and was[0] == one.storage.resource_version
        }
        fresh = [one for one in stored if one.storage.uid not in now]
        read = self._together(fresh, namespaces) if len(fresh) > MANY else {}
        rest = [one for one in fresh if one.storage.uid not in read]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = pool.map(_Reading(self._releases).seen, rest)
            read |= {one.storage.uid: answer for one, answer in zip(rest, answers, strict=True)}
        for one in fresh:
            answer = read[one.storage.uid]
            if isinstance(answer, Seen):
                now[one.storage.uid] = (one.storage.resource_version, answer)
        why = dict.fromkeys(answer for answer in read.values() if isinstance(answer, str))
        failures += [(self._source, fact) for fact in why]
        self._known = now
        return {uid: seen for uid, (_, seen) in now.items()}

    def _together(
        self, fresh: Sequence[Stored], namespaces: Sequence[str | None]
    ) -> dict[str, Answer]:
        """Many of them, with few questions. What is not among them is to be read by itself."""
        wanted = {(one.storage.uid, one.storage.resource_version): one for one in fresh}
        found: dict[str, Answer] = {}
        try:
            for store in {STORES[one.storage.kind] for one in fresh}:
                for namespace in namespaces:
                    for record in self._releases.current(store, namespace):
                        meta = record["metadata"]
                        stored = wanted.get((meta["uid"], meta["resourceVersion"]))
                        if stored is not None:
                            found[meta["uid"]] = _answer(stored, record)
        except SafeAutoUpdaterError:
            pass  # who asks for the rest one by one hears why, and says it
        return found

    def _owners(
        self, namespaces: Sequence[str | None], failures: Failures
    ) -> dict[Identity, Owner]:
        try:
            return owners(self._cluster, namespaces)
        except SafeAutoUpdaterError as error:
            failures.append((self._source, f"who else upgrades releases: {error}"))
            return {}

    def _asset(
        self,
        revisions: Sequence[Stored],
        seen: Seen,
        declared_by: Owner | None,
        around: Around,
    ) -> Asset:
        newest_one, owner = revisions[0], declared_by or seen.owner
        namespace, name = newest_one.identity
        chart, version, app_version = seen.chart
        health, missing = around.health_of(seen)
        use = ImageUse(
            container="chart",
            image=Image(reference=chart_reference(chart, version), version=version),
            declared=app_version,
            policy_labels=tuple(sorted(policy_labels(newest_one.labels).items())),
        )
        return Asset(
            id=helm_id(self._cluster.name, namespace, name),
            platform="helm",
            kind="release",
            name=name,
            images=(use,),
            status=status_of(seen.status),
            health=health,
            managed_by=owner.word if owner else None,
            obstacles=(
                *((owner.obstacle,) if owner else ()),
                *in_the_way(seen.status, seen.info, revisions),
                *unclear(seen, revisions),
                *around.itself(seen),
                *missing,
            ),
            configuration=seen.configuration,
        )


class _Reading:
    """Reads records one by one; once the cluster is silent nobody waits for it again."""

    def __init__(self, releases: Releases) -> None:
        self._releases = releases
        self._silent: str | None = None
        self._refused: dict[tuple[str, str], str] = {}  # told once, whichever comes first

    def seen(self, stored: Stored) -> Answer:
        """What it says."""
        if self._silent is not None:
            return self._silent
        try:
            return _answer(stored, self._releases.record(stored.storage))
        except NotFound:
            return None
        except PlatformUnreachable as error:
            self._silent = str(error)
            return self._silent
        except SafeAutoUpdaterError as error:
            if is_forbidden(error):
                part = STORES[stored.storage.kind].plural, stored.storage.namespace
                return self._refused.setdefault(part, f"releases in {' of '.join(part)}: {error}")
            return _unread(stored, error)


def _answer(stored: Stored, record: Mapping[str, Any]) -> Answer:
    try:
        return Seen.of(release_of(record))
    except PlatformError as error:
        return _unread(stored, error)


def _unread(stored: Stored, error: SafeAutoUpdaterError) -> str:
    return f"release {'/'.join(stored.identity)}, revision {stored.revision}: {error}"
