"""Files that Compose copied into a container before it started it: they go along to the next one.

`configs` with `content` or `environment` and secrets from the environment have no mount and no
label; Compose sends an archive before each start. Its files are where the project's model says.
Where that cannot be asked, or is not what runs, they are known by their time: an archive has whole
seconds, which what a process writes has not, and Compose's is not older than the container.
Source: docker/compose, pkg/compose/secrets.go.
"""

from __future__ import annotations

import base64
import io
import json
import math
import posixpath
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from safe_auto_updater.core.errors import NotFound, PlatformError, StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.platforms.docker.compose.command import ComposeCommand
from safe_auto_updater.platforms.docker.compose.errors import Unclear
from safe_auto_updater.platforms.docker.compose.hashes import assert_as_labelled
from safe_auto_updater.platforms.docker.compose.labels import compose_service
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.state import instant

Json = Mapping[str, Any]
MOST_LOOKED_AT, MOST_BYTES = 2000, 1 << 22
_DELETED = 2
_NO_FILE = 0x8F280000  # Go's file modes: a folder, a link, a device, a pipe, a socket
_STAT = "X-Docker-Container-Path-Stat"


def carry_over(engine: DockerEngine, command: ComposeCommand, old: Json, new: Json) -> list[str]:
    """Copy what Compose put into the old container to the new one, which has not run yet.

    Returns the paths. StepFailed where it cannot be: the new one would start without them.
    """
    if compose_service(old) is None or new["State"]["Running"]:
        return []
    try:
        paths = put_in(engine, command, old)
        for path in paths:
            _copy(engine, old, new, path)
    except (PlatformError, tarfile.TarError) as error:
        fact = f"what Compose copied into the container cannot be carried over: {error}"
        raise StepFailed(fact, Cause.PLATFORM) from error
    return paths


def targets(model: Json, service: str) -> set[str]:
    """The paths that Compose writes into a service's containers, by the model of its project. Pure.

    Those with a `file` are mounted, and follow without our doing.
    """
    one, found = (model.get("services") or {}).get(service) or {}, set()
    for kind, folder in (("configs", "/"), ("secrets", "/run/secrets")):
        for entry in one.get(kind) or ():
            source = (model.get(kind) or {}).get(entry.get("source")) or {}
            if source.get("content") or source.get("environment"):
                target = entry.get("target") or entry["source"]
                found.add(posixpath.normpath(posixpath.join(folder, target)))
    return found


def put_in(engine: DockerEngine, command: ComposeCommand, old: Json) -> list[str]:
    """The paths in a container that Compose copied there. Raises PlatformError."""
    if compose_service(old) is None:
        return []
    changed = engine.get(f"/containers/{old['Id']}/changes") or []
    paths = {str(one["Path"]) for one in changed if one["Kind"] != _DELETED}
    paths -= {posixpath.dirname(path) for path in paths}  # what has something below it is a folder
    named, unclear = _named(command, old) if paths else (set(), None)
    found, others = sorted(paths & named), sorted(paths - named)
    found += _behind_links(engine, old, named - paths, paths)
    if unclear is None:
        return found
    if len(others) > MOST_LOOKED_AT:
        raise PlatformError(
            f"{len(others)} files were written in it, and which of them Compose copied there "
            f"cannot be told: {unclear}"
        )
    return found + [path for path in others if _by_archive(engine, old, path)]


def _named(command: ComposeCommand, old: Json) -> tuple[set[str], str | None]:
    """What the project's files name, and why that may not be all."""
    service, named = compose_service(old), set[str]()
    assert service is not None
    try:
        model = command.model(service)
        named = targets(model, service.service)
        assert_as_labelled(command, service, model, old)
    except Unclear as error:
        return named, str(error)
    return named, None


def _behind_links(engine: DockerEngine, old: Json, named: set[str], changed: set[str]) -> list[str]:
    """Files that are named by a way through a link, such as `/var/run`, and changed behind it."""
    there = {posixpath.basename(path) for path in changed}
    within = [PurePosixPath(mount["Destination"]) for mount in old.get("Mounts") or ()]
    return [
        path
        for path in sorted(named)
        if posixpath.basename(path) in there
        and not any(PurePosixPath(path).is_relative_to(mount) for mount in within)
        and (stat := _stat(engine, old, path)) is not None
        and not stat["mode"] & _NO_FILE
    ]


def _by_archive(engine: DockerEngine, old: Json, path: str) -> bool:
    """Whether a file came in an archive between the making and the last start of its container."""
    stat = _stat(engine, old, path)
    if stat is None:
        return False
    at, made = instant(stat["mtime"]), instant(old["Created"])
    started = instant(old["State"]["StartedAt"])
    if stat["mode"] & _NO_FILE or at is None or made is None or stat["size"] > MOST_BYTES:
        return False
    # Go rounds to the nearest second when it writes an archive.
    return at == int(at) and made - 1 <= at <= (started or made) + 1


def _stat(engine: DockerEngine, container: Json, path: str) -> Json | None:
    """What a path is; None where it is gone, or below a mount."""
    try:
        told = engine.header(f"/containers/{container['Id']}/archive", _STAT, path=path)
    except NotFound:
        return None
    found: Json = json.loads(base64.b64decode(told))
    return found


def _copy(engine: DockerEngine, old: Json, new: Json, path: str) -> None:
    """One file with its mode and owner, read back to be sure; of this container's time.

    By that it is known again, when the new container is an old one.
    """
    ((entry, content),) = _files(engine, old, path)
    entry.mtime = math.ceil(instant(new["Created"]) or entry.mtime)
    engine.put_archive(f"/containers/{new['Id']}/archive", _archive(path, entry, content), path="/")
    ((copied, found),) = _files(engine, new, path)
    if (found, _kept(copied)) != (content, _kept(entry)):
        raise PlatformError(f"{path} is not what it was after it was copied")


def _kept(entry: tarfile.TarInfo) -> tuple[int, ...]:
    return entry.mode, entry.uid, entry.gid, int(entry.mtime)


def _files(
    engine: DockerEngine, container: Json, path: str
) -> Iterable[tuple[tarfile.TarInfo, bytes]]:
    content = engine.content(f"/containers/{container['Id']}/archive", path=path)
    found = list(_read(content))
    if len(found) != 1:
        raise PlatformError(f"{path} is no single file")
    return found


def _read(archive: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in tar:
            stream = tar.extractfile(entry) if entry.isfile() else None
            if stream is not None:
                yield entry, stream.read()


def _archive(path: str, entry: tarfile.TarInfo, content: bytes) -> bytes:
    told = tarfile.TarInfo(path.lstrip("/"))
    told.mode, told.uid, told.gid, told.mtime = _kept(entry)
    told.size = len(content)
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as tar:
        tar.addfile(told, io.BytesIO(content))
    return into.getvalue()
