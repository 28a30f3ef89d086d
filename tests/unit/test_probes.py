"""Probes ask real servers, once per look, and answer in time.

So is the engine asked: whatever it says or does not, one of our own errors tells.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable, SafeAutoUpdaterError
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.ports import CheckState, Subject
from safe_auto_updater.platforms.docker import engine as engine_api
from safe_auto_updater.platforms.docker.command_check import CommandCheck
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.probes.http import HttpCheck
from safe_auto_updater.platforms.probes.tcp import TcpCheck
from tests.wire_kit import answering, saying, serving, silent

HERE = Subject("docker:local/web", "web", ("127.0.0.1",))
NOWHERE = Subject("docker:local/web", "web")


def http(port: int, *expected: int, timeout_s: float = 5.0) -> HttpCheck:
    url = f"http://{{address}}:{port}/healthz"
    return HttpCheck(url, expected, timeout_s)


def tcp(port: int, timeout_s: float = 5.0) -> TcpCheck:
    return TcpCheck(port, timeout_s=timeout_s)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_command_in_what_is_no_container_cannot_tell_and_says_what_to_use() -> None:
    def engine_of(asset: str) -> DockerEngine:
        raise AssertionError(asset)

    workload = Subject("kubernetes:prod/shop/Deployment/web", "web")
    result = CommandCheck(engine_of, ("true",)).check(workload)
    assert (result.state, result.cause) == (CheckState.UNKNOWN, Cause.PLATFORM)
    assert result.detail.endswith("use a check of type job")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "expected", "state"),
    [
        ("200 OK", (), CheckState.PASSED),
        ("204 No Content", (), CheckState.PASSED),
        ("302 Found\r\nLocation: /missing", (), CheckState.PASSED),
        ("404 Not Found", (), CheckState.FAILING),
        ("500 Broken", (), CheckState.FAILING),
        ("200 OK", (204,), CheckState.FAILING),
        ("401 Who", (200, 401), CheckState.PASSED),
        ("302 Found\r\nLocation: /", (200,), CheckState.FAILING),
        ("200 OK\r\nContent-Length: 1000000", (), CheckState.PASSED),
    ],
)
def test_http_status_decides(head: str, expected: tuple[int, ...], state: CheckState) -> None:
    with serving(answering(head)) as port:
        result = http(port, *expected).check(HERE)

    assert result.state is state
    assert head[:3] in result.detail


def test_http_asks_anew_with_each_look_and_says_who_it_is() -> None:
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(answer) as port:
        check = http(port)
        assert [check.check(HERE).state for _ in range(2)] == [CheckState.PASSED] * 2

    assert len(seen) == 2
    assert all(request.startswith(b"GET /healthz HTTP/1.1\r\n") for request in seen)
    assert all(b"safe-auto-updater" in request for request in seen)


def test_http_uses_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serving(answering("200 OK")) as port:
        assert http(port).check(HERE).state is CheckState.PASSED


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_http_reaches_an_ipv6_address() -> None:
    with serving(answering("200 OK"), socket.AF_INET6) as port:
        subject = Subject("docker:local/web", "web", ("::1",))
        assert http(port).check(subject).state is CheckState.PASSED
        assert tcp(port).check(subject).state is CheckState.PASSED


SERVER_LASTS_S = 5
"""How long each of these servers would keep somebody who waits for its end."""


def _dripping(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(200):
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("answer", [silent, _dripping])
def test_http_answers_in_time_whatever_the_server_does(
    answer: Callable[[socket.socket], None],
) -> None:
    with serving(answer) as port:
        began = time.monotonic()
        result = http(port, timeout_s=0.1).check(HERE)
        took = time.monotonic() - began

    assert (result.state, took < SERVER_LASTS_S) == (CheckState.FAILING, True)
    assert "no answer within 0.1 s" in result.detail


@pytest.mark.parametrize("answer", [lambda _: None, lambda c: c.sendall(b"\0garbage\r\n\r\n")])
def test_http_nonsense_is_failing(answer: Callable[[socket.socket], None]) -> None:
    with serving(answer) as port:
        assert http(port).check(HERE).state is CheckState.FAILING


@pytest.mark.parametrize("check", [http, tcp])
def test_refused_connection_is_failing_and_says_so(check: Callable[[int], HttpCheck]) -> None:
    result = check(closed_port()).check(HERE)

    assert result.state is CheckState.FAILING
    assert "refused" in result.detail


@pytest.mark.parametrize("check", [http, tcp])
def test_without_an_address_nobody_can_tell(check: Callable[[int], HttpCheck]) -> None:
    result = check(80).check(NOWHERE)

    assert (result.state, result.cause) == (CheckState.UNKNOWN, Cause.PLATFORM)


def test_name_that_cannot_be_resolved_blames_no_image() -> None:
    for check in (
        HttpCheck("http://nowhere.invalid/"),
        TcpCheck(80, "nowhere.invalid"),
    ):
        result = check.check(HERE)
        assert (result.state, result.cause) == (CheckState.UNKNOWN, Cause.PLATFORM)


def _greeting(connection: socket.socket) -> None:
    connection.sendall(b"220 hello\r\n")
    silent(connection)


@pytest.mark.parametrize("answer", [silent, _greeting])
def test_tcp_passes_where_a_server_listens(answer: Callable[[socket.socket], None]) -> None:
    with serving(answer) as port:
        assert tcp(port).check(HERE).state is CheckState.PASSED


def test_tcp_is_not_fooled_by_a_port_proxy_without_a_server_behind() -> None:
    with serving(lambda _: None) as port:
        result = tcp(port).check(HERE)

    assert result.state is CheckState.FAILING
    assert "closes them at once" in result.detail


VERSION = {"ApiVersion": "1.51", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        ("500 Broken", '{"message": "starting"}', PlatformUnreachable, "starting"),
        ("403 No", '{"message": "no"}', PlatformError, "no (/version)"),
        ("200 OK", "<html>", PlatformError, "no JSON"),
        ("200 OK", "[]", PlatformError, "is it Docker?"),
        ("200 OK", '{"ApiVersion": "one"}', PlatformError, "'one' is no API version"),
        ("200 OK", '{"ApiVersion": "1.40"}', PlatformError, "needs one of 1.41"),
        ("200 OK", '{"ApiVersion": "1.51", "Os": "linux"}', PlatformError, "platform"),
    ],
)
def test_engine_that_tells_no_usable_version_is_an_error_of_ours(
    status: str, body: str, kind: type[SafeAutoUpdaterError], told: str
) -> None:
    with serving(saying(status, body)) as port:
        engine = DockerEngine(f"tcp://127.0.0.1:{port}")
        with pytest.raises(kind) as caught:
            engine.platform()
        assert told in str(caught.value)


@pytest.mark.parametrize(
    ("version", "info", "is_reachable"),
    [
        ("500 Starting", "200 OK", False),
        ("200 OK", "500 Starting", False),
        ("200 OK", "200 OK", True),
    ],
)
def test_engine_that_just_starts_is_not_reachable_yet(
    version: str, info: str, is_reachable: bool
) -> None:
    def answer(connection: socket.socket) -> None:
        is_version = b"/version" in connection.recv(65536, socket.MSG_PEEK)
        saying(version if is_version else info, json.dumps(VERSION))(connection)

    with serving(answer) as port:
        assert DockerEngine(f"tcp://127.0.0.1:{port}").reachable() is is_reachable


tell_version = saying("200 OK", json.dumps(VERSION))


def engine_streaming(*lines: bytes, pause_s: float = 0.0) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        if b"/version" in connection.recv(65536, socket.MSG_PEEK):
            tell_version(connection)
            return
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
        connection.sendall(b"Transfer-Encoding: chunked\r\n\r\n")
        for line in lines:
            connection.sendall(b"%x\r\n%s\r\n" % (len(line), line))
            time.sleep(pause_s)
        connection.sendall(b"0\r\n\r\n")

    return answer


def test_stream_that_trickles_ends_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_api, "STREAM_S", 0.1)
    trickle = engine_streaming(*[b'{"status": "x"}\n'] * 100, pause_s=0.02)  # it ends, later
    with serving(trickle) as port, pytest.raises(PlatformError, match="no end within"):
        list(DockerEngine(f"tcp://127.0.0.1:{port}").stream("/images/create", {}))


@pytest.mark.parametrize("line", [b"5\n", b"{\n", b"[]\n"])
def test_damaged_message_in_a_stream_is_an_error_of_ours(line: bytes) -> None:
    with serving(engine_streaming(b'{"status": "x"}\n', line)) as port:
        messages = DockerEngine(f"tcp://127.0.0.1:{port}").stream("/images/create", {})
        assert next(messages) == {"status": "x"}
        with pytest.raises(PlatformError, match="damaged"):
            next(messages)


def test_threads_that_share_an_engine_share_what_they_know_of_it() -> None:
    asked = []

    def answer(connection: socket.socket) -> None:
        asked.append(connection.recv(65536, socket.MSG_PEEK).split()[1])
        time.sleep(0.05)  # long enough for every thread to be here
        tell_version(connection)

    with serving(answer) as port, ThreadPoolExecutor(4) as pool:
        engine = DockerEngine(f"tcp://127.0.0.1:{port}")
        assert set(pool.map(lambda _: engine.platform(), range(4))) == {("linux", "amd64")}
    assert asked == [b"/version"]
