"""Watches at the wire: what is news, where the next one goes on, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.platforms.kubernetes.watches import KindWatch, watches
from tests.unit.kubernetes.test_cluster import Answer, Server, status

Json = dict[str, Any]
GONE = status(410, "Expired", "too old resource version")


def event(kind: str, uid: str = "u", version: int = 1, **meta: Any) -> Json:
    told = {"generation": 1, "annotations": {"a": "1"}, **meta}
    return {
        "type": kind,
        "object": {"metadata": {"uid": uid, "resourceVersion": str(version), **told}},
    }


def stream(*events: Json) -> Answer:
    return 200, b"".join(json.dumps(one).encode() + b"\n" for one in events)


def error(code: int) -> Json:
    return {"type": "ERROR", "object": {"kind": "Status", "code": code, "message": "no"}}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    """The first watch of a namespace on a server with a script: Deployments; and the server."""
    with ExitStack() as servers:

        def one(*script: Answer, which: int = 0, **how: Any) -> tuple[KindWatch, Server]:
            server = servers.enter_context(Server(*script))
            how = {"releases": True, **how}
            return watches(server.cluster(tmp_path), ["shop"], **how)[which], server

        yield one


def heard(watch: KindWatch) -> list[None]:
    line = watch.open()
    assert line is not None
    try:
        return list(line.changes())
    finally:
        line.close()


CASES = {
    "how it fares": (event("MODIFIED", version=2), 0),
    "another generation": (event("MODIFIED", version=2, generation=2), 1),
    "a label": (event("MODIFIED", version=2, labels={"a": "b"}), 1),
    "an annotation": (event("MODIFIED", version=2, annotations={"a": "2"}), 1),
    "gone": (event("DELETED", version=2), 1),
    "another one": (event("ADDED", "v", version=2), 1),
    "a bookmark": ({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "2"}}}, 0),
}


@pytest.mark.parametrize("what", CASES)
def test_what_is_news_of_a_workload(make: Any, what: str) -> None:
    told, count = CASES[what]
    watch, server = make(stream(event("ADDED"), told), stream())
    assert len(heard(watch)) == 1 + count
    assert watch.open().missed is False
    asked = [parse_qs(urlsplit(path).query) for _, path, _ in server.asked]
    assert [one.get("resourceVersion") for one in asked] == [None, ["2"]]
    assert all(one["watch"] == one["allowWatchBookmarks"] == ["true"] for one in asked)


def test_of_a_record_of_helm_labels_alone_are_news(make: Any) -> None:
    bare = {"labels": {"owner": "helm", "status": "deployed"}}
    first = event("ADDED", **bare)
    claimed = event("MODIFIED", version=2, **bare, annotations={"safe-auto-updater/at-work": "x"})
    over = event("MODIFIED", version=3, labels={"owner": "helm", "status": "superseded"})
    for one in (first, claimed, over):
        del one["object"]["metadata"]["generation"]
    watch, server = make(stream(first, claimed, over), which=4)
    assert len(heard(watch)) == 2
    assert "/namespaces/shop/secrets?" in server.asked[0][1]
    assert "labelSelector=owner%3Dhelm" in server.asked[0][1]


@pytest.mark.parametrize("how", ["at once", "in the middle"])
def test_version_that_is_forgotten_starts_afresh_without_noise(make: Any, how: str) -> None:
    gone = [GONE] if how == "at once" else [stream(error(410))]
    watch, server = make(stream(event("ADDED")), *gone, stream(event("ADDED"), event("ADDED", "v")))
    assert len(heard(watch)) == 1
    if how == "in the middle":
        assert heard(watch) == []
    line = watch.open()
    assert line.missed
    assert len(list(line.changes())) == 2
    assert "resourceVersion" not in server.asked[-1][1]


def test_watch_that_fails_has_broken_and_goes_on_after_what_it_saw(make: Any) -> None:
    cut = 200, b'{"type": "ADD'
    for end in (stream(error(500)), cut):
        watch, server = make(stream(event("ADDED", version=7)), end, stream())
        heard(watch)
        with pytest.raises(PlatformUnreachable):
            heard(watch)
        assert watch.open().missed
        assert "resourceVersion=7" in server.asked[-1][1]


def test_right_that_is_missing_is_named_with_its_rule(make: Any) -> None:
    watch, _ = make(status(403, "Forbidden"))
    with pytest.raises(PlatformError) as refused:
        watch.open()
    assert refused.value.status == 403
    assert str(refused.value) == (
        "may not watch deployments.apps in namespace shop, to hear of changes: "
        'add {apiGroups: ["apps"], resources: [deployments], verbs: [watch]} to its Role'
    )


def test_what_need_not_be_watched_or_is_not_served_is_left_out(make: Any) -> None:
    assert make(status(403, "Forbidden"), which=4, releases=None)[0].open() is None
    assert make(status(404, "NotFound"))[0].open() is None
    assert len(watches(make(stream())[0]._cluster, ["a", "b"], releases=False)) == 8
    assert len(watches(make(stream())[0]._cluster, [], releases=None)) == 6


def test_token_that_has_ended_is_a_line_that_breaks(make: Any) -> None:
    with pytest.raises(PlatformUnreachable, match="does not know us"):
        make(status(401, "Unauthorized"))[0].open()
