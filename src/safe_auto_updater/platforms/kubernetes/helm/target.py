"""Which release an asset is, and which of its revisions an update of ours made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from safe_auto_updater.platforms.kubernetes.helm.command import Named
from safe_auto_updater.platforms.kubernetes.helm.releases import STORES, Stored

DEPLOYED = "deployed"
FAILED = "failed"
SUPERSEDED = "superseded"
PENDING_ROLLBACK = "pending-rollback"
PENDING = ("pending-install", "pending-upgrade", PENDING_ROLLBACK)


@dataclass(frozen=True)
class Target:
    """One release of a cluster, by its identity."""

    cluster: str
    namespace: str
    name: str

    @classmethod
    def of(cls, asset: str) -> Self:
        """From `helm:<cluster>/<namespace>/<release>`."""
        return cls(*asset.removeprefix("helm:").split("/", 2))

    def named(self, stored: Stored) -> Named:
        """As helm is told of it."""
        return Named(self.namespace, self.name, STORES[stored.storage.kind].driver)

    def __str__(self) -> str:
        return f"release {self.namespace}/{self.name}"
