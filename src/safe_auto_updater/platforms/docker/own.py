"""The container that this program itself runs in: may it hand over to a new one?

It cannot stop itself and then start another. So the new one runs beside it until it is well; then
the old one gives way as its last act. Whoever of the two acts next finds the rest in the journal,
which both must have.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from safe_auto_updater.core.errors import NotFound
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.exclusive import (
    DEFAULT_BRIDGE,
    KEEPS_MAC,
    WRITES,
    exclusive_in,
)
from safe_auto_updater.platforms.docker.self_id import OwnId

Json = Mapping[str, Any]


def is_here(engine: DockerEngine, own: Own) -> bool:
    """Whether an engine runs on this machine: its paths are ours. One that is not sure is not."""
    to = urlsplit(engine.host)
    if own.id is None:  # what is near may be a tunnel to somewhere else
        near = to.scheme == "unix" or to.hostname in ("localhost", "127.0.0.1", "::1")
        return near and bool(engine.get("/info").get("Name") == socket.gethostname())
    if to.scheme != "tcp":
        return to.scheme == "unix"
    try:
        engine.get(f"/containers/{own.id.id}/json")
    except NotFound:
        return False
    return True


@dataclass(frozen=True)
class Own:
    """Which container this is, None outside of one, and where the state folder is in it.

    `leaving` is told right before an engine is asked to stop it.
    """

    id: OwnId | None
    state: Path
    leaving: Callable[[], None] = lambda: None

    def is_it(self, container: Json) -> bool:
        """Whether this program runs in that container."""
        return self.id is not None and str(container["Id"]).startswith(self.id.id)

    def hindrances(self, container: Json) -> tuple[str, ...]:
        """Why this container cannot hand over to another one like it, one reason each."""
        return tuple(self._found(container))

    def _found(self, container: Json) -> Iterator[str]:
        holders = [
            str(mount["Destination"])
            for mount in container.get("Mounts") or ()
            if mount["Type"] != "tmpfs"
            and PurePosixPath(self.state).is_relative_to(str(mount["Destination"]))
        ]
        if not holders:
            yield f"its state folder {self.state} is on no volume"
        allowed = {DEFAULT_BRIDGE, *(f"{WRITES} {path}" for path in holders)}
        for why in exclusive_in(container):
            # An address that nobody may have chosen is shared for as long as both run: whoever
            # was in touch over that network asks again.
            if why not in allowed and not why.startswith(KEEPS_MAC):
                yield why
