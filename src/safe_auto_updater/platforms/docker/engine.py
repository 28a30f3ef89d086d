"""The Docker Engine API, raw: JSON in, JSON out, and what can go wrong on the way translated once.

What an answer means is in `answers.py`. Source: Docker Engine API 1.41 to 1.56.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.platforms.docker.answers import (
    CHANGING,
    decoded,
    demultiplexed,
    message_of,
    refusal,
)
from safe_auto_updater.platforms.docker.api_version import negotiated, spelled
from safe_auto_updater.platforms.docker.connections import Connections, Reply
from safe_auto_updater.platforms.docker.dialling import Endpoint, Tls

Json = dict[str, Any]
ANSWER_S = 60.0
FIRST_WORD_S = 30.0  # of an engine that took our connection: a machine under load is slow
STREAM_S = 1800.0  # a whole stream, however steadily it trickles
RETRY_S = (0.1, 0.3, 1.0)


@dataclass(frozen=True)
class _Connection:
    """Connections, what the engine said of itself, and the API version to speak with it."""

    to: Connections
    version: Json
    api: tuple[int, int]


@dataclass(frozen=True)
class Told:
    """An answer that goes on: `messages` are read as they come."""

    _reply: Reply
    messages: Iterator[Json]

    def end(self) -> None:
        """Have `messages` end, from another thread."""
        self._reply.end()

    def close(self) -> None:
        """Free what it holds."""
        self._reply.close()


class DockerEngine:
    """One engine. Raises PlatformUnreachable (no answer), NotFound, PlatformError (it said no).

    Thread-safe.
    """

    def __init__(self, host: str, name: str = "local", tls: Tls | None = None) -> None:
        self.name = name
        self.host = host
        self._endpoint = Endpoint(host, tls)
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._refusals, self._refusal = 0, ""  # how often nobody answered, and the last reason

    def get(self, path: str, headers: Mapping[str, str] | None = None, **params: Any) -> Any:
        """The JSON that the engine answers. What it asks us to ask again is asked again."""
        for pause_s in RETRY_S:
            try:
                return self._json("GET", path, params=params, headers=headers)
            except PlatformError as error:
                if CHANGING not in str(error):
                    raise
                time.sleep(pause_s)
        return self._json("GET", path, params=params, headers=headers)

    def get_as(self, newest: tuple[int, int], path: str) -> Any:
        """What the engine answers to a client that knows no newer API than this.

        PlatformError where the engine no longer speaks to such clients.
        """
        return self._json("GET", path, api=min(newest, self.api()))

    def api(self) -> tuple[int, int]:
        """The API version that is spoken with this engine."""
        return self._connected().api

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        timeout_s: float = ANSWER_S,
        headers: Mapping[str, str] | None = None,
        **params: Any,
    ) -> Any:
        """Ask the engine to do something; its JSON answer, or None where it has none."""
        return self._json("POST", path, params=params, body=body, headers=headers, wait_s=timeout_s)

    def delete(self, path: str, **params: Any) -> Any:
        """Ask the engine to remove something."""
        return self._json("DELETE", path, params=params)

    def ask(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> None:
        """Any question; only whether it is refused matters."""
        self._content(method, path, params=params, body=body)

    def stream(self, path: str, headers: Mapping[str, str], **params: Any) -> Iterator[Json]:
        """A POST that answers with a stream of JSON messages, such as a pull.

        PlatformError where the stream needs longer than STREAM_S in all.
        """
        until = time.monotonic() + STREAM_S
        reply = self._ask("POST", path, params=params, headers=headers)
        try:
            for message in self._messages(reply, path):
                if time.monotonic() > until:
                    text = f"no end within {STREAM_S / 60:g} min; look at the network and try again"
                    raise PlatformError(f"{self.host}: {path}: {text}")
                yield message
        finally:
            reply.close()

    def follow(self, path: str, silent_s: float, **params: Any) -> Told:
        """A GET whose answer goes on for as long as there is something to tell.

        Who says nothing for `silent_s` is taken for gone.
        """
        reply = self._ask("GET", path, params=params, wait_s=silent_s)
        return Told(reply, self._messages(reply, path))

    def text(self, path: str, **params: Any) -> str:
        """The raw text that the engine answers (multiplexed logs are split into lines)."""
        return demultiplexed(self._content("GET", path, params=params))

    def read(self, path: str, body: Mapping[str, Any], silent_s: float) -> str:
        """POST, and the raw text that comes back (the output of a command in a container).

        It may say nothing for `silent_s`.
        """
        return demultiplexed(self._content("POST", path, body=body, wait_s=silent_s))

    def content(self, path: str, /, **params: Any) -> bytes:
        """The bytes that the engine answers, such as an archive."""
        return self._content("GET", path, params=params)

    def header(self, path: str, name: str, /, **params: Any) -> str:
        """One header of the answer to HEAD."""
        reply = self._ask("HEAD", path, params=params)
        with self._answering():
            reply.read()
        return reply.header(name)

    def put_archive(self, path: str, archive: bytes, /, **params: Any) -> None:
        """Hand the engine a tar archive."""
        headers = {"Content-Type": "application/x-tar"}
        self._content("PUT", path, params=params, headers=headers, archive=archive)

    @property
    def may_be_a_proxy(self) -> bool:
        """Whether what listens at this address is likely to let only some questions through."""
        return self.host.startswith("tcp://")

    @property
    def peer(self) -> tuple[str, int] | None:
        """Address and port that answers us by TCP; None before the first answer, or without TCP."""
        connection = self._connection
        return None if connection is None else connection.to.peer

    def reachable(self) -> bool:
        """Whether the engine answers now."""
        try:
            self.get("/info")
        except (PlatformUnreachable, PlatformError):  # an engine that just starts may say 500
            return False
        return True

    def platform(self) -> tuple[str, str]:
        """Operating system and architecture, in the words of image indexes."""
        version = self._connected().version
        if not (version.get("Os") and version.get("Arch")):
            raise PlatformError(f"{self.host}: the engine does not say its platform; is it Docker?")
        return str(version["Os"]), str(version["Arch"])

    def describe(self) -> str:
        """Which engine this is and which API version is spoken with it."""
        connection = self._connected()
        return f"engine {connection.version.get('Version')}, API {spelled(connection.api)}"

    def _json(self, method: str, path: str, **arguments: Any) -> Any:
        content = self._content(method, path, **arguments)
        return decoded(content, self.host, path) if content else None

    def _content(self, method: str, path: str, **arguments: Any) -> bytes:
        reply = self._ask(method, path, **arguments)
        with self._answering():
            return reply.read()

    def _messages(self, reply: Reply, path: str) -> Iterator[Json]:
        """What an answer says, message by message, as it comes."""
        try:
            for line in reply.lines():
                if line.strip():
                    yield message_of(line, self.host, path)
        except (OSError, http.client.HTTPException) as error:
            raise PlatformUnreachable(f"{self.host}: the answer broke off: {error}") from error

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        wait_s: float = ANSWER_S,
        api: tuple[int, int] | None = None,
        archive: bytes | None = None,
    ) -> Reply:
        """An answer that is no refusal; its body is still to come."""
        connection = self._connected()
        target = f"/v{spelled(api or connection.api)}{quote(path, safe='/:@')}"
        if params:
            target += f"?{urlencode(params)}"
        sent = dict(headers or {})
        content = archive
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        with self._answering():
            reply = connection.to.ask(method, target, sent, content, wait_s)
            if reply.status >= 400:
                raise refusal(reply, self.host, method, path)
        return reply

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """What a connection can do to us, translated here and nowhere else."""
        try:
            yield
        except (OSError, http.client.HTTPException) as error:
            if not isinstance(error, TimeoutError):  # a slow answer is no lost engine
                self._forget()
            raise PlatformUnreachable(
                f"the Docker engine at {self.host} does not answer: {error}. "
                f"{self._endpoint.remedy}"
            ) from error

    def close(self) -> None:
        """Hang up: over ssh each connection that is kept is a child process."""
        self._forget()

    def _forget(self) -> None:
        """Begin anew with the next question: another engine may answer it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.to.close()  # who still asks through it keeps what is in use

    def _connected(self) -> _Connection:
        before = self._refusals
        with self._lock:
            connection = self._connection
            if connection is None:
                if self._refusals != before:  # another thread has tried while this one waited
                    raise PlatformUnreachable(self._refusal)
                try:
                    connection = self._connection = self._connect()
                except PlatformUnreachable as error:
                    self._refusals, self._refusal = before + 1, str(error)
                    raise
            return connection

    def _connect(self) -> _Connection:
        to = Connections(self._endpoint)
        with self._answering():
            reply = to.ask("GET", "/version", {}, None, FIRST_WORD_S)
            if reply.status >= 500:
                error = refusal(reply, self.host, "GET", "/version")
                raise PlatformUnreachable(f"{self.host}: the engine is not ready: {error}")
            if reply.status >= 400:
                fact = str(refusal(reply, self.host, "GET", "/version"))
                remedy = "; set ca_file, cert_file and key_file" * ("HTTPS server" in fact)
                raise PlatformError(f"{self.host}: {fact}{remedy}")
            content = reply.read()
        version = decoded(content, self.host, "/version")
        if not isinstance(version, dict):
            raise PlatformError(f"{self.host}: /version answers {version!r:.80}; is it Docker?")
        return _Connection(to, version, negotiated(version))
