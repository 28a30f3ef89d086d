"""Signing in: tokens, passwords, and the hosts that never see them."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.registry import Credentials, HostSettings, RegistryClient
from safe_auto_updater.platforms.registry.auth import Basic, Bearer, parse_challenges, realm_fault
from safe_auto_updater.platforms.registry.credentials import IdentityToken, Password
from safe_auto_updater.platforms.registry.helpers import ask_helper
from tests.unit.registry.conftest import HandClock, MakeClient
from tests.unit.registry.fake import Fake, Reply, Request, Script, as_json

PATH = "/v2/app/tags/list"
MANIFESTS = [f"/v2/app/manifests/{number}" for number in range(3)]
DIGEST = "sha256:" + "a" * 64
SECRET = "s3cret-geheim"
BASIC = "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()


def behind_tokens(fake: Fake, service: Fake, accepted: list[str]) -> Script:
    """Tags and a digest for whoever shows an accepted token; others are sent to the service."""
    challenge = f'Bearer realm="{service.url}/token",service="reg, one",scope="ignored"'

    def answer(request: Request) -> Reply:
        if request.headers.get("authorization") in [f"Bearer {token}" for token in accepted]:
            return as_json({"tags": ["1"]}, Docker_Content_Digest=DIGEST)
        return Reply(401, headers={"WWW-Authenticate": challenge})

    return answer


def docker_login(host: str) -> dict[str, object]:
    auth = base64.b64encode(f"me:{SECRET}".encode()).decode()
    return {"auths": {host: {"auth": auth}}}


def test_a_token_is_fetched_for_the_repository_and_kept(
    client: RegistryClient, fake: Fake, other: Fake
) -> None:
    other.routes["/token"] = as_json({"token": "t1", "expires_in": 300})
    fake.routes |= dict.fromkeys(MANIFESTS, behind_tokens(fake, other, ["t1"]))
    for number in range(3):
        assert client.head(fake.ref(f"app:{number}")) == DIGEST
    assert len(other.asked) == 1
    query = parse_qs(urlsplit(other.asked[0].path).query)
    assert query["scope"] == ["repository:app:pull"]
    assert query["service"] == ["reg, one"]
    assert "authorization" not in other.asked[0].headers
    assert len(fake.asked) == 4


def test_an_expired_token_is_renewed_without_asking_the_registry(
    client: RegistryClient, fake: Fake, other: Fake, clock: HandClock
) -> None:
    other.routes["/token"] = [
        as_json({"access_token": "t1", "expires_in": 300}),
        as_json({"token": "t2"}),
    ]
    fake.routes |= dict.fromkeys(MANIFESTS, behind_tokens(fake, other, ["t1", "t2"]))
    client.head(fake.ref("app:0"))
    clock.time += 301
    client.head(fake.ref("app:1"))
    assert len(other.asked) == 2
    assert len(fake.asked) == 3


def test_a_token_that_is_refused_is_renewed_once(
    client: RegistryClient, fake: Fake, other: Fake
) -> None:
    other.routes["/token"] = [as_json({"token": f"t{n}"}) for n in range(9)]
    accepted = ["t0"]
    fake.routes |= dict.fromkeys(MANIFESTS, behind_tokens(fake, other, accepted))
    client.head(fake.ref("app:0"))
    accepted[:] = ["t1"]
    assert client.head(fake.ref("app:1")) == DIGEST
    accepted[:] = []
    with pytest.raises(RegistryError) as caught:
        client.head(fake.ref("app:2"))
    assert caught.value.reason == "auth"
    assert len(other.asked) == 3


def test_a_password_goes_to_the_token_service_only(
    make_client: MakeClient, fake: Fake, other: Fake
) -> None:
    other.routes["/token"] = as_json({"token": "t1"})
    fake.routes[PATH] = behind_tokens(fake, other, ["t1"])
    client = make_client(docker_config=docker_login(fake.host))
    assert client.tags(fake.ref()) == ("1",)
    assert other.asked[0].headers["authorization"] == BASIC
    assert all(r.headers.get("authorization") in (None, "Bearer t1") for r in fake.asked)


def test_an_identity_token_is_exchanged(make_client: MakeClient, fake: Fake, other: Fake) -> None:
    other.routes["/token"] = as_json({"access_token": "t1"})
    fake.routes[PATH] = behind_tokens(fake, other, ["t1"])
    client = make_client(docker_config={"auths": {fake.host: {"identitytoken": SECRET}}})
    assert client.tags(fake.ref()) == ("1",)
    assert other.asked[0].method == "POST"
    form = parse_qs(other.asked[0].body.decode())
    assert form["grant_type"] == ["refresh_token"]
    assert form["refresh_token"] == [SECRET]
    assert form["scope"] == ["repository:app:pull"]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_password_is_an_auth_error_without_the_password(
    make_client: MakeClient, fake: Fake, other: Fake, status: int
) -> None:
    other.routes["/token"] = as_json({"errors": [{"message": SECRET}]}, status)
    fake.routes[PATH] = behind_tokens(fake, other, [])
    client = make_client(docker_config=docker_login(fake.host))
    with pytest.raises(RegistryError) as caught:
        client.tags(fake.ref())
    assert caught.value.reason == "auth"
    assert "docker login" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        as_json({}),
        as_json({"token": "a\r\nb"}),
        as_json({"token": 5}),
        Reply(200, b"<html>", {"Content-Type": "text/html"}),
        as_json([]),
    ],
)
def test_a_token_service_that_gives_no_token_is_named(
    client: RegistryClient, fake: Fake, other: Fake, reply: Reply
) -> None:
    other.routes["/token"] = reply
    fake.routes[PATH] = behind_tokens(fake, other, ["t"])
    with pytest.raises(RegistryError) as caught:
        client.tags(fake.ref())
    assert caught.value.reason == "malformed"
    assert other.host in str(caught.value)


def test_a_redirect_of_the_token_service_is_not_followed(
    make_client: MakeClient, fake: Fake, other: Fake
) -> None:
    other.routes["/token"] = Reply(307, headers={"Location": f"{other.url}/elsewhere"})
    fake.routes[PATH] = behind_tokens(fake, other, ["t"])
    client = make_client(docker_config=docker_login(fake.host))
    with pytest.raises(RegistryError):
        client.tags(fake.ref())
    assert other.count("/elsewhere") == 0


def behind_password(request: Request) -> Reply:
    if request.headers.get("authorization") == BASIC:
        return as_json({"tags": ["1"]})
    return Reply(401, headers={"WWW-Authenticate": 'Basic realm="us"'})


def test_a_basic_challenge_is_answered_from_the_configuration(
    make_client: MakeClient, fake: Fake, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(SECRET + "\n")
    fake.routes[PATH] = behind_password
    client = make_client(HostSettings(fake.host, username="me", password_file=file))
    assert client.tags(fake.ref()) == ("1",)
    assert "authorization" not in fake.asked[0].headers


def test_a_basic_challenge_without_a_password_says_what_to_do(
    client: RegistryClient, fake: Fake
) -> None:
    fake.routes[PATH] = behind_password
    with pytest.raises(RegistryError, match="docker login") as caught:
        client.tags(fake.ref())
    assert caught.value.reason == "auth"


def test_a_redirect_to_another_host_takes_no_credentials_along(
    make_client: MakeClient, fake: Fake, other: Fake
) -> None:
    other.routes[PATH] = as_json({"tags": ["1"]})

    def redirect(request: Request) -> Reply:
        if request.headers.get("authorization") != BASIC:
            return behind_password(request)
        return Reply(307, headers={"Location": f"{other.url}{PATH}"})

    fake.routes[PATH] = redirect
    client = make_client(docker_config=docker_login(fake.host))
    assert client.tags(fake.ref()) == ("1",)
    assert "authorization" not in other.asked[0].headers


@pytest.mark.parametrize(
    ("realm", "plain", "fault"),
    [
        ("https://auth.example/token", False, None),
        ("http://auth.example/token", True, None),
        ("http://auth.example/token", False, "is not encrypted, though the registry is"),
        ("https://a@auth.example/token", False, "holds a user name"),
        ("file:///etc/passwd", True, "is no http(s) URL"),
        ("/token", True, "is no http(s) URL"),
        ("http://[", True, "is no URL"),
    ],
)
def test_realms(realm: str, plain: bool, fault: str | None) -> None:
    assert realm_fault(realm, registry_is_plain=plain) == fault


@pytest.mark.parametrize(
    ("headers", "challenges"),
    [
        (['Bearer realm="https://a/t",service="x"'], (Bearer("https://a/t", "x"),)),
        (['bearer service="x, y" , realm=https://a/t'], (Bearer("https://a/t", "x, y"),)),
        (['Bearer realm="a\\"b"'], (Bearer('a"b', None),)),
        (['Basic realm="r", Bearer realm="t"'], (Basic(), Bearer("t", None))),
        (["Negotiate YII==", "Basic"], (Basic(),)),
        (["Bearer service=x"], ()),
        (["", ",,,", '"', "=x"], ()),
    ],
)
def test_challenges(headers: list[str], challenges: tuple[object, ...]) -> None:
    assert parse_challenges(headers) == challenges


@given(st.lists(st.text() | st.text(alphabet='Bearsic ="\\,x')))
def test_any_header_is_parsed(headers: list[str]) -> None:
    parse_challenges(headers)


def credentials(tmp_path: Path, config: object) -> Credentials:
    file = tmp_path / "config.json"
    file.write_text(config if isinstance(config, str) else json.dumps(config))
    return Credentials({}, file)


def test_the_hub_has_its_own_key(tmp_path: Path) -> None:
    found = credentials(tmp_path, docker_login("https://index.docker.io/v1/"))
    assert found.for_host("docker.io") == Password("me", SECRET)
    assert found.for_host("ghcr.io") is None


@pytest.mark.parametrize(
    "config",
    ["{", "[]", {"auths": {"a.example": {"auth": SECRET}}}, {"auths": {"a.example": SECRET}}],
)
def test_a_broken_docker_configuration_is_named_without_its_content(
    tmp_path: Path, config: object
) -> None:
    with pytest.raises(RegistryError, match=r"config\.json") as caught:
        credentials(tmp_path, config).for_host("a.example")
    assert caught.value.reason == "auth"
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"auth": "bWU6cw=="}, Password("me", "s")),
        ({"auth": "bWU6YTpi"}, Password("me", "a:b")),
        ({"auth": "bWU6", "identitytoken": "t"}, IdentityToken("t")),
        ({"username": "me", "password": "s"}, Password("me", "s")),
        ({}, None),
    ],
)
@pytest.mark.parametrize("key", ["a.example:5000", "https://a.example:5000/v2/"])
def test_logins_are_read_as_they_are_written(
    tmp_path: Path, entry: object, found: object, key: str
) -> None:
    known = credentials(tmp_path, {"auths": {key: entry, "b.example": 5}})
    assert known.for_host("a.example:5000") == found
    assert known.for_host("a.example") is None


@pytest.mark.parametrize(
    "config", [{"auths": 5}, {"credHelpers": ["lab"]}, {"credsStore": "../evil"}]
)
def test_a_configuration_of_another_shape_is_named(tmp_path: Path, config: object) -> None:
    with pytest.raises(RegistryError, match=r"config\.json") as caught:
        credentials(tmp_path, config).for_host("a.example")
    assert caught.value.reason == "auth"


def test_what_no_helper_keeps_is_read_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(tmp_path, monkeypatch, "echo credentials not found in native keychain; exit 1")
    config = docker_login("a.example") | {"credsStore": "lab"}
    assert credentials(tmp_path, config).for_host("a.example") == Password("me", SECRET)


def test_a_missing_helper_is_named_for_its_host_only(tmp_path: Path) -> None:
    found = credentials(tmp_path, {"credHelpers": {"a.example": "nowhere"}})
    with pytest.raises(RegistryError, match="docker-credential-nowhere is not installed"):
        found.for_host("a.example")
    assert found.for_host("b.example") is None


@pytest.mark.parametrize(
    ("username", "expected"), [("me", Password("me", SECRET)), ("<token>", IdentityToken(SECRET))]
)
def test_a_helper_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, username: str, expected: object
) -> None:
    helper(tmp_path, monkeypatch, f"""echo '{{"Username":"{username}","Secret":"{SECRET}"}}'""")
    found = credentials(tmp_path, {"credsStore": "lab"})
    assert found.for_host("a.example") == expected


@pytest.mark.parametrize("script", [f"echo {SECRET}; exit 1", f"echo '{SECRET}'", "echo {}"])
def test_a_failing_helper_tells_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    helper(tmp_path, monkeypatch, script)
    found = credentials(tmp_path, {"credsStore": "lab"})
    with pytest.raises(RegistryError, match="docker-credential-lab") as caught:
        found.for_host("a.example")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "docker-credential-lab"
    program.write_text(f"#!/bin/sh\nkey=$(cat)\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def test_a_helper_without_an_entry_means_anonymous(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(tmp_path, monkeypatch, "echo credentials not found in native keychain; exit 1")
    assert credentials(tmp_path, {"credsStore": "lab"}).for_host("a.example") is None


def test_a_helper_is_asked_for_the_hub_by_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """echo "{\\"Username\\":\\"me\\",\\"Secret\\":\\"$key\\"}\""""
    helper(tmp_path, monkeypatch, script)
    hub = "https://index.docker.io/v1/"
    found = credentials(tmp_path, {"credHelpers": {hub: "lab", "a.example": "lab"}})
    assert found.for_host("registry-1.docker.io") == Password("me", hub)
    assert found.for_host("a.example") == Password("me", "a.example")


def test_a_helper_that_hangs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, "exec sleep 60")
    with pytest.raises(RegistryError, match="docker-credential-lab did not answer") as caught:
        ask_helper("docker-credential-lab", "a.example", timeout_s=0.05)
    assert caught.value.reason == "auth"


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("AWS", "eyJwYXlsb2FkIjoi" * 100),
        ("oauth2accesstoken", "ya29.c.b0Aaek"),
        ("_json_key", '{\n  "type": "service_account"\n}'),
        ("robot$project+reader", "pass:with:colons"),
        ("00000000-0000-0000-0000-000000000000", "refresh.token.jwt"),
        ("user", "pässwörd"),
    ],
)
def test_user_names_of_every_registry_are_sent_as_they_are(
    make_client: MakeClient, fake: Fake, tmp_path: Path, username: str, password: str
) -> None:
    file = tmp_path / "password"
    file.write_text(password + "\n")
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()

    def registry(request: Request) -> Reply:
        if request.headers.get("authorization") == f"Basic {pair}":
            return as_json({"tags": ["1"]})
        return Reply(401, headers={"WWW-Authenticate": "Basic"})

    fake.routes[PATH] = registry
    client = make_client(HostSettings(fake.host, username=username, password_file=file))
    assert client.tags(fake.ref()) == ("1",)


def test_a_realm_with_a_query_keeps_it(make_client: MakeClient, fake: Fake, other: Fake) -> None:
    other.routes["/jwt/auth"] = as_json({"token": "t1"})
    realm = f'Bearer realm="{other.url}/jwt/auth?client=x",service="container_registry"'

    def registry(request: Request) -> Reply:
        if request.headers.get("authorization") == "Bearer t1":
            return as_json({"name": "group/app", "tags": ["1"]})
        return Reply(401, headers={"WWW-Authenticate": realm})

    fake.routes["/v2/group/app/tags/list"] = registry
    assert make_client().tags(fake.ref("group/app:1")) == ("1",)
    query = parse_qs(urlsplit(other.asked[0].path).query)
    assert query["client"] == ["x"]
    assert query["service"] == ["container_registry"]
    assert query["scope"] == ["repository:group/app:pull"]


def test_a_missing_password_file_is_named(tmp_path: Path) -> None:
    settings = HostSettings("a.example", username="me", password_file=tmp_path / "absent")
    with pytest.raises(RegistryError, match="absent") as caught:
        Credentials({"a.example": settings}).for_host("a.example")
    assert caught.value.reason == "auth"


def test_secrets_are_not_printed() -> None:
    assert SECRET not in repr(Password("me", SECRET)) + repr(IdentityToken(SECRET))
