"""One exchange over kept connections, with and without a proxy."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from safe_auto_updater.platforms.registry.connection import NoConnection
from safe_auto_updater.platforms.registry.transport import Transport
from tests.unit.registry.fake import Fake, Reply

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATH = "/v2/app/tags/list"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def transport(certificate: Path) -> Iterator[Transport]:
    made = Transport(lambda: ssl.create_default_context(cafile=certificate), True, 5.0)
    yield made
    made.close()


class Line:
    """A server that says what it is told, connection by connection, and notes what it was asked."""

    def __init__(self, *connections: list[bytes]) -> None:
        self.asked: list[list[bytes]] = []
        self.closed = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._server.getsockname()[1]}"
        self.url = f"http://{self.host}/"
        self._thread = threading.Thread(target=self._serve, args=(connections,))
        self._thread.start()

    def _serve(self, connections: tuple[list[bytes], ...]) -> None:
        for answers in connections:
            with self._server.accept()[0] as client, client.makefile("rb") as lines:
                self.asked.append([])
                for answer in answers:
                    self.asked[-1].append(b"".join(iter(lines.readline, b"\r\n")))
                    client.sendall(answer)
            self.closed.set()
        self._server.close()

    def end(self) -> None:
        self._thread.join()


def get(transport: Transport, url: str, method: str = "GET") -> bytes:
    form = {"a": "b"} if method == "POST" else None
    return transport.exchange(method, url, {}, 1 << 20, 5.0, form).body


def test_a_connection_is_kept(transport: Transport) -> None:
    line = Line([OK, OK, OK])
    assert [get(transport, line.url) for _ in range(3)] == [b"ok"] * 3
    line.end()
    assert len(line.asked) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_that_was_closed_while_it_was_kept_is_not_used(
    transport: Transport, method: str
) -> None:
    line = Line([OK], [OK])
    assert get(transport, line.url) == b"ok"
    line.closed.wait(5)
    assert get(transport, line.url, method) == b"ok"
    line.end()
    assert len(line.asked) == 2


def test_a_question_that_a_kept_connection_swallowed_is_asked_once_more(
    transport: Transport,
) -> None:
    line = Line([OK, b""], [OK])
    assert [get(transport, line.url) for _ in range(2)] == [b"ok"] * 2
    line.end()


def test_a_form_that_a_kept_connection_swallowed_is_not_sent_again(transport: Transport) -> None:
    line = Line([OK, b""])
    get(transport, line.url)
    with pytest.raises(ConnectionResetError):
        get(transport, line.url, "POST")
    line.end()


def test_a_new_connection_that_says_nothing_is_not_tried_again(transport: Transport) -> None:
    line = Line([b""])
    with pytest.raises(http.client.RemoteDisconnected):
        get(transport, line.url)
    line.end()


def test_what_comes_behind_an_answer_is_not_taken_for_the_next(transport: Transport) -> None:
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    line = Line([OK + forged], [OK])
    assert [get(transport, line.url) for _ in range(2)] == [b"ok"] * 2
    line.end()


def test_a_body_after_a_head_is_not_taken_for_the_next_answer(transport: Transport) -> None:
    line = Line([OK], [OK])
    assert get(transport, line.url, "HEAD") == b""
    assert get(transport, line.url) == b"ok"
    line.end()


def test_a_body_without_length_ends_with_the_connection(transport: Transport) -> None:
    line = Line([b"HTTP/1.1 200 OK\r\n\r\nall of it"])
    assert get(transport, line.url) == b"all of it"
    line.end()


def test_chunks_are_put_together(transport: Transport) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    line = Line([head + b"3\r\nall\r\n6;x=y\r\n of it\r\n0\r\nX-A: b\r\n\r\n", OK])
    assert [get(transport, line.url) for _ in range(2)] == [b"all of it", b"ok"]
    line.end()


@pytest.mark.parametrize("url", ["ftp://host/", "http:///x", "http://h:99999/"])
def test_what_is_no_url_is_refused(transport: Transport, url: str) -> None:
    with pytest.raises(ValueError):
        get(transport, url)


class Tunnel:
    """A proxy that passes everything on to one place after CONNECT, whatever it is asked for."""

    def __init__(self, place: str, answer: bytes = b"HTTP/1.1 200 Well\r\n\r\n") -> None:
        self.asked: list[bytes] = []
        self._to = place.rpartition(":")
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        client, _ = self._server.accept()
        with client, socket.create_connection((self._to[0], int(self._to[2]))) as server:
            question = b""
            while b"\r\n\r\n" not in question:
                question += client.recv(4096)
            self.asked.append(question)
            client.sendall(self._answer)
            back = threading.Thread(target=_pass_on, args=(server, client))
            back.start()
            _pass_on(client, server)
            back.join()

    def end(self) -> None:
        self._thread.join()
        self._server.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(4096):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_https_goes_through_a_proxy_by_a_tunnel(
    transport: Transport, tls_fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls_fake.routes[PATH] = Reply(200, b"{}")
    tunnel = Tunnel(tls_fake.host)
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:p%40ss@{tunnel.host}")
    assert get(transport, f"{tls_fake.url}{PATH}") == b"{}"
    transport.close()
    tunnel.end()
    (question,) = tunnel.asked
    assert question.startswith(f"CONNECT {tls_fake.host} HTTP/1.1\r\n".encode())
    assert b"\r\nProxy-Authorization: Basic bWU6cEBzcw==\r\n" in question
    assert "proxy-authorization" not in tls_fake.asked[0].headers


def test_a_proxy_that_refuses_is_named(
    transport: Transport, tls_fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    tunnel = Tunnel(tls_fake.host, b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", tunnel.host)
    with pytest.raises(NoConnection, match=r"the proxy 127\.0\.0\.1 answered 407"):
        get(transport, f"{tls_fake.url}{PATH}")
    tunnel.end()


def test_plain_http_is_asked_of_the_proxy_itself(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line([OK])
    monkeypatch.setenv("HTTP_PROXY", f"http://me:secret@{line.host}")
    assert get(transport, "http://registry.example:5000/v2/?a=b") == b"ok"
    line.end()
    (question,) = line.asked[0]
    assert question.startswith(b"GET http://registry.example:5000/v2/?a=b HTTP/1.1\r\n")
    assert b"\r\nHost: registry.example:5000\r\n" in question
    assert b"\r\nProxy-Authorization: Basic " in question


def test_no_proxy_is_left_out(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line([OK])
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "elsewhere.example,127.0.0.1")
    assert get(transport, line.url) == b"ok"
    line.end()


@pytest.mark.parametrize("kind", ["socks5", "https"])
def test_proxies_of_other_kinds_are_refused(
    transport: Transport, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"{kind}://127.0.0.1:1080")
    with pytest.raises(NoConnection, match=f"proxy of the kind '{kind}'"):
        get(transport, "http://registry.example/")
