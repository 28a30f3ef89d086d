"""What a Prometheus says and what we make of it: only one plain number that is as expected passes,
and only an answer without any series says that there is no incident."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from safe_auto_updater.core import promql
from safe_auto_updater.core.kept import KEPT_S
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import BlockSpec
from safe_auto_updater.core.ports import CheckState, Subject
from safe_auto_updater.core.promql import Answer, Incident, NoAnswer, Question, Sample, Samples
from safe_auto_updater.core.promql_text import check_query, incident_query
from safe_auto_updater.engine.health import LOOK_EVERY_S
from safe_auto_updater.engine.incidents import Incidents
from safe_auto_updater.platforms.probes.prometheus import MOST_BYTES, ask
from safe_auto_updater.platforms.probes.prometheus_check import PrometheusCheck
from tests.http_kit import LocalServer, QuietHandler
from tests.tls_kit import certified, served_with
from tests.wire_kit import Answering, saying, serving, silent

SUBJECT = Subject("docker:local/web", "web", ("172.17.0.2",))
LESS = promql.expectation("< 0.05")


def vector(*values: object, **more: object) -> str:
    """A whole answer with these values."""
    result = [
        {"metric": {"__name__": "up", "job": f"j{number}"}, "value": [1700000000.5, value]}
        for number, value in enumerate(values)
    ]
    return success({"resultType": "vector", "result": result}, **more)


def success(data: object, **more: object) -> str:
    return json.dumps({"status": "success", "data": data, **more})


def of_type(kind: str, result: object) -> str:
    return success({"resultType": kind, "result": result})


def dripping(connection: socket.socket) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\n\r\n{"status": "success", ')
    for _ in range(3000):
        connection.sendall(b" ")
        time.sleep(0.02)


def cut_off(connection: socket.socket) -> None:
    connection.recv(65536)
    body = vector("0.01").encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
    connection.sendall(body[: len(body) // 2])


@pytest.mark.parametrize("timeout_s", [0.1, 0.0001])  # over before there is a connection
def test_answer_that_never_ends_is_given_up_in_time(timeout_s: float) -> None:
    with serving(dripping) as port:
        began = time.monotonic()
        ask(question(port, timeout_s))
        assert time.monotonic() - began < 30  # it goes on for a minute


def endless(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(MOST_BYTES // 1000 + 2):
        connection.sendall(b" " * 1000)


# What comes over the wire, what a check that expects `< 0.05` says, and what it tells of it.
# The last column: why this holds updates, where it is the answer of block_while; None lets go.
ANSWERS: dict[str, tuple[Answering, CheckState, str, str | None]] = {
    "as expected": (
        saying("200 OK", vector("0.01")),
        CheckState.PASSED, 'up{job="j0"} 0.01 is < 0.05', 'returned up{job="j0"} 0.01'),
    "not as expected": (
        saying("200 OK", vector("0.05")),
        CheckState.FAILING, 'up{job="j0"} 0.05 is not < 0.05', "returned"),
    "zero": (
        saying("200 OK", vector("0")),
        CheckState.PASSED, "0 is < 0.05", 'returned up{job="j0"} 0'),
    "a scalar": (
        saying("200 OK", of_type("scalar", [1.5, "1e-3"])),
        CheckState.PASSED, "1e-3 is < 0.05", "a scalar, which is always there"),
    "remarks on style": (
        saying("200 OK", vector("0.01", warnings=["PromQL info: might not be a counter"],
                                infos=["PromQL info: x"])),
        CheckState.PASSED, "0.01", "returned"),
    "no series": (saying("200 OK", vector()), CheckState.UNKNOWN, "no data", None),
    "two series": (
        saying("200 OK", vector("0.01", "0.02")),
        CheckState.UNKNOWN, "2 values where one is judged", "0.01, up"),
    "many series": (
        saying("200 OK", vector(*["0.01"] * 9)), CheckState.UNKNOWN, "9 values", "and 6 more"),
    "NaN": (saying("200 OK", vector("NaN")), CheckState.UNKNOWN, "NaN is no number", "NaN"),
    "infinite": (saying("200 OK", vector("+Inf")), CheckState.UNKNOWN, "+Inf is no number", "+Inf"),
    "infinitely good": (saying("200 OK", vector("-Inf")), CheckState.UNKNOWN, "no number", "-Inf"),
    "too big for a number": (
        saying("200 OK", vector("-1e999")), CheckState.UNKNOWN, "no number", "-1e999"),
    "words": (saying("200 OK", vector("well")), CheckState.UNKNOWN, "no number", "well"),
    "Python's own numbers": (saying("200 OK", vector("0_0")), CheckState.UNKNOWN, "no number", "0"),
    "a histogram": (
        saying("200 OK", of_type("vector", [{"metric": {}, "histogram": [1, {"count": "1"}]}])),
        CheckState.UNKNOWN, "a histogram is no number", "a histogram"),
    "a bare number": (
        saying("200 OK", vector(0.01)), CheckState.UNKNOWN, "cannot be read", "cannot be read"),
    "null for a value": (
        saying("200 OK", vector(None)), CheckState.UNKNOWN, "cannot be read", "cannot be read"),
    "a sample without labels": (
        saying("200 OK", of_type("vector", [{"value": [1, "0"]}])),
        CheckState.UNKNOWN, "cannot be read", "cannot be read"),
    "labels that are no texts": (
        saying("200 OK", of_type("vector", [{"metric": {"a": 1}, "value": [1, "0"]}])),
        CheckState.UNKNOWN, "cannot be read", "cannot be read"),
    "a matrix": (
        saying("200 OK", of_type("matrix", [])),
        CheckState.UNKNOWN, "ask for an instant vector", "ask for an instant vector"),
    "an empty vector that is null": (
        saying("200 OK", of_type("vector", None)),
        CheckState.UNKNOWN, "cannot be read", "cannot be read"),
    "a string": (
        saying("200 OK", of_type("string", [1, "x"])),
        CheckState.UNKNOWN, "cannot be read", "cannot be read"),
    "no data at all": (
        saying("200 OK", '{"status": "success"}'),
        CheckState.UNKNOWN, "cannot be read", "cannot be read"),
    "success of a list": (
        saying("200 OK", success([])), CheckState.UNKNOWN, "cannot be read", "cannot be read"),
    "a warning": (
        saying("200 OK", vector("0.01", warnings=["store 10.0.0.7 is down"])),
        CheckState.UNKNOWN, "does not know all of it: store 10.0.0.7 is down", "is down"),
    "a warning and no series": (
        saying("200 OK", vector(warnings=["store is down"])),
        CheckState.UNKNOWN, "store is down", "store is down"),
    "partial, as VictoriaMetrics says it": (
        saying("200 OK", vector("0.01", isPartial=True)), CheckState.UNKNOWN, "partial", "partial"),
    "an error that is 200": (
        saying("200 OK", '{"status": "error", "error": "no"}'), CheckState.UNKNOWN, "no", "no"),
    "an error in the query": (
        saying("400 Bad", '{"status": "error", "error": "parse error at char 3"}'),
        CheckState.UNKNOWN, "answered 400: parse error at char 3", "parse error"),
    "success that is 500": (
        saying("500 Broken", vector("0.01")), CheckState.UNKNOWN, "answered 500", "answered 500"),
    "an error page": (
        saying("502 Bad Gateway", "<html>nginx</html>"),
        CheckState.UNKNOWN, "answered 502 and no JSON", "no JSON"),
    "a page of something else": (
        saying("200 OK", "<html>hello</html>"), CheckState.UNKNOWN, "is the url right?", "no JSON"),
    "deeply nested": (
        saying("200 OK", "[" * 50_000), CheckState.UNKNOWN, "no JSON", "no JSON"),
    "not allowed": (
        saying("401 Unauthorized", "{}"), CheckState.UNKNOWN, "check token_file", "token_file"),
    "a redirect": (
        saying("302 Found\r\nLocation: /login", ""),
        CheckState.UNKNOWN, "redirects are not followed", "redirects"),
    "silence": (silent, CheckState.UNKNOWN, "no answer within 0.3 s", "no answer within"),
    "a byte at a time": (
        dripping, CheckState.UNKNOWN, "no answer within 0.3 s", "no answer within"),
    "half an answer": (cut_off, CheckState.UNKNOWN, "http://127.0.0.1", "http://127.0.0.1"),
    "no end of it": (endless, CheckState.UNKNOWN, "more than 1 MiB", "more than 1 MiB"),
    "nonsense": (
        lambda c: c.sendall(b"\0garbage\r\n\r\n"), CheckState.UNKNOWN, "http://", "http://"),
    "nothing": (lambda c: None, CheckState.UNKNOWN, "http://", "http://"),
}  # fmt: skip


def question(port: int, timeout_s: float = 20, **more: str) -> Question:
    return Question(f"http://127.0.0.1:{port}", "up", timeout_s=timeout_s, **more)


def patience_s(told: str | None) -> float:
    """Nobody waits for a machine under load but where the end of patience is the matter."""
    return 0.3 if told and "no answer" in told else 20


@pytest.mark.slow
@pytest.mark.parametrize("name", ANSWERS)
def test_only_one_number_that_is_as_expected_passes(name: str) -> None:
    answer, state, told, _ = ANSWERS[name]
    with serving(answer) as port:
        check = PrometheusCheck(question(port, patience_s(told)), LESS, ask, time.monotonic)
        result = check.check(SUBJECT)
    assert result.state is state, result.detail
    assert told in result.detail
    assert result.cause is (Cause.PLATFORM if state is CheckState.UNKNOWN else Cause.IMAGE)


@pytest.mark.slow
@pytest.mark.parametrize("name", ANSWERS)
def test_only_an_answer_without_series_says_that_there_is_no_incident(name: str) -> None:
    answer, *_, told = ANSWERS[name]
    with serving(answer) as port:
        held = promql.holding(Incident("*/web", "up", ask(question(port, patience_s(told)))))
    if told is None:
        assert held is None
    else:
        assert held is not None and told in held
        assert "block_while */web" in held and "up" in held


def test_server_that_is_not_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "http://nowhere.invalid:9090"):
        answer = ask(Question(url, "up"))
        assert isinstance(answer, NoAnswer) and answer.why.startswith(url)


@pytest.mark.parametrize(
    ("text", "passing", "failing"),
    [
        ("< 0.05", 0.049, 0.05),
        ("<= 5", 5, 5.1),
        ("> -1", 0, -1),
        (">=1e3", 1000, 999.9),
        ("== 1", 1, 0),
        ("!= 0", 1, 0),
    ],
)
def test_expectation_is_a_comparison(text: str, passing: float, failing: float) -> None:
    expected = promql.expectation(text)
    assert (expected.met(passing), expected.met(failing)) == (True, False)


# A query, and whether it may stand in a check and under block_while.
QUERIES: dict[str, tuple[bool, bool]] = {
    "up": (True, True),
    "up == 0": (False, True),
    "up==0": (False, True),
    "(up < 1)": (False, True),
    "((up) < (1))": (False, True),
    "(up) < (1)": (False, True),
    "up # not < 1": (True, True),
    "up\n  # why\n  != 1": (False, True),
    'up{job="a",code!="500",path=~"<.*>"}': (True, True),
    "up{job='it\\'s == 1'}": (True, True),
    'up{job="}"} > 3': (False, True),
    "rate(errors[5m]) >= on(job) limit": (False, True),
    "up and errors > 5": (False, True),
    "sum(up == 0)": (True, True),  # meant: what remains is counted
    "rate(errors[5m]) and on() (sum(requests) > 10)": (True, True),
    "up == bool 1": (True, False),
    "up ==bool(1)": (True, False),
    "(up > BOOL 1)": (True, False),
    "sum(up == bool 0) > 2": (False, True),
    "up == boolean": (False, True),
    "up) < 1": (True, True),  # it is none; the server says so
    "ALERTS{alertstate='firing'}": (True, True),
}


@pytest.mark.parametrize("query", QUERIES)
def test_query_that_means_something_else_than_it_seems_is_refused(query: str) -> None:
    for read, is_fine in zip((check_query, incident_query), QUERIES[query], strict=True):
        if is_fine:
            assert read(query) == query
        else:
            with pytest.raises(ValueError, match="compares by"):
                read(query)


class Prometheus(LocalServer):
    """Answers 1 to who is allowed, and keeps what it was asked."""

    def __init__(self, authorization: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.paths: list[str] = []
        prometheus = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                prometheus.asked.append(parse_qs(parts.query))
                prometheus.paths.append(parts.path)
                given = self.headers["authorization"]
                # A proxy may well say what it was given.
                body = json.dumps({"status": "error", "error": f"not for {given}"})
                if given == authorization:
                    sample = {"metric": {"who": f"{given}"}, "value": [1, "1"]}
                    body = of_type("vector", [sample])
                self.answer(200 if given == authorization else 400, body.encode())

        super().__init__(Handler, tls=tls)


@pytest.mark.parametrize("path", ["", "/", "/tenant/prometheus", "/tenant/prometheus/"])
def test_query_is_asked_below_the_url(path: str) -> None:
    with Prometheus() as server:
        query = 'sum(rate(errors{path=~"/a+b&c"}[5m]))\n# why'
        answer = ask(Question(f"{server.url}{path}", query))
    assert isinstance(answer, Samples)
    assert server.paths == [f"{path.rstrip('/')}/api/v1/query"]
    assert server.asked == [{"query": [query], "timeout": ["5000ms"]}]


BASIC = "Basic c2F1OmLDpHI6c2VjcmV0"  # sau:bär:secret


@pytest.mark.parametrize(
    ("key", "content", "header"),
    [
        ("token_file", "s3cr3t-token\n", "Bearer s3cr3t-token"),
        ("password_file", "bär:secret\n", BASIC),
    ],
)
def test_secret_is_read_anew_and_told_to_nobody(
    key: str, content: str, header: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("wrong-s3cr3t")
    with Prometheus(header) as server:
        named = {key: str(file)} | ({"username": "sau"} if key == "password_file" else {})
        asked = question(server.port, timeout_s=5, **named)
        refused = ask(asked)
        file.write_text(content)
        allowed = ask(asked)
    assert allowed == Samples((Sample(f'{{who="{header.split()[0]} ***"}}', "1"),))
    assert isinstance(refused, NoAnswer) and "not for" in refused.why
    assert "wrong" not in refused.why and "d3Jvbmc" not in refused.why


SECRET = 'a"quoted\\one-' + "0123456789abcdef" * 4
# Where a server tells the secret that it was given.
TOLD = {
    "as a value": vector(f"for {SECRET}"),
    "as a label": of_type("vector", [{"metric": {"who": SECRET}, "value": [1, "1"]}]),
    "as a label's name": of_type("vector", [{"metric": {SECRET: "x"}, "value": [1, "1"]}]),
    "where it is cut": json.dumps({"status": "error", "error": "x" * 280 + SECRET}),
    "quoted": json.dumps({"status": "error", "error": f"not for {json.dumps(SECRET)}"}),
    "in a warning": vector("1", warnings=[f"not for {SECRET}"]),
    "as a type": of_type(SECRET, []),
}


@pytest.mark.parametrize("place", TOLD)
def test_no_part_of_a_secret_is_told(place: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    with serving(saying("200 OK", TOLD[place])) as port:
        answer = ask(question(port, token_file=str(file)))
    told = str(answer)
    assert "***" in told and "quoted" not in told and "0123" not in told, told


@pytest.mark.parametrize("key", ["token_file", "password_file", "ca_file"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"two\nlines\n"])
def test_file_that_cannot_be_used_is_named(key: str, content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    answer = ask(Question("https://127.0.0.1:1", "up", username="sau", **{key: str(file)}))  # type: ignore[arg-type]
    assert isinstance(answer, NoAnswer)
    assert f"{key} {file}" in answer.why and "two" not in answer.why


@pytest.mark.slow
def test_certificate_is_verified_by_ca_file(tmp_path: Path) -> None:
    certificate = certified(tmp_path)
    with Prometheus(tls=served_with(certificate)) as server:
        trusted = ask(Question(server.url, "up", ca_file=str(certificate)))
        untrusted = ask(Question(server.url, "up"))
    assert isinstance(trusted, Samples)
    assert isinstance(untrusted, NoAnswer) and "certificate" in untrusted.why.lower()


class Asked:
    """Answers by the query, and counts."""

    def __init__(self, answer: Callable[[str], Answer] = lambda query: ONE) -> None:
        self.queries: list[str] = []
        self._answer = answer

    def __call__(self, question: Question) -> Answer:
        self.queries.append(question.query)
        return self._answer(question.query)


ONE = Samples((Sample("up", "1"),))
IS_ONE = promql.expectation("== 1")


def test_query_names_the_subject_that_is_looked_at() -> None:
    asked = Asked()
    query = 'up{instance="{address}:8080", container="{name}"}'
    check = PrometheusCheck(Question("http://p", query), IS_ONE, asked, lambda: 0.0)
    subjects = [SUBJECT, replace(SUBJECT, addresses=("::1",)), replace(SUBJECT, addresses=())]
    states = [check.check(subject).state for subject in subjects]
    assert states == [CheckState.PASSED, CheckState.PASSED, CheckState.UNKNOWN]
    assert asked.queries == [
        'up{instance="172.17.0.2:8080", container="web"}',
        'up{instance="[::1]:8080", container="web"}',
    ]


def test_name_that_would_change_the_query_is_not_put_into_it() -> None:
    asked = Asked()
    check = PrometheusCheck(Question("http://p", 'up{c="{name}"}'), IS_ONE, asked, lambda: 0.0)
    result = check.check(replace(SUBJECT, asset='docker:local/x"} or vector(1) #'))
    assert (result.state, asked.queries) == (CheckState.UNKNOWN, [])


def test_one_look_at_many_pods_asks_once_and_the_next_look_anew() -> None:
    now, asked = [0.0], Asked()
    check = PrometheusCheck(Question("http://p", "up"), IS_ONE, asked, lambda: now[0])
    for number in range(5):
        check.check(replace(SUBJECT, addresses=(f"10.0.0.{number}",)))
    assert len(asked.queries) == 1
    now[0] += KEPT_S
    check.check(SUBJECT)
    assert len(asked.queries) == 2
    assert KEPT_S < LOOK_EVERY_S, "or a look would be told what the one before was"


def test_incident_is_asked_about_once_for_all_assets_and_anew_each_time() -> None:
    asked = Asked(lambda query: Samples(()) if query == "calm" else ONE)
    specs = [
        BlockSpec("*", Question("http://p", "calm")),
        BlockSpec("*/web", Question("http://p", "busy")),
        BlockSpec("*/api", Question("http://p", "busy")),
        BlockSpec("*/absent", Question("http://p", "never")),
        BlockSpec("*/web", Question("http://other", "busy")),
    ]
    incidents = Incidents(specs, asked)
    answers = incidents.about(["docker:local/web", "docker:local/api", "docker:local/db"])
    held = {
        name: [promql.holding(one) is not None for one in answers.of(f"docker:local/{name}")]
        for name in ("web", "api", "db")
    }
    assert held == {"web": [False, True, True], "api": [False, True], "db": [False]}
    assert sorted(asked.queries) == ["busy", "busy", "calm"]  # of two servers
    incidents.about(["docker:local/db"])
    assert asked.queries[3:] == ["calm"]
    assert Incidents(specs, asked).about([]).of("docker:local/web") == ()
    assert len(asked.queries) == 4
