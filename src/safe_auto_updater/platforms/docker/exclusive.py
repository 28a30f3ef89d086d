"""What two containers cannot have at the same time. Pure, over raw inspect JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safe_auto_updater.platforms.docker.networks import endpoints

Json = Mapping[str, Any]
WRITES = "it writes to"
KEEPS_MAC = "it keeps the MAC address"
DEFAULT_BRIDGE = "it is on the default bridge, where nobody can reach it by a name"


def exclusive_in(container: Json) -> tuple[str, ...]:
    """Why another container like this one cannot run beside it, one reason each."""
    return tuple(_found(container))


def _found(container: Json) -> Iterator[str]:
    host = container["HostConfig"]
    for port in sorted(host.get("PortBindings") or {}):
        yield f"it publishes port {port}"
    if host.get("PublishAllPorts"):
        yield "it publishes its ports"
    mode = str(host.get("NetworkMode") or "default")
    if mode == "host":
        yield "it uses the host's network"
    elif mode.startswith("container:"):
        yield "it uses another container's network"
    elif mode in ("default", "bridge"):
        yield DEFAULT_BRIDGE
    yield from _addresses(container)
    for device in host.get("Devices") or ():
        yield f"it uses the device {device.get('PathOnHost')}"
    for mount in container.get("Mounts") or ():
        path = str(mount["Destination"])
        if mount["Type"] != "tmpfs" and mount.get("RW", True) and not path.endswith(".sock"):
            yield f"{WRITES} {path}"


def _addresses(container: Json) -> Iterator[str]:
    if container["Config"].get("MacAddress"):
        yield "it has a MAC address of its own choice"
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    for name, endpoint in sorted(networks.items()):
        asked = endpoint.get("IPAMConfig") or {}
        for key in ("IPv4Address", "IPv6Address"):
            if asked.get(key):
                yield f"it has the static address {asked[key]} in network {name}"
    for name, chosen in sorted(endpoints(container).items()):
        if chosen.get("MacAddress"):  # where the engine does not tell, ours is kept: it is one too
            yield f"{KEEPS_MAC} {chosen['MacAddress']} in network {name}"
