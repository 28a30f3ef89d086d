"""A Lease: of all services that name it, on whatever machine, one holds it and acts.

Source: coordination.k8s.io/v1, Lease. Clocks of machines are not compared: a holder is gone when
nothing of its Lease has changed for as long as it promised to renew it, by our own clock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from safe_auto_updater.core.ports import Clock
from safe_auto_updater.platforms.kubernetes.cluster import Cluster, Refused

LEASE_S = 30  # how long it holds without being renewed
ANSWER_S = 5.0  # how long the API server may take for it
_QUICKER = ("Conflict", "AlreadyExists")


class Lease:
    """One Lease, and who wants it. Its verbs raise what the cluster raises."""

    def __init__(
        self, cluster: Cluster, namespace: str, name: str, holder: str, clock: Clock
    ) -> None:
        self.named = f"{namespace}/{name}"
        self._cluster = cluster
        self._folder = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._path = f"{self._folder}/{name}"
        self._name = name
        self._holder = holder
        self._clock = clock
        self._seen = ("", 0.0)  # the version that we saw last, and when first

    def take(self) -> str | None:
        """Make it ours, or renew it: who holds it instead, None where we do."""
        found = self._cluster.find(self._path)
        try:
            if found is None:
                body = {"metadata": {"name": self._name}, "spec": self._spec(0)}
                self._cluster.create(self._folder, _whole(body))
                return None
            spec = found.get("spec") or {}
            other = spec.get("holderIdentity") or ""
            if other not in ("", self._holder) and not self._has_expired(found, spec):
                return str(other)
            self._write(found, self._spec(spec.get("leaseTransitions") or 0, spec))
        except Refused as error:
            if error.reason not in _QUICKER:
                raise
            return "somebody who was quicker"
        return None

    def release(self) -> None:
        """Let the next one have it at once; nothing where it is not ours."""
        found = self._cluster.find(self._path)
        if found is not None and (found.get("spec") or {}).get("holderIdentity") == self._holder:
            self._write(found, {"holderIdentity": "", "renewTime": self._now()})

    def _write(self, found: dict[str, Any], spec: dict[str, Any]) -> None:
        """Over this very version of it, or not at all."""
        version = found["metadata"]["resourceVersion"]
        self._cluster.merge(self._path, {"metadata": {"resourceVersion": version}, "spec": spec})

    def _spec(self, transitions: int, before: dict[str, Any] | None = None) -> dict[str, Any]:
        now = self._now()
        spec = {
            "holderIdentity": self._holder,
            "leaseDurationSeconds": LEASE_S,
            "renewTime": now,
        }
        if before is not None and before.get("holderIdentity") == self._holder:
            return spec
        changed = transitions + (before is not None)
        return {**spec, "acquireTime": now, "leaseTransitions": changed}

    def _has_expired(self, found: dict[str, Any], spec: dict[str, Any]) -> bool:
        version, now = str(found["metadata"]["resourceVersion"]), self._clock.monotonic()
        if version != self._seen[0]:
            self._seen = (version, now)
        return now - self._seen[1] > float(spec.get("leaseDurationSeconds") or LEASE_S)

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _whole(body: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", **body}
