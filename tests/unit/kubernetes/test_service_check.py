"""A Service asked through the API server, at the wire: who said what, and whose fault it is."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckResult, CheckState, Subject
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.service_check import ServiceCheck
from tests.http_kit import LocalServer, QuietHandler


@contextmanager
def serving(status: int, *parts: bytes, more: int = 0) -> Iterator[str]:
    """Answers in these parts, one after the other, and owes some bytes more."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(sum(map(len, parts)) + more))
            self.end_headers()
            for part in parts:
                self.wfile.write(part)
                self.wfile.flush()
                time.sleep(0.05)

    with LocalServer(Handler) as server:
        yield server.url


def look(url: str, folder: Path) -> CheckResult:
    file = folder / "kubeconfig"
    cluster = {"name": "c", "cluster": {"server": url}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    user = {"name": "u", "user": {"token": "t"}}
    told = {"clusters": [cluster], "contexts": [context], "users": [user], "current-context": "c"}
    file.write_text(json.dumps(told))
    lab = Cluster("lab", Access(file))
    check = ServiceCheck(lambda _: lab, "web:80", now=time.monotonic)
    return check.check(Subject("kubernetes:lab/shop/Deployment/web", "web"))


def own(message: str) -> bytes:
    return json.dumps({"kind": "Status", "apiVersion": "v1", "message": message}).encode()


UNREACHED = "error trying to reach service: "
REFUSED = UNREACHED + "dial tcp 10.0.0.1:80: connect: connection refused"
BUSY = b"Too many requests, please try again later.\n"
FAILING, UNKNOWN = CheckState.FAILING, CheckState.UNKNOWN
# status and body; what is said of it
SAID: list[tuple[int, tuple[bytes, ...], CheckState]] = [
    (503, (own(REFUSED),), FAILING),
    (503, (own(UNREACHED + "dial tcp 10.0.0.1:80: i/o timeout"),), UNKNOWN),
    (503, (own(UNREACHED + "dial tcp 10.0.0.1:80: connect: no route to host"),), UNKNOWN),
    (503, (own(UNREACHED + "tls: first record does not look like a TLS handshake"),), UNKNOWN),
    (503, (own(UNREACHED + "EOF"),), UNKNOWN),
    (503, (own("no endpoints available")[:20], own("no endpoints available")[20:]), UNKNOWN),
    (503, (b"connection refused",), FAILING),
    (429, (BUSY,), UNKNOWN),
    (429, (b"slow down",), FAILING),
]


@pytest.mark.parametrize(("status", "parts", "state"), SAID)
def test_only_what_the_service_says_is_the_image_s_fault(
    status: int, parts: tuple[bytes, ...], state: CheckState, tmp_path: Path
) -> None:
    with serving(status, *parts) as url:
        result = look(url, tmp_path)
    assert result.state is state, result
    assert result.cause is (Cause.PLATFORM if state is UNKNOWN else Cause.IMAGE)


def test_answer_that_breaks_off_has_said_its_status(tmp_path: Path) -> None:
    with serving(500, b"<html>", more=9) as url:
        result = look(url, tmp_path)
    assert (result.state, "answered 500" in result.detail) == (FAILING, True), result
