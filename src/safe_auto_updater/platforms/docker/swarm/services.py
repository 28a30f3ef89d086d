"""Services of one Swarm, asked of one of its managers: small acts on what was looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from safe_auto_updater.core.errors import (
    NotFound,
    PlatformError,
    PlatformUnreachable,
    RegistryError,
)
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.images import PullHeaders

Json = dict[str, Any]
_NO_ANSWER = ("does not have a leader", "context deadline exceeded", "code = Unavailable")


class OutOfSequence(PlatformError):
    """Somebody changed the service between our look and our word."""


class Services:
    """The service verbs of one manager. A Swarm without a leader does not answer."""

    def __init__(self, engine: DockerEngine, pull_headers: PullHeaders) -> None:
        self.engine = engine
        self._pull_headers = pull_headers

    def reachable(self) -> bool:
        """Whether this engine answers, as a manager of a Swarm that has a leader."""
        try:
            with self._answering():
                self.engine.get("/services", filters=json.dumps({"id": ["none"]}))
        except (PlatformUnreachable, PlatformError):
            return False
        return True

    def listed(self) -> Sequence[Json]:
        """Every service of the Swarm."""
        with self._answering():
            found: Sequence[Json] = self.engine.get("/services")
        return found

    def find(self, name: str) -> Json | None:
        """A service by its exact name or whole ID, or None."""
        try:
            with self._answering():
                found: Json = self.engine.get(f"/services/{name}")
        except NotFound:
            return None
        return found if name in (found["ID"], found["Spec"]["Name"]) else None

    def tasks(self, service: str | None = None) -> Sequence[Json]:
        """The tasks of one service by its ID, or of all: those to run, and the last ended."""
        filters = {} if service is None else {"service": [service]}
        with self._answering():
            found: Sequence[Json] = self.engine.get("/tasks", filters=json.dumps(filters))
        return found

    def update(self, service: Json, spec: Json) -> None:
        """Give a service a new spec. OutOfSequence where it is no longer as it was looked at."""
        self._change(service, spec, "none")

    def go_back(self, service: Json) -> None:
        """Have the engine take the last update back. OutOfSequence as `update`."""
        self._change(service, service["Spec"], "previous")

    def resolvable(self, reference: str) -> str | None:
        """None where the manager finds this image at its registry, else why not."""
        headers = self._pull_headers(Reference.parse(reference).host)
        try:
            self.engine.get(f"/distribution/{reference}/json", headers=headers)
        except PlatformError as error:
            return str(error)
        return None

    def log(self, task: str, lines: int = 10) -> list[str]:
        """The end of what a task said."""
        text = self.engine.text(
            f"/tasks/{task}/logs", stdout="true", stderr="true", tail=str(lines)
        )
        return text.splitlines()[-lines:]

    def _change(self, service: Json, spec: Json, rollback: str) -> None:
        headers = self._headers(spec["TaskTemplate"]["ContainerSpec"]["Image"])
        path, version = f"/services/{service['ID']}/update", str(service["Version"]["Index"])
        try:
            with self._answering():
                self.engine.post(path, spec, headers=headers, version=version, rollback=rollback)
        except PlatformError as error:
            if "out of sequence" in str(error):
                raise OutOfSequence(str(error), error.status) from error
            raise

    def _headers(self, image: str) -> Mapping[str, str]:
        """What nodes sign in with. Without one those that have the image go on all the same."""
        try:
            return self._pull_headers(Reference.parse(image).host)
        except RegistryError:
            return {}

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """An engine that is no manager now, or has no leader, has nothing to say: no failure."""
        try:
            yield
        except PlatformError as error:
            if error.status == 503 or any(words in str(error) for words in _NO_ANSWER):
                fact = f"the Swarm does not answer through {self.engine.name}: {error}"
                raise PlatformUnreachable(fact) from error
            raise
