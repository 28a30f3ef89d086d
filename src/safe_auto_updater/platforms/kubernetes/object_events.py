"""Events on the workload itself: `kubectl describe` and `kubectl get events` tell the story.

Source: core/v1, Event. The cluster keeps them for an hour, unless it is told otherwise.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.events import Event
from safe_auto_updater.core.redact import redact
from safe_auto_updater.platforms.kubernetes.cluster import Cluster, Refused
from safe_auto_updater.platforms.kubernetes.kinds import KINDS
from safe_auto_updater.platforms.kubernetes.target import Target

MOST_BYTES = 1024  # of a message, by the API
COMPONENT = "safe-auto-updater"
_NORMAL, _WARNING = "Normal", "Warning"
_TYPES = {
    "held": _NORMAL,
    "available": _NORMAL,
    "started": _NORMAL,
    "succeeded": _NORMAL,
    "unverified": _NORMAL,
    "rolled_back": _WARNING,
    "aborted": _WARNING,
    "halted": _WARNING,
    "inconsistent": _WARNING,
    "unfinished": _WARNING,
}
EVENT_KINDS = tuple(_TYPES)
"""The events that are told on the object."""


class ObjectEvents:
    """A notifier for the workloads of one cluster. What is not there any more is told nothing."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._instance = socket.gethostname() or COMPONENT

    def notify(self, event: Event) -> None:
        """Write one Event. PlatformError or PlatformUnreachable where it was not taken."""
        if event.asset is None:
            raise UsageError(f"{event.kind} is about no workload")
        if event.asset.split("/")[2] not in KINDS:
            return  # only seen by its pods: there is no object that we know of
        target = Target.of(event.asset)
        workload = self._cluster.find(target.path)
        if workload is None:
            return
        path = f"/api/v1/namespaces/{target.namespace}/events"
        try:
            self._cluster.create(path, written(event, workload, self._instance))
        except Refused as error:
            fact = f"{error}; updates go on without Events (docs/kubernetes.md has the rule)"
            raise Refused(fact, error.status or 0, error.reason) from error


def written(event: Event, workload: Mapping[str, Any], instance: str) -> dict[str, Any]:
    """The Event as the API takes it, on this very object."""
    meta = workload["metadata"]
    at = datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{meta['name']}.", "namespace": meta["namespace"]},
        "involvedObject": {
            "apiVersion": workload["apiVersion"],
            "kind": workload["kind"],
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
        },
        "type": _TYPES[event.kind],
        "reason": "Update" + "".join(word.capitalize() for word in event.kind.split("_")),
        "message": message(event),
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": instance,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }


def message(event: Event) -> str:
    """What changes, what became of it, its cause, and what is to be done; the middle is cut."""
    changes, cause = event.details.get("changes"), event.details.get("cause")
    is_whole = changes is None or event.kind == "started"  # that one names the images itself
    told = event.message if is_whole else f"{changes}: {event.message}"
    told += f" (cause: {cause})" if cause else ""
    told = "".join(c if c.isprintable() else " " for c in redact(told))
    return _cut(told, _to_do(event))


def _to_do(event: Event) -> str:
    match event.kind:
        case "halted" | "inconsistent":
            return (
                f". Nothing more is done to it: look with `sau show {event.update}`, repair it, "
                f"then `sau release {event.asset}`"
            )
        case "rolled_back" | "aborted":
            return f". More: `sau show {event.update}`"
        case _:
            return f". Update {event.update}" if event.update else ""


def _cut(told: str, end: str) -> str:
    whole = told + end
    if len(whole.encode()) <= MOST_BYTES:
        return whole
    room = MOST_BYTES - len(f"...{end}".encode())
    return told.encode()[:room].decode(errors="ignore") + f"...{end}"
