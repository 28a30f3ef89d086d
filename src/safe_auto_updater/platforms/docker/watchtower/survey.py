"""Looking for Watchtower on one engine, for `sau doctor` and `sau config init`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.errors import NotFound, PlatformError, UsageError
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.watchtower.api import Done, WatchtowerApi
from safe_auto_updater.platforms.docker.watchtower.findings import (
    Found,
    of_labels,
    of_settings,
    watchtowers,
)
from safe_auto_updater.platforms.docker.watchtower.settings import WatchtowerSettings, settings_of

Json = Mapping[str, Any]
LOOK_S = 5.0


def survey(engine: DockerEngine, *, asked: bool, labels: bool) -> list[Found]:
    """Every Watchtower on the engine, and what of its labels we cannot follow.

    `asked`: it may replace containers for us. `labels`: its labels count here.
    """
    everyone = _everyone(engine)
    images = {image["Id"]: {"Config": image} for image in engine.get("/images/json")}
    found: list[Found] = []
    for theirs in watchtowers(everyone):
        found += of_settings(theirs, asked=asked, labels=labels)
    pairs = [(one, images.get(one["Image"], {})) for one in everyone]
    return found + list(of_labels(pairs, counted=labels))


def answering(api: WatchtowerApi) -> Found:
    """Whether the configured one answers and takes the token."""
    what = f"watchtower {api.url}"
    try:
        answer = api.idle(LOOK_S)
    except PlatformError as error:
        return what, False, str(error)
    said = f"answers: {answer.line.value}" if isinstance(answer, Done) else "answers: it is busy"
    return what, True, said


def running(engine: DockerEngine, name: str | None) -> WatchtowerSettings:
    """The Watchtower of this name, or the only one that runs; else UsageError."""
    if name is not None:
        try:
            return settings_of(engine.get(f"/containers/{name}/json"))
        except NotFound:
            raise UsageError(f"{name}: no container of this name on {engine.name}") from None
    found = watchtowers(_everyone(engine))
    if len(found) != 1:
        names = ", ".join(one.container for one in found)
        fact = f"several run: {names}; name one of them" if found else "none runs; name one"
        raise UsageError(f"no Watchtower to read on Docker host {engine.name}: {fact}")
    return found[0]


def _everyone(engine: DockerEngine) -> list[Json]:
    found: list[Json] = []
    for listed in engine.get("/containers/json", all="true"):
        try:
            found.append(engine.get(f"/containers/{listed['Id']}/json"))
        except NotFound:
            continue
    return found
