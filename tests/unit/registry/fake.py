"""A registry that misbehaves on demand: real HTTP on a loopback port, scripted answers."""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from safe_auto_updater.core.reference import Reference
from tests.http_kit import LocalServer, QuietHandler

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True)
class Request:
    """What the fake was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What it answers. `length` lies about the body's length.

    `speak` writes to the connection itself, whatever it likes, until the event says that all is
    over; the rest of the reply is ignored then.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    speak: Callable[[BinaryIO, threading.Event], None] | None = None


Script = Callable[[Request], Reply]


def as_json(value: object, status: int = 200, **headers: str) -> Reply:
    """A JSON answer; header names are written with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"} | named)


def digest_of(body: bytes) -> str:
    """The sha256 digest of a body."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


class Fake(LocalServer):
    """One server. Answers are given by path (without the query); a list is used up in turn."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Request] = []
        self.routes: dict[str, Reply | list[Reply] | Script] = {}
        self.guard: Callable[[Request], Reply | None] = lambda request: None
        self.over = threading.Event()
        self.hung_up = threading.Event()  # somebody left while we were still speaking
        self._lock = threading.Lock()
        super().__init__(self._handler(), tls=tls)

    def ref(self, text: str = "app:1") -> Reference:
        """A reference on this registry."""
        return self.ref_at(self.host, text)

    @staticmethod
    def ref_at(host: str, text: str = "app:1") -> Reference:
        """A reference on some registry."""
        return Reference.parse(f"{host}/{text}")

    def manifest(self, content: object, tag: str = "1", media_type: str = MANIFEST) -> str:
        """Serve a manifest under its tag and its digest; the digest."""
        body = json.dumps(content).encode()
        digest = digest_of(body)
        headers = {"Content-Type": media_type, "Docker-Content-Digest": digest}
        for target in (tag, digest):
            self.routes[f"/v2/app/manifests/{target}"] = Reply(200, body, headers)
        return digest

    def blob(self, content: object) -> str:
        """Serve a blob; its digest."""
        body = json.dumps(content).encode()
        self.routes[f"/v2/app/blobs/{digest_of(body)}"] = Reply(200, body)
        return digest_of(body)

    def image(self, architecture: str = "amd64", tag: str = "1", **platform: str) -> str:
        """Serve a whole image; its manifest's digest."""
        config = self.blob({"os": "linux", "architecture": architecture} | platform)
        return self.manifest(image_manifest(config), tag)

    def count(self, path: str) -> int:
        """How often a path was asked."""
        return sum(request.path.partition("?")[0] == path for request in self.asked)

    def reset(self) -> None:
        """Forget everything; whoever still speaks falls silent."""
        self.over.set()
        self.over, self.hung_up = threading.Event(), threading.Event()
        self.asked, self.routes = [], {}
        self.guard = lambda request: None

    def close(self) -> None:
        """Stop serving."""
        self.over.set()
        super().close()

    def _reply(self, request: Request) -> Reply:
        with self._lock:
            self.asked.append(request)
            if (refusal := self.guard(request)) is not None:
                return refusal
            route = self.routes.get(request.path.partition("?")[0], Reply(404))
            if isinstance(route, list):
                return route.pop(0) if len(route) > 1 else route[0]
        return route if isinstance(route, Reply) else route(request)

    def _handler(self) -> type[QuietHandler]:
        fake = self

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: no waiting for acknowledgements

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): text for name, text in self.headers.items()}
                over, hung_up = fake.over, fake.hung_up
                reply = fake._reply(Request(self.command, self.path, headers, body))
                if reply.speak is not None:
                    self.close_connection = True
                    try:
                        reply.speak(self.wfile, over)
                        self.wfile.flush()
                    except OSError:
                        hung_up.set()
                    return
                length = len(reply.body) if reply.length is None else reply.length
                headers = {**reply.headers, "Content-Length": str(length)}
                self.answer(reply.status, reply.body, headers)
                self.close_connection = reply.length is not None

            do_HEAD = do_POST = do_GET

        return Handler


def image_manifest(config_digest: str, config_type: str = CONFIG) -> dict[str, Any]:
    """The manifest of an image without layers."""
    config = {"mediaType": config_type, "digest": config_digest, "size": 2}
    return {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
