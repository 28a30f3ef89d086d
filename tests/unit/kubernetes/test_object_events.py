"""Events on workloads: on the right object, in the API's words, never longer than it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.core.events import Event
from safe_auto_updater.platforms.kubernetes.object_events import (
    EVENT_KINDS,
    ObjectEvents,
    message,
    written,
)
from tests.unit.kubernetes.test_cluster import Server, status

WEB = "kubernetes:lab/shop/Deployment/web"
WORKLOAD = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "uid": "u-1"},
}
CHANGES = {"changes": "web 1.0.0 -> 1.1.0 (minor)"}
FAILED = {**CHANGES, "cause": "image"}
# kind, what the program said of it, what it knows besides, and what the object is told
TOLD = [
    ("held", "risk 30 of 100: sau approve ab", {}, "risk 30 of 100: sau approve ab"),
    ("started", "web:1.0.0 -> web:1.1.0 (minor)", CHANGES,
     "web:1.0.0 -> web:1.1.0 (minor). Update u1"),
    ("succeeded", "succeeded: healthy", CHANGES,
     "web 1.0.0 -> 1.1.0 (minor): succeeded: healthy. Update u1"),
    ("rolled_back", "rolled back: it crashes", FAILED,
     "web 1.0.0 -> 1.1.0 (minor): rolled back: it crashes (cause: image). More: `sau show u1`"),
    ("inconsistent", "inconsistent: neither runs", FAILED,
     "web 1.0.0 -> 1.1.0 (minor): inconsistent: neither runs (cause: image). Nothing more is "
     f"done to it: look with `sau show u1`, repair it, then `sau release {WEB}`"),
    ("aborted", "aborted: https://u:pw@h/ says\nno", FAILED,
     "web 1.0.0 -> 1.1.0 (minor): aborted: https://***@h/ says no (cause: image). More: "
     "`sau show u1`"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "said", "details", "told"), TOLD)
def test_object_is_told(kind: str, said: str, details: dict[str, str], told: str) -> None:
    update = None if kind == "held" else "u1"
    assert message(Event(kind, said, 0.0, WEB, update, details)) == told


REASONS = {
    "held": ("UpdateHeld", "Normal"),
    "available": ("UpdateAvailable", "Normal"),
    "started": ("UpdateStarted", "Normal"),
    "succeeded": ("UpdateSucceeded", "Normal"),
    "unverified": ("UpdateUnverified", "Normal"),
    "rolled_back": ("UpdateRolledBack", "Warning"),
    "aborted": ("UpdateAborted", "Warning"),
    "halted": ("UpdateHalted", "Warning"),
    "inconsistent": ("UpdateInconsistent", "Warning"),
    "unfinished": ("UpdateUnfinished", "Warning"),
}


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_each_kind_has_its_reason_and_type(kind: str) -> None:
    body = written(Event(kind, "x", 1_700_000_000.0, WEB), WORKLOAD, "host")
    assert (body["reason"], body["type"]) == REASONS[kind]
    assert body["lastTimestamp"] == "2023-11-14T22:13:20Z"


def test_event_is_about_this_very_object() -> None:
    body = written(Event("held", "x", 0.0, WEB), WORKLOAD, "host")
    assert body["involvedObject"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "uid": "u-1",
    }
    assert body["metadata"]["namespace"] == "shop"


def test_long_message_keeps_what_is_to_be_done() -> None:
    event = Event("halted", "halted: " + "é" * 2000, 0.0, WEB, "u1", CHANGES)
    told = message(event)
    assert 1020 <= len(told.encode()) <= 1024
    assert told.startswith("web 1.0.0 -> 1.1.0 (minor): halted: éé")
    assert told.endswith(f"then `sau release {WEB}`")


HELD = Event("held", "x", 0.0, WEB)


def test_event_is_written_once_into_the_namespace_of_the_object(tmp_path: Path) -> None:
    with Server((200, WORKLOAD), (201, {})) as server:
        ObjectEvents(server.cluster(tmp_path)).notify(HELD)
    (_, looked, _), (method, path, body) = server.asked
    assert looked == "/apis/apps/v1/namespaces/shop/deployments/web"
    assert (method, path.partition("?")[0]) == ("POST", "/api/v1/namespaces/shop/events")
    assert (body["reason"], body["involvedObject"]["uid"]) == ("UpdateHeld", "u-1")


def test_object_that_is_gone_is_told_nothing(tmp_path: Path) -> None:
    with Server(status(404, "NotFound")) as server:
        ObjectEvents(server.cluster(tmp_path)).notify(HELD)
    assert [method for method, _, _ in server.asked] == ["GET"]


def test_event_that_is_refused_is_not_tried_again_and_says_where_the_rule_is(
    tmp_path: Path,
) -> None:
    refused = pytest.raises(PlatformError, match=r"events is forbidden.*docs/kubernetes\.md")
    script = (200, WORKLOAD), status(403, "Forbidden", "events is forbidden")
    with Server(*script) as server, refused as caught:
        ObjectEvents(server.cluster(tmp_path)).notify(HELD)
    assert caught.value.status == 403
    assert [method for method, _, _ in server.asked] == ["GET", "POST"]
