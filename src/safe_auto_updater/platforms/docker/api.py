"""Every question that is ever put to an engine: data, for socket proxies that allow only these.

`docs/socket-proxy.md` tells them, and tests hold document, table and program together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.platforms.docker.engine import DockerEngine

NOBODY = "0" * 64  # nothing has this ID: to ask about it shows who answers, and does nothing
REFUSALS = (401, 403, 405)


class For(StrEnum):
    """What a question is needed for."""

    LOOK = "looking"  # scan, check, diff, plan, doctor
    ACT = "updating"  # apply, rollback, recover
    COMMAND = "commands"  # health checks `command`, and hooks
    FILE = "files"  # configs and secrets that Compose put into a container
    SERVICE = "services"  # those of a Swarm, on its managers
    WATCH = "watching"  # what the service hears between cycles, where `detection.watch` is on


@dataclass(frozen=True)
class Question:
    """One endpoint. `params` and `body` are such that asking about nobody is harmless."""

    method: str
    path: str
    what_for: For
    why: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    @property
    def pattern(self) -> str:
        """A regular expression for its path, without the API version."""
        return re.sub(r"\\\{name\\\}", ".+", re.sub(r"\\\{id\\\}", "[^/]+", re.escape(self.path)))


_GONE = {"Container": NOBODY}
QUESTIONS = (
    Question("GET", "/version", For.LOOK, "which API it speaks, and its platform"),
    Question("GET", "/containers/json", For.LOOK, "which containers there are"),
    Question("GET", "/containers/{id}/json", For.LOOK, "all about one container"),
    Question("GET", "/images/json", For.LOOK, "which images there are"),
    Question("GET", "/images/{name}/json", For.LOOK, "all about one image"),
    Question("GET", "/info", For.LOOK, "whether it manages a Swarm, and is back after it was away"),
    Question(
        "POST",
        "/images/create",
        For.ACT,
        "pull the new image",
        {"fromImage": "NOT/A/REFERENCE", "tag": "0"},
    ),
    Question(
        "POST",
        "/images/{name}/tag",
        For.ACT,
        "let the tag point to the new image, and back",
        {"repo": "nobody", "tag": "0"},
    ),
    Question("DELETE", "/images/{name}", For.ACT, "remove images that are no longer kept"),
    Question(
        "POST",
        "/containers/create",
        For.ACT,
        "make the new container",
        body={"Image": f"sha256:{NOBODY}"},
    ),
    Question("POST", "/containers/{id}/start", For.ACT, "start it, or the old one again"),
    Question("POST", "/containers/{id}/stop", For.ACT, "stop the old one"),
    Question(
        "POST", "/containers/{id}/rename", For.ACT, "give the name over", {"name": "sau-nobody"}
    ),
    Question(
        "POST",
        "/containers/{id}/update",
        For.ACT,
        "set the restart policy aside, and back",
        body={"RestartPolicy": {"Name": "no"}},
    ),
    Question("DELETE", "/containers/{id}", For.ACT, "remove what is over"),
    Question(
        "GET",
        "/containers/{id}/logs",
        For.ACT,
        "the last words of a container that failed",
        {"stdout": "true", "tail": "1"},
    ),
    Question("POST", "/networks/{id}/connect", For.ACT, "join its networks", body=_GONE),
    Question(
        "POST", "/networks/{id}/disconnect", For.ACT, "leave one it must not be in", body=_GONE
    ),
    Question(
        "POST", "/containers/{id}/exec", For.COMMAND, "prepare a command", body={"Cmd": ["true"]}
    ),
    Question("POST", "/exec/{id}/start", For.COMMAND, "run it", body={"Detach": False}),
    Question("GET", "/exec/{id}/json", For.COMMAND, "its exit code"),
    Question("GET", "/containers/{id}/changes", For.FILE, "which files it has beside its image"),
    Question(
        "HEAD", "/containers/{id}/archive", For.FILE, "whether such a file is there", {"path": "/"}
    ),
    Question("GET", "/containers/{id}/archive", For.FILE, "read it in the old", {"path": "/"}),
    Question("PUT", "/containers/{id}/archive", For.FILE, "write it in the new", {"path": "/"}),
    Question("GET", "/services", For.SERVICE, "which services there are"),
    Question("GET", "/services/{id}", For.SERVICE, "all about one service"),
    Question("GET", "/tasks", For.SERVICE, "how its tasks are"),
    Question(
        "GET",
        "/tasks/{id}/logs",
        For.SERVICE,
        "the last words of a task that failed",
        {"stdout": "true", "tail": "1"},
    ),
    Question("GET", "/distribution/{name}/json", For.SERVICE, "whether a manager finds the image"),
    Question(
        "POST",
        "/services/{id}/update",
        For.SERVICE,
        "its rolling update, and the way back",
        {"version": "0"},
        {"Name": "nobody"},
    ),
    Question(
        "GET", "/events", For.WATCH, "what changes, as it happens", {"since": "0", "until": "1"}
    ),
)


def refused(engine: DockerEngine, what_for: Iterable[For]) -> list[str]:
    """Which questions somebody between us and the engine does not let through, as sentences.

    Each is asked about what does not exist, so nothing is done. Raises PlatformUnreachable.
    """
    wanted = set(what_for)
    found = []
    for question in QUESTIONS:
        if question.what_for not in wanted:
            continue
        path = question.path.replace("{id}", NOBODY).replace("{name}", f"sha256:{NOBODY}")
        try:
            engine.ask(question.method, path, question.params, question.body)
        except PlatformError as error:
            if error.status in REFUSALS:
                found.append(str(error))
    return found


def manages_services(engine: DockerEngine) -> bool:
    """Whether the engine is a manager of a Swarm, as far as it may be asked."""
    try:
        swarm = engine.get("/info").get("Swarm") or {}
    except PlatformError:
        return False
    return bool(swarm.get("ControlAvailable"))
