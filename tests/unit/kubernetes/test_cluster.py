"""The API at the wire: pages, lists that expire, refusals, servers that fail once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.errors import NotFound, PlatformError, PlatformUnreachable
from safe_auto_updater.platforms.kubernetes import cluster as module
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster, Refused
from tests.http_kit import LocalServer, QuietHandler

Answer = tuple[int, Any]


class Server(LocalServer):
    """Answers from a script: one entry per question; the last one again and again."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.asked: list[tuple[str, str, Any]] = []
        said = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                said.asked.append((self.command, self.path, body))
                status, told = said.script[0]
                if len(said.script) > 1:
                    said.script.pop(0)
                content = json.dumps(told).encode() if not isinstance(told, bytes) else told
                self.answer(status, content)

            do_PATCH = do_POST = do_DELETE = do_GET

        super().__init__(Handler)

    def cluster(self, folder: Path) -> Cluster:
        file = folder / "kubeconfig"
        file.write_text(
            json.dumps(
                {
                    "current-context": "c",
                    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                    "clusters": [{"name": "c", "cluster": {"server": self.url}}],
                    "users": [{"name": "u", "user": {"token": "secret-token"}}],
                }
            )
        )
        return Cluster("lab", Access(file))


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    monkeypatch.setattr(module, "RETRY_S", (0.0, 0.0))
    with ExitStack() as servers:

        def start(*script: Answer) -> tuple[Cluster, Server]:
            server = servers.enter_context(Server(*script))
            return server.cluster(tmp_path), server

        yield start


def page(*uids: str, going_on: str = "") -> Answer:
    items = [{"metadata": {"uid": uid}} for uid in uids]
    return 200, {"items": items, "metadata": {"continue": going_on}}


def status(code: int, reason: str, message: str = "no") -> Answer:
    return code, {"kind": "Status", "message": message, "reason": reason}


def uids(cluster: Cluster) -> list[str]:
    return [item["metadata"]["uid"] for item in cluster.listed("/api/v1/pods")]


def test_a_list_is_read_page_by_page(serve: Callable[..., Any]) -> None:
    cluster, server = serve(page("a", "b", going_on="t1"), page("c"))
    assert uids(cluster) == ["a", "b", "c"]
    assert ["continue=t1" in path for _, path, _ in server.asked] == [False, True]


def test_a_list_that_expired_is_begun_again_and_tells_nobody_twice(
    serve: Callable[..., Any],
) -> None:
    cluster, _ = serve(page("a", going_on="t"), status(410, "Expired"), page("a", "b"))
    assert uids(cluster) == ["a", "b"]


def test_a_list_that_always_expires_is_a_failure(serve: Callable[..., Any]) -> None:
    cluster, _ = serve(status(410, "Expired", "too old"))
    with pytest.raises(PlatformError, match="too old"):
        uids(cluster)


def test_half_a_list_is_no_list(serve: Callable[..., Any]) -> None:
    cluster, _ = serve(page("a", going_on="t"), status(403, "Forbidden", "no more for you"))
    with pytest.raises(Refused, match="no more for you"):
        uids(cluster)


def test_a_question_is_asked_again_where_the_server_fails_once(serve: Callable[..., Any]) -> None:
    cluster, server = serve(status(500, "InternalError"), (200, {"metadata": {}}))
    assert cluster.get("/x") == {"metadata": {}}
    assert len(server.asked) == 2


def test_an_act_is_never_asked_again(serve: Callable[..., Any]) -> None:
    cluster, server = serve(status(500, "InternalError"))
    with pytest.raises(PlatformUnreachable):
        cluster.patch("/x", [{"op": "test"}])
    assert [method for method, _, _ in server.asked] == ["PATCH"]


REFUSALS = [
    (404, "NotFound", NotFound, "lab: no"),
    (401, "Unauthorized", PlatformUnreachable, "look at the user of its kubeconfig"),
    (403, "Forbidden", Refused, "lab: no"),
    (409, "Conflict", Refused, "lab: no"),
    (422, "Invalid", Refused, "lab: no"),
    (503, "ServiceUnavailable", PlatformUnreachable, "503 no"),
    (429, "TooManyRequests", PlatformUnreachable, "429 no"),
]


@pytest.mark.parametrize(("code", "reason", "kind", "words"), REFUSALS)
def test_each_refusal_is_what_it_is(
    serve: Callable[..., Any], code: int, reason: str, kind: type[Exception], words: str
) -> None:
    cluster, _ = serve(status(code, reason))
    with pytest.raises(kind, match=words) as refused:
        cluster.create("/x", {})
    if isinstance(refused.value, Refused):
        assert refused.value.reason == reason
    assert "secret-token" not in str(refused.value)


def test_something_that_is_no_cluster_is_named(serve: Callable[..., Any]) -> None:
    cluster, _ = serve((200, b"<html>"))
    with pytest.raises(PlatformError, match="is it Kubernetes"):
        cluster.get("/version")


def test_nobody_there_is_no_answer(tmp_path: Path) -> None:
    server = Server((200, {}))
    cluster = server.cluster(tmp_path)
    server.close()
    assert not cluster.reachable()
    with pytest.raises(PlatformUnreachable, match="does not answer"):
        cluster.create("/x", {})


BAD = ["", "a: [", "contexts: 7", '{"current-context": "gone"}']


@pytest.mark.parametrize("text", BAD)
def test_kubeconfig_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    with pytest.raises(PlatformError, match="kubeconfig cannot be used"):
        Cluster("lab", Access(file)).get("/version")
    with pytest.raises(PlatformError, match="kubeconfig cannot be used"):
        Cluster("lab", Access(tmp_path / "gone" / "kubeconfig")).get("/version")


def test_deleting_what_is_gone_or_another_is_fine(serve: Callable[..., Any]) -> None:
    cluster, server = serve(status(404, "NotFound"), status(409, "Conflict"))
    cluster.delete("/x", "uid-1")
    cluster.delete("/x", "uid-1")
    assert server.asked[0][2]["preconditions"] == {"uid": "uid-1"}
