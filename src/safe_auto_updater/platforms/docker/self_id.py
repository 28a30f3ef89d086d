"""Which container this very process runs in, if any."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path

# Files that Docker and Podman make for a container and mount into all that use its network.
_OWN_FILES = re.compile(
    r"/containers/(?:[a-z]+-containers/)?([0-9a-f]{64})/(?:userdata/)?"
    r"(?:hostname|hosts|resolv\.conf)\b"
)
_OWN_GROUP = re.compile(r"(?:/docker/|[/-](?:docker|libpod)-)([0-9a-f]{64})(?![0-9a-f])")
_SHORT = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class OwnId:
    """An ID of 64 digits or its first 12.

    Where it is not `sure`, it is that of the container whose network we use: ours, or another's.
    """

    id: str
    sure: bool


def own_container_id() -> OwnId | None:
    """Whose container we run in; None outside of one, or where nothing tells."""
    for file, read, sure in (
        ("cgroup", container_id_in_group, True),
        ("mountinfo", container_id_in, False),
    ):
        try:
            found = read(Path("/proc/self", file).read_text())
        except OSError:
            continue
        if found is not None:
            return OwnId(found, sure)
    inside = any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))
    short = short_id(socket.gethostname()) if inside else None
    return OwnId(short, False) if short is not None else None


def container_id_in(mountinfo: str) -> str | None:
    """The ID in the mounts that an engine makes for each network that containers use."""
    found = _OWN_FILES.search(mountinfo)
    return found[1] if found else None


def container_id_in_group(cgroup: str) -> str | None:
    """The ID in the name of the process's control group; the innermost, where they are nested."""
    found = _OWN_GROUP.findall(cgroup)
    return str(found[-1]) if found else None


def short_id(hostname: str) -> str | None:
    """The beginning of the ID, which an engine makes the host name where nobody gives another."""
    return hostname if _SHORT.fullmatch(hostname) else None
