"""What this program itself lives on: its own container, the socket proxy it speaks through, and
whatever those two share something with. To stop one of them would end us in the middle. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from safe_auto_updater.core.identity import docker_id
from safe_auto_updater.core.model import Bond, Obstacle
from safe_auto_updater.platforms.docker.needs import Everyone, name_of
from safe_auto_updater.platforms.docker.self_id import OwnId

Json = Mapping[str, Any]
Peer = tuple[str, int]  # address and port that answers us
_ENGINES_OWN = ("/var/run/docker.sock", "/run/docker.sock")
_OUTSIDE = "update it from outside"
_WHOSE = {"self": "the program's own container,", "proxy": "the program's way to the engine,"}


def lifeline(
    containers: Sequence[Json],
    everyone: Everyone,
    engine: str,
    own_id: OwnId | None,
    address: str,
    peer: Peer | None,
) -> Mapping[str, Obstacle]:
    """Why containers of one engine must go on running while we work, by their IDs.

    `address` is the engine's, `peer` who answers there by TCP.
    """
    own = next((c for c in containers if own_id and c["Id"].startswith(own_id.id)), None)
    found = dict(_unsure(containers, own, own_id))
    for one in containers:
        if one is not own and _carries(one, own, address, peer):
            fact = f"the program speaks to the engine through it, at {address}; {_OUTSIDE}"
            found.setdefault(one["Id"], Obstacle("proxy", fact))
    by_asset = {docker_id(engine, name_of(one)): one for one in containers}
    waiting = [one for one in containers if one["Id"] in found or one is own]
    while waiting:
        one = waiting.pop()
        why = found.get(one["Id"])
        rule = "self" if why is None else why.rule
        for need in everyone.needs_of(one):
            other = by_asset.get(need.asset)
            if other is None or other["Id"] in found or other is own or need.bond is Bond.ORDER:
                continue
            whose = _WHOSE[rule] if one is own or rule == "proxy" else f"needed by {_WHOSE[rule]}"
            fact = f"{name_of(one)}, {whose} {need.what} {name_of(other)}: it would be cut off"
            found[other["Id"]] = Obstacle(rule, f"{fact}; {_OUTSIDE}")
            waiting.append(other)
    return found


def _unsure(
    containers: Iterable[Json], own: Json | None, own_id: OwnId | None
) -> Iterator[tuple[str, Obstacle]]:
    """All that may be ours, where we only know whose network we use and others use it too."""
    if own is None or own_id is None or own_id.sure:
        return
    modes = (f"container:{own['Id']}", f"container:{name_of(own)}")
    users = [one for one in containers if one["HostConfig"].get("NetworkMode") in modes]
    for one in [own, *users] if users else []:
        fact = f"the program runs in it or in another that uses the network of {name_of(own)}"
        yield one["Id"], Obstacle("self", f"{fact}; {_OUTSIDE}")


def _carries(one: Json, own: Json | None, address: str, peer: Peer | None) -> bool:
    """Whether our questions to the engine go through this container."""
    to = urlsplit(address)
    if to.scheme == "unix":
        return _offers_socket(one, own, to.path)
    if to.scheme != "tcp":
        return False
    if own is not None and to.hostname in _names_beside(one, own):
        return True
    return peer is not None and (peer[0] in _addresses(one) or _listens(one, *peer))


def _names_beside(one: Json, own: Json) -> set[str]:
    """What a container is called on the networks that it shares with ours."""
    mine, theirs = _networks(own), _networks(one)
    names: set[str] = set()
    for network in mine.keys() & theirs.keys() - {"bridge", "host", "none"}:
        names |= {*(theirs[network].get("Aliases") or ()), name_of(one), one["Id"][:12]}
        names |= set(theirs[network].get("DNSNames") or ())
    return names


def _addresses(one: Json) -> set[str]:
    keys = ("IPAddress", "GlobalIPv6Address")
    return {end[key] for end in _networks(one).values() for key in keys if end.get(key)}


def _networks(one: Json) -> Mapping[str, Json]:
    return (one.get("NetworkSettings") or {}).get("Networks") or {}


def _listens(one: Json, ip: str, port: int) -> bool:
    """Whether the engine's host passes this port on to it, or it listens there itself."""
    if one["HostConfig"].get("NetworkMode") == "host":
        return f"{port}/tcp" in (one["Config"].get("ExposedPorts") or {})
    published = (one.get("NetworkSettings") or {}).get("Ports") or {}
    return any(
        inner.endswith("/tcp")
        and binding.get("HostPort") == str(port)
        and _reaches(ip, binding.get("HostIp") or "")
        for inner, bindings in published.items()
        for binding in bindings or ()
    )


def _reaches(ip: str, bound: str) -> bool:
    if bound in ("", "0.0.0.0", "::", ip):
        return True
    try:
        return ip_address(ip).is_loopback and ip_address(bound).is_loopback
    except ValueError:
        return False


def _offers_socket(one: Json, own: Json | None, path: str) -> bool:
    """Whether it keeps our socket in a folder of its own, and has the engine's beside it."""
    real = PurePosixPath(_on_host(path, own))
    if str(real) in _ENGINES_OWN:
        return False
    sources = [PurePosixPath(mount.get("Source") or "/") for mount in one.get("Mounts") or ()]
    engines = any(source.suffix == ".sock" and source != real for source in sources)
    return engines and any(source in real.parents for source in sources if str(source) != "/")


def _on_host(path: str, own: Json | None) -> str:
    """The path on the engine's host of what we call `path`, seen from our container."""
    mounts: Iterable[Json] = (own or {}).get("Mounts") or ()
    inside = PurePosixPath(path)
    fits = [m for m in mounts if PurePosixPath(m["Destination"]) in (inside, *inside.parents)]
    if not fits:
        return path
    mount = max(fits, key=lambda m: len(m["Destination"]))
    return str(PurePosixPath(mount["Source"]) / inside.relative_to(mount["Destination"]))
