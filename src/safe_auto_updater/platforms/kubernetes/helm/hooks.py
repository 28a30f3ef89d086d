"""What the hooks of a chart do to data, as far as anybody can tell. Pure; the names are data."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from safe_auto_updater.platforms.kubernetes.helm.release import Hook, Release
from safe_auto_updater.platforms.kubernetes.helm.target import (
    DEPLOYED,
    FAILED,
    PENDING_ROLLBACK,
    SUPERSEDED,
)
from safe_auto_updater.platforms.kubernetes.jobs import ended

UPGRADING = ("pre-upgrade", "post-upgrade")
RETURNING = ("pre-rollback", "post-rollback")
_MIGRATES = re.compile(
    r"migrat|db[-_]?(upgrade|update|init|sync)|(upgrade|update|init|sync)[-_]?db|schema[-_]?(update|upgrade)"
    r"|alembic|flyway|liquibase|\bprisma\b|\brake\b.*\bdb:",
    re.IGNORECASE,
)
"""What migrations of databases are called, in names, images and commands."""


def hooks_at(moments: Collection[str], events: Iterable[Iterable[str]]) -> int:
    """How often a hook runs at these moments; `events` are the moments of each hook."""
    return sum(moment in moments for each in events for moment in each)


def one_way(hook: Hook) -> bool:
    """Whether it runs something in an upgrade that looks like a migration."""
    if hook.kind not in ("Job", "Pod") or not set(hook.events) & set(UPGRADING):
        return False
    return bool(_MIGRATES.search(hook.name) or _MIGRATES.search(hook.manifest))


def may_have_migrated(made: Release) -> list[str]:
    """The hooks by which a revision may have migrated data, by name.

    One that goes back runs none of them: what Helm notes of its hooks is from long before.
    """
    if made.status == PENDING_ROLLBACK:
        return []
    noted = made.status in (DEPLOYED, FAILED, SUPERSEDED)
    return [hook.name for hook in made.hooks if one_way(hook) and may_have_run(hook, noted)]


def may_have_run(hook: Hook, noted: bool) -> bool:
    """Whether it was started in this revision; `noted`: helm has lived to note what it did."""
    return bool(hook.last_run.get("phase")) or not noted


def running(live: Mapping[str, Any]) -> bool:
    """Whether a hook's Job or Pod is still at work."""
    match live.get("kind"):
        case "Job":
            return ended(live) is None
        case "Pod":
            phase = (live.get("status") or {}).get("phase")
            return phase in ("Pending", "Running", "Unknown")
        case _:
            return False
