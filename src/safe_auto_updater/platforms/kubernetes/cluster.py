"""The Kubernetes API, raw: JSON in, JSON out, and what can go wrong translated once.

Configuration, authentication and transport are the official client's; it is imported with the
first question, for it takes its time. Objects stay as they came: unknown fields are kept.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from safe_auto_updater.core.errors import NotFound, PlatformError, PlatformUnreachable
from safe_auto_updater.platforms.kubernetes.access import Access, Told, Transport
from safe_auto_updater.platforms.kubernetes.placement import platform_of

Json = dict[str, Any]
FIELD_MANAGER = "safe-auto-updater"
PAGE = 500  # objects per answer; more would cost memory here and there
ANSWER_S = 30.0
RETRY_S = (0.2, 1.0, 3.0)
_AGAIN = (429, 500, 502, 503, 504)
_EXPIRED = 410  # the next page of a list that has been asked for too slowly
_TOO_MANY = b"Too many requests, please try again later."  # said in plain text
_JSON = "application/json"
_UNTYPED = "failed to create typed patch object"  # a wrong field, told as a fault of the server
_JSON_PATCH = "application/json-patch+json"
_MERGE = "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"  # JSON is YAML
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""To accept a list of what objects are called and labelled, and nothing that they hold."""
OF_ONE = METADATA.replace("List", "")
"""The same of one object, or of what a watch tells."""


class Refused(PlatformError):
    """The API server said no; `reason` is its own word (Conflict, Invalid, Forbidden, ...)."""

    def __init__(self, message: str, status: int, reason: str) -> None:
        super().__init__(message, status)
        self.reason = reason


def is_forbidden(error: Exception) -> bool:
    """Whether the API server says that we may not."""
    return isinstance(error, Refused) and error.reason == "Forbidden"


class AskedToWait(PlatformUnreachable):
    """The API server answered that it cannot answer for now."""


class Cluster:
    """One cluster. Raises PlatformUnreachable (no answer), NotFound, Refused (it said no).

    Thread-safe. Questions are asked again where the server asks for it, acts never.
    """

    def __init__(self, name: str, access: Access, answer_s: float = ANSWER_S) -> None:
        self.name = name
        self.access = access
        self._answer_s = answer_s
        self._lock = threading.Lock()
        self._opened: Transport | None = None
        self._nodes: tuple[Json, ...] | None = None
        self._version: str | None = None

    def get(self, path: str, *, accept: str = _JSON, **params: Any) -> Any:
        """One object, or one page of them."""
        for pause_s in RETRY_S:
            try:
                return self._ask("GET", path, params, accept=accept)
            except AskedToWait:
                time.sleep(pause_s)
        return self._ask("GET", path, params, accept=accept)

    def find(self, path: str) -> Json | None:
        """One object, None where there is none."""
        try:
            found: Json = self.get(path)
        except NotFound:
            return None
        return found

    def listed(self, path: str, *, accept: str = _JSON, **params: Any) -> Iterator[Json]:
        """Every object of a list, page by page. PlatformError where it changes too fast to read."""
        going_on: dict[str, str] = {}
        seen: set[str] = set()
        restarts = 0
        while True:
            try:
                page = self.get(path, accept=accept, **{"limit": PAGE, **params, **going_on})
            except PlatformError as error:
                restarts += 1
                if error.status != _EXPIRED or restarts > len(RETRY_S):
                    raise
                going_on = {}
                continue
            for item in page.get("items") or ():
                uid = item["metadata"]["uid"]
                if uid not in seen:
                    seen.add(uid)
                    yield item
            token = page["metadata"].get("continue")
            if not token:
                return
            going_on = {"continue": token}

    def patch(self, path: str, operations: Sequence[Json], *, dry_run: bool = False) -> Json:
        """Change an object by JSON Patch, whole or not at all; with `dry_run` only what would be.

        A `test` among the operations that does not hold is Refused with reason Invalid.
        """
        params = {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if dry_run else {})}
        changed: Json = self._ask("PATCH", path, params, list(operations), _JSON_PATCH)
        return changed

    def merge(self, path: str, changes: Json) -> Json:
        """Change an object by JSON Merge Patch; where it names a uid only this very object."""
        changed: Json = self._ask("PATCH", path, {"fieldManager": FIELD_MANAGER}, changes, _MERGE)
        return changed

    def would_apply(self, path: str, body: Mapping[str, Any]) -> Json:
        """What server-side apply over everybody's fields would make of an object, or make anew."""
        params = {"fieldManager": FIELD_MANAGER, "force": "true", "dryRun": "All"}
        would: Json = self._ask("PATCH", path, params, body, _APPLY)
        return would

    def create(self, path: str, body: Json) -> Json:
        """Make an object; its whole text as the server keeps it."""
        made: Json = self._ask("POST", path, {"fieldManager": FIELD_MANAGER}, body)
        return made

    def delete(self, path: str, uid: str, *, and_dependents: bool = False) -> None:
        """Remove this very object, as gently as it asks for; fine where it is gone.

        What it made goes too where its kind has it so, or with `and_dependents`.
        """
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": uid},
            **({"propagationPolicy": "Background"} if and_dependents else {}),
        }
        try:
            self._ask("DELETE", path, {}, body)
        except NotFound:
            return
        except Refused as error:
            if error.reason != "Conflict":  # it is another one by now
                raise

    def text(self, path: str, **params: Any) -> str:
        """What is no JSON, such as a log."""
        return self._content("GET", path, params).decode("utf-8", "replace")

    def through(self, path: str, timeout_s: float) -> tuple[int, str | None]:
        """The status of what is behind a proxy path; and what the server said, if itself it did."""
        status, content = self._transport().begin(path, timeout_s)
        if status < 400:
            return status, None
        if status == 429 and content.strip() == _TOO_MANY:
            return status, _TOO_MANY.decode()
        try:
            told = json.loads(content)
            if told["kind"] == "Status" and told["apiVersion"] == "v1":
                return status, str(told["message"])
        except (ValueError, KeyError, TypeError):
            pass  # it is an application's
        return status, None

    def follow(self, path: str, silent_s: float, accept: str = _JSON, **params: Any) -> Told:
        """An answer that goes on for as long as there is something to tell, such as a watch.

        Who says nothing for `silent_s` is taken for gone.
        """
        told = self._transport().follow(f"{path}?{urlencode(params)}", accept, silent_s)
        if told.status < 400:
            return told
        try:
            content = b"\n".join(told.lines())
        finally:
            told.close()
        raise self._refused(told.status, content, "GET", path)

    def reachable(self) -> bool:
        """Whether the cluster answers now."""
        try:
            self._ask("GET", "/version", {})
        except (PlatformUnreachable, PlatformError):
            return False
        return True

    def nodes(self) -> tuple[Json, ...]:
        """What decides where pods run, of each node that says its platform; asked for once.

        Empty where they may not be read.
        """
        with self._lock:
            if self._nodes is not None:
                return self._nodes
        try:
            told = [_of_placement(node) for node in self.listed("/api/v1/nodes")]
        except PlatformError:
            told = []
        self._nodes = tuple(node for node in told if all(platform_of(node)))
        return self._nodes

    def version(self) -> str:
        """Which version it is, such as `v1.34.4`; asked once."""
        with self._lock:
            if self._version is not None:
                return self._version
        found = self._version = str(self.get("/version").get("gitVersion"))
        return found

    def own_platform(self) -> tuple[str, str]:
        """The API server's own, in the words of image indexes."""
        system, _, machine = str(self.get("/version").get("platform")).partition("/")
        return system, machine

    def describe(self) -> str:
        """Which version it is, and where."""
        version = self.get("/version")
        return f"Kubernetes {version.get('gitVersion')} at {self._transport().server}"

    def _ask(
        self, method: str, path: str, params: Mapping[str, Any], *sent: Any, accept: str = _JSON
    ) -> Any:
        content = self._content(method, path, params, *sent, accept=accept)
        try:
            return json.loads(content)
        except ValueError as error:
            fact = f"cluster {self.name}: the answer to {path} is no JSON; is it Kubernetes?"
            raise PlatformError(fact) from error

    def _content(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        body: Any = None,
        content_type: str = _JSON,
        *,
        accept: str = _JSON,
    ) -> bytes:
        target = f"{path}?{urlencode(params)}" if params else path
        sent = None if body is None else json.dumps(body).encode()
        transport = self._transport()
        status, content = transport.ask(method, target, sent, content_type, accept, self._answer_s)
        if status >= 400:
            raise self._refused(status, content, method, path)
        return content

    def _transport(self) -> Transport:
        with self._lock:
            if self._opened is None:
                self._opened = self.access.open(self.name)
            return self._opened

    def _refused(
        self, status: int, content: bytes, method: str, path: str
    ) -> PlatformError | PlatformUnreachable:
        try:
            told = json.loads(content)
            message, reason = str(told["message"]), str(told.get("reason", ""))
        except (ValueError, KeyError, TypeError):
            message = content.decode("utf-8", "replace").strip()[:300] or f"status {status}"
            reason = ""
        where = f"cluster {self.name}"
        if status == 404:
            return NotFound(f"{where}: {message}", status)
        if status == 401:
            fact = f"{where}: does not know us ({message}): look at the user of its kubeconfig"
            return PlatformUnreachable(fact)  # a token ends, and there is another before long
        if status in _AGAIN and _UNTYPED not in message:
            return AskedToWait(f"{where}: {method} {path}: {status} {message}")
        return Refused(f"{where}: {message}", status, reason)


def _of_placement(node: Json) -> Json:
    meta, told = node["metadata"], node["status"].get("nodeInfo") or {}
    kept = {key: told.get(key, "") for key in ("operatingSystem", "architecture")}
    return {
        "metadata": {"name": meta["name"], "labels": meta.get("labels") or {}},
        "spec": {"taints": node["spec"].get("taints") or []},
        "status": {"nodeInfo": kept},
    }
