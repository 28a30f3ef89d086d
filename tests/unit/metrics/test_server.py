"""The service's own pages, over real connections, also from clients that mean no good."""

from __future__ import annotations

import http.client
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from safe_auto_updater.metrics import CannotListen, Metrics, Server
from safe_auto_updater.metrics import server as module
from safe_auto_updater.metrics.pages import LONGEST_REQUEST
from tests.lab_kit import eventually
from tests.lacking import lacking

Answer = tuple[int, str, http.client.HTTPMessage]
GET = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"


class Service:
    """What a service says of itself, and its pages."""

    def __init__(self, address: str = "127.0.0.1:0") -> None:
        self.trouble: str | None = None
        self.unready: str | None = None
        self.text: Callable[[], bytes] = lambda: b"up 1\n"
        self.server = Server(
            address, lambda: self.text(), lambda: self.trouble, lambda: self.unready
        )
        self.where = ("::1" if "[" in address else "127.0.0.1", self.server.port)

    def ask(self, path: str, method: str = "GET", body: bytes | None = None) -> Answer:
        connection = http.client.HTTPConnection(*self.where, timeout=30)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def dial(self) -> socket.socket:
        return socket.create_connection(self.where, timeout=30)

    def raw(self, *parts: bytes) -> bytes:
        """All that comes back for these bytes."""
        with self.dial() as line:
            for part in parts:
                line.sendall(part)
            return everything(line)


def everything(line: socket.socket) -> bytes:
    """All that still comes; what was cut off counts as nothing more."""
    found = b""
    try:
        while part := line.recv(65536):
            found += part
    except ConnectionError:
        pass
    return found


def status(answer: bytes) -> bytes:
    return answer.partition(b"\r\n")[0]


@pytest.fixture
def service() -> Iterator[Service]:
    one = Service()
    yield one
    one.server.close()


def test_metrics_are_served_as_prometheus_reads_them(service: Service) -> None:
    service.text = Metrics().text
    code, text, headers = service.ask("/metrics")
    assert code == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "\nsafe_auto_updater_build_info{version=" in text
    assert int(headers["Content-Length"]) == len(text.encode())


@pytest.mark.parametrize(("path", "word"), [("/healthz", "trouble"), ("/readyz", "unready")])
def test_a_reason_is_503_and_told(service: Service, path: str, word: str) -> None:
    assert service.ask(path)[:2] == (200, "ok\n")
    setattr(service, word, "no cycle for 3 h")
    assert service.ask(path)[:2] == (503, "no cycle for 3 h\n")
    other = {"/healthz": "/readyz", "/readyz": "/healthz"}[path]
    assert service.ask(other)[0] == 200
    setattr(service, word, None)
    assert service.ask(path)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods_are_refused(service: Service, method: str) -> None:
    code, text, headers = service.ask(
        "/metrics", method, b"x" * 100_000 if method == "PUT" else None
    )
    assert (code, headers["Allow"]) == (405, "GET")
    assert text == ("" if method == "HEAD" else "only GET\n")


def test_an_answer_ends_well_though_the_request_goes_on(service: Service) -> None:
    with service.dial() as line:
        line.sendall(b"PUT /metrics HTTP/1.1\r\n\r\n" + b"x" * 300_000)
        found = b""
        while part := line.recv(65536):  # an end by a reset would raise
            found += part
    assert status(found) == b"HTTP/1.1 405 Method Not Allowed"


@pytest.mark.parametrize("path", ["/", "/metrics/", "/healthz/x", "/../metrics", "/METRICS"])
def test_other_paths_are_not_found(service: Service, path: str) -> None:
    assert service.ask(path)[0] == 404


def test_a_query_is_no_other_path(service: Service) -> None:
    assert service.ask("/metrics?x=1")[:2] == (200, "up 1\n")


@pytest.mark.parametrize(
    "sent",
    [b"\r\n\r\n", b"hello\r\n\r\n", b"GET /healthz\r\n\r\n", b"GET healthz HTTP/1.1\r\n\r\n",
     b"GET /healthz HTTP/2.0\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n", b"GET / x HTTP/1.1\r\n\r\n",
     b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_request_is_refused(service: Service, sent: bytes) -> None:
    assert status(service.raw(sent)) == b"HTTP/1.1 400 Bad Request"
    assert service.ask("/healthz")[0] == 200


def test_a_request_may_come_in_pieces(service: Service) -> None:
    with service.dial() as line:
        for piece in (GET[:5], GET[5:-1], GET[-1:]):
            service.ask("/readyz")  # what came before was looked at by then
            line.sendall(piece)
        assert status(everything(line)) == b"HTTP/1.1 200 OK"


def test_a_request_without_end_is_refused_when_it_is_too_large(service: Service) -> None:
    huge = b"GET /metrics HTTP/1.1\r\nX: " + b"x" * LONGEST_REQUEST
    assert status(service.raw(huge)) == b"HTTP/1.1 431 Request Header Fields Too Large"


def test_megabytes_of_headers_are_not_kept(service: Service) -> None:
    with service.dial() as line:
        try:
            for _ in range(200):
                line.sendall(b"X: " + b"x" * 65_536)
        except ConnectionError:
            return  # it has hung up on us
        assert status(everything(line)) == b"HTTP/1.1 431 Request Header Fields Too Large"


def test_a_page_that_breaks_is_an_error_and_the_server_goes_on(service: Service) -> None:
    def broken() -> bytes:
        raise ValueError("s3cret")

    service.text = broken
    assert service.ask("/metrics")[:2] == (500, "ValueError\n")
    assert service.ask("/healthz")[0] == 200


def test_a_thousand_idle_connections_hurt_nobody(service: Service) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    threads = threading.active_count()
    with ExitStack() as open_:
        for number in range(1000):
            line = open_.enter_context(service.dial())
            line.sendall(GET[:7])
            if number % 100 == 0:
                assert service.ask("/healthz")[0] == 200
        assert service.ask("/healthz")[0] == 200
        ours = [name for name in listened(service.server.port) if name == "01"]
        assert len(ours) <= module.AT_ONCE
        assert threading.active_count() == threads
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_without_file_descriptors_serves_again_when_it_has_some(
    service: Service,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as line:
        line.settimeout(30)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            line.connect(service.where)
            line.sendall(GET)
            with pytest.raises(OSError, match="Too many open files"):
                os.dup(0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert status(everything(line)) == b"HTTP/1.1 200 OK"


def listened(port: int) -> list[str]:
    """The state of each connection to a port of this machine, as the kernel names them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[3] for row in rows if row[1].endswith(f":{port:04X}")]


def test_who_is_slow_is_hung_up_on(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DEADLINE_S", 0.2)
    with service.dial() as slow, service.dial() as idle:
        slow.sendall(GET[:-1])
        assert everything(slow) == b""
        assert everything(idle) == b""
    assert service.ask("/healthz")[0] == 200


@pytest.mark.slow
def test_who_does_not_read_is_hung_up_on(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DEADLINE_S", 0.2)
    large = b"x" * 50_000_000
    service.text = lambda: large
    with service.dial() as line:
        line.sendall(GET.replace(b"/healthz", b"/metrics"))
        assert service.ask("/healthz")[0] == 200  # while the other is still being sent to
        eventually(lambda: "01" not in listened(service.server.port))
        assert len(everything(line)) < len(large)


def test_who_leaves_without_a_word_leaves_nothing_behind(service: Service) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for sent in (b"", GET[:9], GET):
        for _ in range(50):
            with service.dial() as line:
                line.sendall(sent)
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)
    assert service.ask("/healthz")[0] == 200


@pytest.fixture
def ipv6() -> None:
    """A machine that has it."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        why = (
            f"needs IPv6 on the loopback interface ({error}): sysctl net.ipv6.conf.lo.disable_ipv6"
        )
        lacking(why)


def test_ipv6(ipv6: None) -> None:
    one = Service("[::1]:0")
    try:
        assert one.ask("/healthz")[0] == 200
    finally:
        one.server.close()


def test_all_addresses_of_both_kinds(ipv6: None) -> None:
    one = Server("[::]:0", lambda: b"", lambda: None, lambda: None)
    try:
        for host in ("127.0.0.1", "::1"):
            connection = http.client.HTTPConnection(host, one.port, timeout=30)
            connection.request("GET", "/readyz")
            assert connection.getresponse().status == 200
            connection.close()
    finally:
        one.close()


def test_a_taken_port_is_a_named_error(service: Service) -> None:
    address = f"127.0.0.1:{service.server.port}"
    with pytest.raises(CannotListen, match=rf"{address} cannot be listened on \(Address already"):
        Server(address, lambda: b"", lambda: None, lambda: None)


@pytest.mark.parametrize(
    "address",
    ["", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "::1:9464", "[::1]", "[]:1",
     "127.0.0.1:65536", "127.0.0.1:-1", f"{'x' * 300}:1", "a..b:1", "no such host:1",
     "[127.0.0.1]:9464", "192.0.2.1:1"],
)  # fmt: skip
def test_an_address_that_is_none_is_a_named_error(address: str) -> None:
    with pytest.raises(CannotListen) as refused:
        Server(address, lambda: b"", lambda: None, lambda: None)
    assert address in str(refused.value)


def test_closing_gives_the_port_back_and_ends_the_thread(service: Service) -> None:
    line = service.dial()
    service.server.close()
    service.server.close()
    assert everything(line) == b""
    line.close()
    assert not [one for one in threading.enumerate() if one.name == "metrics"]
    again = Server(f"127.0.0.1:{service.server.port}", lambda: b"", lambda: None, lambda: None)
    again.close()
