"""Watchtower at the wire: the documented API of both lines, and what each does to an engine.

It really pulls, stops, removes, creates and starts. What the real one does not do on demand is an
option: being busy, being killed in the middle, updating more than it was asked.
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.parse
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lab import wire
from tests.http_kit import LocalServer, QuietHandler
from tests.lab_kit import Lab

LINES = ("original", "fork")
_NAME = "com.centurylinklabs.watchtower"


@dataclass
class Ways:
    """How it is configured, and what goes wrong."""

    cleanup: bool = False
    watches: str = ".*"
    """Names of containers that it looks after, as its arguments say them."""
    busy: int = 0
    """How many questions are first answered with 429."""
    stops_after: str = ""
    """The step of an update after which it is gone: `remove` or `create`."""
    takes_too: tuple[str, ...] = ()
    """Containers that it replaces besides, whoever is asked for."""
    waits_s: float = 0.0
    """Between removing and creating."""


class Gone(Exception):
    """It was killed here."""


class StandIn(LocalServer):
    """One Watchtower. `close` ends it as a kill would."""

    def __init__(
        self, lab: Lab, line: str, token: str, ways: Ways, at: tuple[str, int] = ("127.0.0.1", 0)
    ) -> None:
        self.line, self.ways = line, ways
        self._lab, self._token = lab, token
        self._lock = threading.Lock()
        super().__init__(self._handler(), at)

    def idle(self) -> None:
        """Wait until no session runs."""
        with self._lock:
            pass

    def _handler(self) -> type[QuietHandler]:
        standin = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:
                standin._answer(self)

            def do_GET(self) -> None:
                standin._answer(self) if standin.line == "original" else self.send_error(405)

        return Handler

    def _answer(self, request: QuietHandler) -> None:
        path, _, query = request.path.partition("?")
        if path != "/v1/update":
            return request.send_error(404)
        if request.headers["Authorization"] != f"Bearer {self._token}":
            return request.send_error(401)
        if self.ways.busy > 0:
            self.ways.busy -= 1
            busy = json.dumps({"error": "busy"}).encode()
            return request.answer(429, busy, {"Retry-After": "1"})
        asked = urllib.parse.parse_qs(query)
        images = ",".join(asked.get("image", ())).split(",") if "image" in asked else []
        names = ",".join(asked.get("container", ())).split(",") if "container" in asked else []
        if not images and not names and not self._lock.acquire(blocking=False):
            return request.answer(200)  # the original says nothing and does nothing
        if images or names:
            self._lock.acquire()
        try:
            counts = self._session(images, names if self.line == "fork" else [])
        except Gone:
            self.close()
            return None
        finally:
            self._lock.release()
        if self.line == "original":
            return request.answer(200)
        told = {"summary": counts, "timing": {}, "api_version": "v1"}
        return request.answer(200, json.dumps(told).encode(), {"X-RateLimit-Limit": "60"})

    def _session(self, images: list[str], names: list[str]) -> dict[str, int]:
        counts = dict.fromkeys(("scanned", "updated", "failed", "restarted", "skipped"), 0)
        stale = []
        for listed in self._call("GET", "/containers/json"):
            try:
                found = self._call("GET", f"/containers/{listed['Id']}/json")
            except wire.EngineError:  # another test's, which has just gone
                continue
            if not self._meant(found, images, names):
                continue
            counts["scanned"] += 1
            newest = self._pulled(found["Config"]["Image"])
            if newest != found["Image"]:
                stale.append(found)
        for found in stale:
            self._stop(found)
        for found in stale:
            time.sleep(self.ways.waits_s)
            counts["updated" if self._made_anew(found) else "failed"] += 1
        for image in {found["Image"] for found in stale} if self.ways.cleanup else ():
            self._clean_up(image)
        return counts

    def _clean_up(self, image: str) -> None:
        """By force, whatever it is called; the fork first looks whether a container has it."""
        used = {one["ImageID"] for one in self._call("GET", "/containers/json?all=1")}
        if self.line == "original" or image not in used:
            with suppress(wire.EngineError):
                self._call("DELETE", f"/images/{image}?force=1")

    def _meant(self, found: dict[str, Any], images: list[str], names: list[str]) -> bool:
        name, written = found["Name"].lstrip("/"), found["Config"]["Image"]
        labels = found["Config"]["Labels"] or {}
        if (
            name in self.ways.takes_too
            and images[0].partition("/")[0] != "safe-auto-updater.invalid"
        ):
            return True
        if not re.fullmatch(self.ways.watches, name) or labels.get(f"{_NAME}.enable") == "false":
            return False
        if self.line == "original":
            return written.partition(":")[0] in images
        if names and not any(re.fullmatch(pattern, name) for pattern in names):
            return False
        return written.rpartition(":")[0] in images

    def _pulled(self, reference: str) -> str:
        self._call("POST", f"/images/create?fromImage={urllib.parse.quote(reference)}")
        return str(self._call("GET", f"/images/{reference}/json")["Id"])

    def _stop(self, found: dict[str, Any]) -> None:
        self._call("POST", f"/containers/{found['Id']}/stop")
        self._call("DELETE", f"/containers/{found['Id']}?force=1")
        if self.ways.stops_after == "remove":
            raise Gone

    def _made_anew(self, found: dict[str, Any]) -> bool:
        image = self._call("GET", f"/images/{found['Image']}/json")["Config"]
        body = {**found["Config"], "HostConfig": found["HostConfig"]}
        for key in ("WorkingDir", "User", "Entrypoint", "Cmd", "Healthcheck", "StopSignal"):
            if body.get(key) == image.get(key):
                body.pop(key, None)
        body["Env"] = [one for one in body["Env"] or () if one not in (image.get("Env") or ())]
        for key in ("Labels", "Volumes", "ExposedPorts"):
            known = image.get(key) or {}
            body[key] = {k: v for k, v in (body.get(key) or {}).items() if known.get(k) != v}
        networks = found["NetworkSettings"]["Networks"]
        for endpoint in networks.values():
            mine = [one for one in endpoint["Aliases"] or () if one != found["Id"][:12]]
            endpoint["Aliases"] = mine
        name = found["Name"].lstrip("/")
        first, *others = networks
        body["NetworkingConfig"] = {"EndpointsConfig": {first: networks[first]}}
        made = self._call("POST", f"/containers/create?name={name}", body)["Id"]
        for other in others:
            joined = {"Container": made, "EndpointConfig": networks[other]}
            self._call("POST", f"/networks/{other}/connect", joined)
        if self.ways.stops_after == "create":
            raise Gone
        try:
            self._call("POST", f"/containers/{made}/start")
        except wire.EngineError:
            if self.line == "fork":  # it takes away what it could not start
                self._call("DELETE", f"/containers/{made}?force=1")
            return False
        return True

    def _call(self, method: str, url: str, body: object = None) -> Any:
        return wire.call(self._lab.socket, method, url, body, timeout_s=60)
