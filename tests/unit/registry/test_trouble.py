"""Registries that limit, fail, hang or are not there: *unknown*, said well, and never a storm."""

from __future__ import annotations

import socket
import threading
from email.utils import formatdate
from pathlib import Path

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.registry import HostSettings, RegistryClient
from tests.unit.registry.conftest import HandClock, MakeClient
from tests.unit.registry.fake import Fake, Reply, Request, as_json

PATH = "/v2/app/tags/list"
OK = as_json({"tags": ["1"]})


def error_of(client: RegistryClient, ref: Reference) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        client.tags(ref)
    return caught.value


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_passing_trouble_is_asked_again(
    client: RegistryClient, fake: Fake, clock: HandClock, status: int
) -> None:
    fake.routes[PATH] = [Reply(status), Reply(status), OK]
    assert client.tags(fake.ref()) == ("1",)
    assert clock.slept == [0.5, 1.0]


@pytest.mark.parametrize(
    ("status", "reason", "asked"),
    [(500, "server", 3), (503, "server", 3), (408, "timeout", 3), (401, "auth", 1),
     (403, "denied", 1), (404, "not_found", 1), (400, "server", 1), (418, "server", 1)],
)  # fmt: skip
def test_a_lasting_trouble_has_a_reason(
    client: RegistryClient, fake: Fake, status: int, reason: str, asked: int
) -> None:
    fake.routes[PATH] = as_json({"errors": [{"code": "OOPS", "message": "so\x1b[31m"}]}, status)
    error = error_of(client, fake.ref())
    assert error.reason == reason
    assert len(fake.asked) == asked
    assert f"{status} (OOPS so [31m)" in str(error)
    assert f"{fake.host}/app" in str(error)


def test_a_short_rest_is_taken(client: RegistryClient, fake: Fake, clock: HandClock) -> None:
    fake.routes[PATH] = [Reply(429, headers={"Retry-After": "3"}), OK]
    assert client.tags(fake.ref()) == ("1",)
    assert clock.slept == [3.0]


@pytest.mark.parametrize("as_date", [False, True])
def test_a_long_rest_is_kept_for_the_whole_host(
    client: RegistryClient, fake: Fake, clock: HandClock, as_date: bool
) -> None:
    rest = formatdate(clock.now() + 600, usegmt=True) if as_date else "600"
    fake.routes[PATH] = Reply(429, headers={"Retry-After": rest})
    error = error_of(client, fake.ref())
    assert error.reason == "rate_limited"
    assert "600 s" in str(error)
    assert error_of(client, fake.ref("two")).reason == "rate_limited"
    assert len(fake.asked) == 1
    assert clock.slept == []
    clock.time += 601
    fake.routes["/v2/three/tags/list"] = OK
    assert client.tags(fake.ref("three")) == ("1",)


@pytest.mark.parametrize("rest", ["soon", "0", "Mon, 01 Jan 1970 00:00:00 GMT"])
def test_a_limit_without_a_time_to_come_is_tried_twice_more_and_then_kept(
    client: RegistryClient, fake: Fake, clock: HandClock, rest: str
) -> None:
    fake.routes[PATH] = Reply(429, headers={"Retry-After": rest})
    assert error_of(client, fake.ref()).reason == "rate_limited"
    assert len(fake.asked) == 3
    assert len(clock.slept) == 2 and all(seconds > 0 for seconds in clock.slept)
    for other in ("two", "three"):
        assert error_of(client, fake.ref(other)).reason == "rate_limited"
    assert len(fake.asked) == 3


def test_a_refused_connection_is_unreachable_and_not_tried_for_each_image(
    client: RegistryClient, clock: HandClock
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
    for name in ("one", "two", "three"):
        assert error_of(client, Reference.parse(f"{host}/{name}")).reason == "unreachable"
    assert len(clock.slept) == 2  # the first image is asked three times, the others never


def test_an_unknown_host_is_unreachable(client: RegistryClient) -> None:
    error = error_of(client, Reference.parse("registry.invalid/app"))
    assert error.reason == "unreachable"
    assert "registry.invalid" in str(error)


def test_a_registry_that_hangs_times_out(make_client: MakeClient, fake: Fake) -> None:
    released = threading.Event()

    def hang(_: Request) -> Reply:
        released.wait(10)
        return OK

    fake.routes[PATH] = hang
    client = make_client(timeout_s=0.05)
    error = error_of(client, fake.ref())
    released.set()
    assert error.reason == "timeout"
    assert len(fake.asked) == 1


def test_a_private_authority_is_trusted_when_configured(
    make_client: MakeClient, tls_fake: Fake, certificate: Path
) -> None:
    tls_fake.routes[PATH] = OK
    client = make_client(HostSettings(tls_fake.host, plain_http=False, ca_file=certificate))
    assert client.tags(tls_fake.ref()) == ("1",)


def test_an_unknown_authority_is_refused_with_the_remedy(
    make_client: MakeClient, tls_fake: Fake
) -> None:
    client = make_client(HostSettings(tls_fake.host, plain_http=False))
    error = error_of(client, tls_fake.ref())
    assert error.reason == "unreachable"
    assert "ca_file" in str(error)
    assert tls_fake.asked == []


def test_plain_http_where_https_is_expected_names_the_remedy(
    make_client: MakeClient, fake: Fake
) -> None:
    client = make_client(HostSettings(fake.host, plain_http=False))
    assert "plain_http: true" in str(error_of(client, fake.ref()))


def test_a_missing_ca_file_is_named(make_client: MakeClient, fake: Fake, tmp_path: Path) -> None:
    client = make_client(HostSettings(fake.host, plain_http=False, ca_file=tmp_path / "no.pem"))
    assert "no.pem" in str(error_of(client, fake.ref()))


def test_a_redirect_never_leaves_encryption(
    make_client: MakeClient, tls_fake: Fake, fake: Fake, certificate: Path
) -> None:
    tls_fake.routes[PATH] = Reply(302, headers={"Location": f"{fake.url}{PATH}"})
    client = make_client(HostSettings(tls_fake.host, plain_http=False, ca_file=certificate))
    assert "plain HTTP" in str(error_of(client, tls_fake.ref()))
    assert fake.asked == []


@pytest.mark.parametrize(
    ("host", "plain"),
    [("127.0.0.1:5000", True), ("127.9.9.9", True), ("localhost:80", True), ("[::1]:5000", True),
     ("LOCALHOST", True), ("128.0.0.1", False), ("localhost.example", False),
     ("127.0.0.1.example:5000", False), ("docker.io", False), ("[2001:db8::1]", False)],
)  # fmt: skip
def test_only_this_machine_is_spoken_to_in_plain(host: str, plain: bool) -> None:
    assert HostSettings(host).is_plain is plain


def test_an_authority_means_tls_also_on_this_machine(tmp_path: Path) -> None:
    assert HostSettings("127.0.0.1:5000", ca_file=tmp_path / "ca.pem").is_plain is False
    assert HostSettings("127.0.0.1:5000", username="me").is_plain is True


def test_the_hub_is_asked_at_its_api_host() -> None:
    assert HostSettings("docker.io").base_url == "https://registry-1.docker.io"
    assert HostSettings("ghcr.io").base_url == "https://ghcr.io"
