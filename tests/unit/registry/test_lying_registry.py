"""The lying registry: whatever it answers, nothing is taken that should not be, and nothing is
called up to date that was not seen to be.

Version 1.1.0 runs. An honest registry has 1.0.0, 1.1.0 and 1.2.0, behind a token service. Each row
makes it lie once, and says what detection must make of it: the error that an operator reads,
the candidate all the same where the lie is harmless, or the reason why there is none.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.registry import HostSettings, ImageLookup, Platform
from tests.unit.registry.conftest import HandClock, MakeClient
from tests.unit.registry.detect import detect
from tests.unit.registry.fake import (
    INDEX,
    MANIFEST,
    Fake,
    Reply,
    Request,
    as_json,
    digest_of,
    image_manifest,
)

SECRET = "s3cret-geheim"
AMD64 = Platform("linux", "amd64")
TAGS = "/v2/app/tags/list"
NEW = "/v2/app/manifests/1.2.0"
OLD = "/v2/app/manifests/1.1.0"
LIST = {"name": "app", "tags": ["1.0.0", "1.1.0", "1.2.0"]}
# Whoever reads a reason at night is told what to do.
REMEDY = re.compile(r"\b(Check|Run|Try|Wait|Push|Ask|Repair|Choose|Give|Sign|configure)\b")
DAY = 86400


@dataclass
class Liar:
    """An honest registry, and what a row needs to make it lie."""

    fake: Fake
    other: Fake
    settings: list[HostSettings] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.digests = {}
        for number, tag in enumerate(LIST["tags"]):
            config = self.fake.blob({"os": "linux", "architecture": "amd64", "number": number})
            self.digests[tag] = self.fake.manifest(image_manifest(config), tag)
        self.tags(as_json(LIST))
        self.fake.routes["/token"] = as_json({"token": "t1", "expires_in": 300})
        self.fake.guard = self.guard

    def guard(self, request: Request) -> Reply | None:
        """A token for whoever has none."""
        if request.path.startswith("/token") or request.headers.get("authorization") == "Bearer t1":
            return None
        realm = f'Bearer realm="{self.fake.url}/token",service="liar"'
        return Reply(401, headers={"WWW-Authenticate": realm})

    def tags(self, reply: Reply | list[Reply] | Callable[[Request], Reply]) -> None:
        """Answer so when asked for tags."""
        self.fake.routes[TAGS] = reply

    def page(self, link: str) -> Reply:
        """The honest list, and a link to a next page."""
        return as_json(LIST, Link=f'<{link}>; rel="next"')

    def moved(self, to: str) -> Reply:
        """A redirect."""
        return Reply(307, headers={"Location": to})

    def newest(self, content: dict[str, Any], kind: str = MANIFEST) -> None:
        """Serve this as 1.2.0."""
        self.fake.manifest(content, "1.2.0", kind)


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Fake, Fake]]:
    with Fake() as one, Fake() as other:
        yield one, other


@pytest.fixture
def liar(hosts: tuple[Fake, Fake]) -> Liar:
    for one in hosts:
        one.reset()
    return Liar(*hosts)


HEAD_OF_LIST = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def says(content: bytes) -> Reply:
    """Bytes on the line, and then the connection ends."""
    return Reply(speak=lambda line, over: line.write(content) and None)


def drips(head: bytes, drop: bytes) -> Reply:
    """A byte now and then, for ever."""

    def speak(line: BinaryIO, over: threading.Event) -> None:
        line.write(head)
        while not over.wait(0.02):
            line.write(drop)
            line.flush()

    return Reply(speak=speak)


def silence() -> Reply:
    """Not a byte."""
    return Reply(speak=lambda line, over: over.wait(60) and None)


def resets() -> Reply:
    """The connection is cut as by a crash."""

    def speak(line: BinaryIO, over: threading.Event) -> None:
        connection: socket.socket = line.raw._sock  # type: ignore[attr-defined]
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return Reply(speak=speak)


Lie = Callable[[Liar], None]


def tags(reply: Reply) -> Lie:
    return lambda liar: liar.tags(reply)


def bomb() -> Reply:
    packed = gzip.compress(b'{"tags": [' + b" " * (48 << 20) + b"]}", 1)
    return Reply(200, packed, {"Content-Type": "application/json", "Content-Encoding": "gzip"})


def plain_where_tls_is_wanted(liar: Liar) -> None:
    liar.settings.append(HostSettings(liar.fake.host, plain_http=False))


def asks_for_a_password_elsewhere(liar: Liar) -> None:
    liar.other.routes[TAGS] = Reply(401, headers={"WWW-Authenticate": 'Basic realm="give me"'})
    liar.tags(liar.moved(f"{liar.other.url}{TAGS}"))


def token_is(reply: Reply) -> Lie:
    def lie(liar: Liar) -> None:
        liar.fake.routes["/token"] = reply

    return lie


def realm_is(realm: str) -> Lie:
    def lie(liar: Liar) -> None:
        challenge = f'Bearer realm="{realm}",service="liar"'
        liar.fake.guard = lambda request: Reply(401, headers={"WWW-Authenticate": challenge})

    return lie


def no_token_is_ever_good_enough(liar: Liar) -> None:
    realm = f'Bearer realm="{liar.fake.url}/token",service="liar"'
    numbers = iter(range(10_000))
    liar.fake.routes["/token"] = lambda request: as_json({"token": f"t{next(numbers)}"})
    liar.fake.guard = lambda request: (
        None
        if request.path.startswith("/token")
        else Reply(401, headers={"WWW-Authenticate": realm})
    )


def maze(liar: Liar) -> None:
    """Indexes inside indexes."""
    digest, kind = liar.digests["1.2.0"], MANIFEST
    for _ in range(9):
        line = {"mediaType": kind, "digest": digest, "size": 2}
        digest = liar.fake.manifest({"schemaVersion": 2, "manifests": [line]}, "1.2.0", INDEX)
        kind = INDEX


def swapped_manifest(liar: Liar) -> None:
    liar.fake.routes[f"/v2/app/manifests/{liar.digests['1.2.0']}"] = as_json(image_manifest("x"))


def swapped_configuration(liar: Liar) -> None:
    config = digest_of(b"never seen")
    liar.fake.routes[f"/v2/app/blobs/{config}"] = as_json({"os": "linux", "architecture": "amd64"})
    liar.newest(image_manifest(config))


def newest_is_for(platform: dict[str, str]) -> Lie:
    def lie(liar: Liar) -> None:
        line = {"mediaType": MANIFEST, "digest": liar.digests["1.2.0"], "platform": platform}
        liar.newest({"schemaVersion": 2, "manifests": [line]}, INDEX)

    return lie


def newest_is_gone(liar: Liar) -> None:
    liar.fake.routes[NEW] = Reply(404)


def digest_header(tag: str, header: str) -> Lie:
    def lie(liar: Liar) -> None:
        path = f"/v2/app/manifests/{tag}"
        honest = liar.fake.routes[path]
        assert isinstance(honest, Reply)
        headers = {**honest.headers, "Docker-Content-Digest": header}
        liar.fake.routes[path] = Reply(200, honest.body, headers)

    return lie


def head_without_digest_and_page(liar: Liar) -> None:
    liar.fake.routes[NEW] = Reply(200, b"<html>sign in</html>", {"Content-Type": "text/html"})


def sha512_header(liar: Liar) -> None:
    for tag in LIST["tags"]:
        honest = liar.fake.routes[f"/v2/app/manifests/{tag}"]
        assert isinstance(honest, Reply)
        digest_header(tag, "sha512:" + hashlib.sha512(honest.body).hexdigest())(liar)


def again_and_again(liar: Liar) -> None:
    liar.tags(lambda request: liar.page(f"{TAGS}?turn={len(liar.fake.asked)}"))


def second_page(reply: Reply) -> Lie:
    return lambda liar: liar.tags(
        lambda request: reply if "last" in request.path else liar.page(f"{TAGS}?last=x")
    )


def limited(rest: str) -> Lie:
    return tags(Reply(429, headers={"Retry-After": rest}))


@dataclass(frozen=True)
class Row:
    """One lie, and what must come of it: words of the error, or of the rejection of 1.2.0."""

    name: str
    lie: Lie
    unknown: str | None = None
    rejected: str | None = None
    drips: bool = False


ROWS = [
    Row("web page for tags",
        tags(Reply(200, b"<html>", {"Content-Type": "text/html"})), "web page instead of JSON"),
    Row("cut JSON", tags(Reply(200, b'{"tags": ["1.1.0"')), "broken JSON"),
    Row("JSON without a bottom", tags(Reply(200, b"[" * 100_000)), "broken JSON"),
    Row("body cut short", tags(Reply(200, b'{"tags": ["1.1.0"]}', length=500)), "broke off"),
    Row("length too small", tags(Reply(200, b'{"tags": ["1.1.0"]}', length=9)), "broken JSON"),
    Row("no tags at all", tags(as_json({"name": "app", "tags": []})), "not all"),
    Row("tags null", tags(as_json({"name": "app", "tags": None})), "not all"),
    Row("only older tags", tags(as_json({"tags": ["1.0.0"]})), "serves '1.1.0'"),
    Row("tags that are numbers", tags(as_json({"tags": [1, 2]})), "something else than a list"),
    Row("tags that are missing", tags(as_json({"name": "app"})), "without a list of tags"),
    Row("another repository", tags(as_json({"name": "evil", "tags": ["9.9.9"]})), "'evil'"),
    Row("each tag twice", tags(as_json({"tags": LIST["tags"] * 2})), None),
    Row("names that are no tags",
        tags(as_json({"tags": [*LIST["tags"], "", "../9.0.0", "9.0.0\n", "x" * 9999]})), None),
    Row("pages in a circle", lambda liar: liar.tags(liar.page(f"{TAGS}?last=1")), "circle"),
    Row("the same page for ever", again_and_again, "circle"),
    Row("next page on another host",
        lambda liar: liar.tags(liar.page(f"{liar.other.url}{TAGS}")), "on another host"),
    Row("next page nowhere", lambda liar: liar.tags(liar.page("http://[")), "is no URL"),
    Row("next page in a file", lambda liar: liar.tags(liar.page("file:///etc/passwd")),
        "on another host"),
    Row("next page fails", second_page(Reply(500)), "answered 500"),
    Row("next page drips", second_page(drips(HEAD_OF_LIST, b"X-A: b\r\n")), "in time", drips=True),
    Row("redirects without end",
        lambda liar: liar.tags(lambda request: liar.moved(request.path + "&x")), "5 redirects"),
    Row("redirect into a file", tags(Reply(302, headers={"Location": "file:///etc/passwd"})),
        "redirects to nowhere"),
    Row("redirect with a user name",
        lambda liar: liar.tags(liar.moved(f"http://me@{liar.other.host}/")),
        "redirects to nowhere"),
    Row("redirect to who asks for a password", asks_for_a_password_elsewhere, "answered 401"),
    Row("compressed bomb", lambda liar: liar.tags(bomb()), "compressed"),
    Row("headers beyond measure",
        tags(says(HEAD_OF_LIST + b"X-A: " + b"a" * 300_000 + b"\r\n\r\n")), "broke off"),
    Row("body beyond measure", tags(Reply(200, b" " * (33 << 20))), "larger than"),
    Row("not a byte", tags(silence()), "in time", drips=True),
    Row("headers that drip", tags(drips(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n")), "in time",
        drips=True),
    Row("a status line that drips", tags(drips(b"HTTP/1.1 200 ", b"O")), "in time", drips=True),
    Row("a body that drips", tags(drips(HEAD_OF_LIST + b"Content-Length: 9999\r\n\r\n", b" ")),
        "in time", drips=True),
    Row("chunks that drip",
        tags(drips(HEAD_OF_LIST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n")),
        "in time", drips=True),
    Row("no HTTP", tags(says(b"SSH-2.0-OpenSSH_9.2\r\n")), "no HTTP"),
    Row("connection reset", tags(resets()), "cannot be reached"),
    Row("hangs up", tags(says(b"")), "without response"),
    Row("plain where TLS is wanted", plain_where_tls_is_wanted, "no secure connection"),
    Row("limited for years", limited(str(10 * 365 * DAY)), "limits our requests"),
    Row("limited until the last century", limited("Fri, 31 Dec 1999 23:59:59 GMT"),
        "limits our requests"),
    Row("limited until nonsense", limited("when it suits me"), "limits our requests"),
    Row("fails always", tags(Reply(500)), "answered 500"),
    Row("wants rest for a day", tags(Reply(503, headers={"Retry-After": str(DAY)})), "503"),
    Row("not modified, though nothing was known", tags(Reply(304)), "304"),
    Row("web page for a manifest", head_without_digest_and_page, "web page"),
    Row("digest that is none", digest_header("1.2.0", "sha256:beef"), "is no digest"),
    Row("digest of something else", digest_header("1.2.0", digest_of(b"?")), None,
        "answered 404"),
    Row("digests of another kind", sha512_header, None),
    Row("swapped manifest", swapped_manifest, "does not match"),
    Row("swapped configuration", swapped_configuration, "does not match"),
    Row("schema 1", lambda liar: liar.newest({"schemaVersion": 1, "fsLayers": []}), "schema 1"),
    Row("maze of indexes", maze, "indexes inside each other"),
    Row("another machine's image", newest_is_for({"os": "linux", "architecture": "s390x"}), None,
        "only for linux/s390x"),
    Row("attestations only", newest_is_for({"os": "unknown", "architecture": "unknown"}), None,
        "only for none"),
    Row("listed, not served", newest_is_gone, None, "answered 404"),
    Row("web page for a token",
        token_is(Reply(200, b"<html>", {"Content-Type": "text/html"})), "web page"),
    Row("token service fails", token_is(Reply(500)), "answered 500"),
    Row("token service drips", token_is(drips(HEAD_OF_LIST, b"X-A: b\r\n")), "in time", drips=True),
    Row("empty token", token_is(as_json({"token": ""})), "gave no token"),
    Row("token with a line break", token_is(as_json({"token": "t1\r\nX-Evil: 1"})), "no token"),
    Row("token that expires at once", token_is(as_json({"token": "t1", "expires_in": 0})), None),
    Row("no token is good enough", no_token_is_ever_good_enough, "answered 401"),
    Row("token service in a file", realm_is("file:///etc/passwd"), "is no http(s) URL"),
    Row("token service with a user name", realm_is("http://me@127.0.0.1/"), "holds a user name"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_lie_changes_nothing(
    row: Row, liar: Liar, make_client: MakeClient, clock: HandClock, tmp_path: Path
) -> None:
    row.lie(liar)
    ref = liar.fake.ref("app:1.1.0")
    login = {
        "auths": {liar.fake.host: {"auth": base64.b64encode(f"me:{SECRET}".encode()).decode()}}
    }

    def client() -> ImageLookup:
        deadline_s = 0.05 if row.drips else 10.0
        made = make_client(*liar.settings, docker_config=login, deadline_s=deadline_s)
        return ImageLookup(lambda _: made, AMD64)

    change = detect(client(), tmp_path, str(ref), liar.digests["1.1.0"])
    asked_for_detection = len(liar.fake.asked)
    errors = refusals(client(), ref)

    candidate = change.candidate and change.candidate.version
    rejections = [one.reason for one in change.rejected if one.tag == "1.2.0"]
    if row.unknown is not None:
        assert candidate is None
        assert row.unknown in (change.error or "")
        assert any(row.unknown in str(error) for error in errors)
        check_readable(change.error or "", liar)
    elif row.rejected is not None:
        assert (candidate, change.error) == (None, None)
        (reason,) = rejections
        assert row.rejected in reason
        check_readable(reason, liar)
    else:
        assert (candidate, change.error, errors) == ("1.2.0", None, [])

    for error in errors:
        check_readable(str(error), liar)
    assert asked_for_detection <= 40  # no storm
    if row.drips:
        assert not liar.fake.over.is_set()  # it would have gone on, and it was left
    for request in liar.other.asked:
        assert "authorization" not in request.headers
        assert SECRET not in repr(request)
    for request in liar.fake.asked:
        if not request.path.startswith("/token"):
            assert request.headers.get("authorization", "Bearer").startswith("Bearer")
    assert sum(clock.slept) < 60  # nobody waits for years


def refusals(lookup: ImageLookup, ref: Reference) -> list[RegistryError]:
    """Every question there is; all errors, and nothing else than answers and RegistryErrors."""
    errors = []
    newest = str(ref.with_tag("1.2.0"))
    for ask in (
        lambda: lookup.tags(str(ref)),
        lambda: lookup.digest(str(ref)),
        lambda: lookup.image(newest),
        lambda: lookup.config(newest, lookup.image(newest)),
    ):
        try:
            ask()
        except RegistryError as error:
            errors.append(error)
    return errors


def check_readable(text: str, liar: Liar) -> None:
    """It names the host and the remedy, in one printable line, and no secret."""
    assert liar.fake.host in text or liar.other.host in text
    assert REMEDY.search(text)
    assert text.isprintable()
    assert len(text) < 700
    assert SECRET not in text
    assert "Traceback" not in text
