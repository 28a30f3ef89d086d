"""The Docker Engine API, raw: JSON in, JSON out, and its library's errors translated once.

docker-py brings transport, TLS, ssh and credentials; nothing of its object model is used, because
it drops fields it does not know.
Source: Docker Engine API 1.41 to 1.51.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from docker import APIClient
from docker.errors import DockerException

from safe_auto_updater.core.errors import NotFound, PlatformError, PlatformUnreachable

Json = dict[str, Any]
NEWEST_KNOWN = (1, 51)
ANSWER_S = 60.0
CONNECT_S = 10.0
STREAM_S = 1800.0  # a whole stream, however steadily it trickles


@dataclass(frozen=True)
class _Connection:
    """A client, what the engine said of itself, and the API version to speak with it."""

    client: APIClient
    version: Json
    api: str


class DockerEngine:
    """One engine. Raises PlatformUnreachable (no answer), NotFound, PlatformError (it said no).

    Thread-safe.
    """

    def __init__(self, host: str, name: str = "local") -> None:
        self.name = name
        self.host = host
        self._lock = threading.Lock()
        self._connection: _Connection | None = None

    def get(self, path: str, **params: Any) -> Any:
        """The JSON that the engine answers."""
        return self._json("GET", path, params=params)

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        timeout_s: float = ANSWER_S,
        **params: Any,
    ) -> Any:
        """Ask the engine to do something; its JSON answer, or None where it has none."""
        return self._json("POST", path, params=params, json=body, timeout=(CONNECT_S, timeout_s))

    def delete(self, path: str, **params: Any) -> Any:
        """Ask the engine to remove something."""
        return self._json("DELETE", path, params=params)

    def stream(self, path: str, headers: Mapping[str, str], **params: Any) -> Iterator[Json]:
        """A POST that answers with a stream of JSON messages, such as a pull.

        PlatformError where the stream needs longer than STREAM_S in all.
        """
        until = time.monotonic() + STREAM_S
        response = self._ask("POST", path, params=params, headers=headers, stream=True)
        try:
            for line in response.iter_lines():
                if time.monotonic() > until:
                    text = f"no end within {STREAM_S / 60:g} min; look at the network and try again"
                    raise PlatformError(f"{self.host}: {path}: {text}")
                if line.strip():
                    yield self._message(line, path)
        except (requests.RequestException, OSError) as error:
            raise PlatformUnreachable(f"{self.host}: the answer broke off: {error}") from error
        finally:
            response.close()

    def text(self, path: str, **params: Any) -> str:
        """The raw text that the engine answers (multiplexed logs are split into lines)."""
        return demultiplexed(self._ask("GET", path, params=params).content)

    def read(self, path: str, body: Mapping[str, Any]) -> str:
        """POST, and the raw text that comes back (the output of a command in a container)."""
        return demultiplexed(self._ask("POST", path, json=body).content)

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
        return f"engine {connection.version.get('Version')}, API {connection.api}"

    def _json(self, method: str, path: str, **arguments: Any) -> Any:
        response = self._ask(method, path, **arguments)
        if not response.content:
            return None
        return self._decoded(response, path)

    def _decoded(self, response: requests.Response, path: str) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise PlatformError(f"{self.host}: the answer to {path} is no JSON: {error}") from error

    def _message(self, line: bytes, path: str) -> Json:
        try:
            message = json.loads(line)
        except ValueError as error:
            raise PlatformError(f"{self.host}: the answer to {path} is damaged: {error}") from error
        if not isinstance(message, dict):
            raise PlatformError(f"{self.host}: the answer to {path} is damaged: {message!r:.80}")
        return message

    def _ask(self, method: str, path: str, **arguments: Any) -> requests.Response:
        arguments.setdefault("timeout", (CONNECT_S, ANSWER_S))
        connection = self._connected()
        client = connection.client
        url = f"{client.base_url}/v{connection.api}{quote(path, safe='/:@')}"
        with self._answering():
            response = client.request(method, url, **arguments)
        if response.status_code >= 400:
            raise self._refused(response, path)
        return response

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """The library's root exceptions, translated here and nowhere else."""
        try:
            yield
        except (requests.RequestException, OSError, DockerException) as error:
            if not isinstance(error, requests.ReadTimeout):  # a slow answer is no lost engine
                self._connection = None  # who still asks through it keeps it
            raise PlatformUnreachable(
                f"the Docker engine at {self.host} does not answer: {error}. Is it running, and "
                "may this user open its socket?"
            ) from error

    def _connected(self) -> _Connection:
        with self._lock:
            connection = self._connection
            if connection is None:
                connection = self._connection = self._connect()
            return connection

    def _connect(self) -> _Connection:
        with self._answering():
            client = APIClient(base_url=self.host, version="1.41", timeout=int(ANSWER_S))
            response = client.get(f"{client.base_url}/version", timeout=CONNECT_S)
        if response.status_code >= 500:
            error = self._refused(response, "/version")
            raise PlatformUnreachable(f"{self.host}: the engine is not ready: {error}") from error
        if response.status_code >= 400:
            raise self._refused(response, "/version")
        version = self._decoded(response, "/version")
        if not isinstance(version, dict):
            raise PlatformError(f"{self.host}: /version answers {version!r:.80}; is it Docker?")
        return _Connection(client, version, negotiated(version))

    def _refused(self, response: requests.Response, path: str) -> PlatformError:
        try:
            message = str(response.json()["message"])
        except (ValueError, KeyError, TypeError):
            message = response.text.strip()[:500] or response.reason
        kind = NotFound if response.status_code == 404 else PlatformError
        return kind(f"{message} ({path})", response.status_code)


def negotiated(version: Mapping[str, Any]) -> str:
    """The API version to speak: the newest that both know, never below the engine's minimum.

    PlatformError where there is none.
    """

    def numbers(key: str, default: str) -> tuple[int, int]:
        text = str(version.get(key) or default)
        major, _, minor = text.partition(".")
        try:
            return int(major), int(minor or 0)
        except ValueError as error:
            raise PlatformError(f"the engine's {key} {text!r:.40} is no API version") from error

    newest, oldest = numbers("ApiVersion", "1.41"), numbers("MinAPIVersion", "1.12")
    chosen = min(newest, NEWEST_KNOWN)
    if chosen < (1, 41) or chosen < oldest:
        raise PlatformError(
            f"the engine speaks API {oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}; this "
            f"program needs one of 1.41 to {NEWEST_KNOWN[0]}.{NEWEST_KNOWN[1]}"
        )
    return f"{chosen[0]}.{chosen[1]}"


def demultiplexed(raw: bytes) -> str:
    """Text of a stream that may carry the engine's 8-byte frame headers (no-TTY containers)."""
    parts, at = [], 0
    while len(raw) - at >= 8 and raw[at] in (0, 1, 2) and raw[at + 1 : at + 4] == b"\0\0\0":
        size = int.from_bytes(raw[at + 4 : at + 8], "big")
        parts.append(raw[at + 8 : at + 8 + size])
        at += 8 + size
    return (b"".join(parts) or raw).decode("utf-8", "replace")
