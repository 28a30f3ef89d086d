"""Which networks a container is in, and what was chosen there: not what the engine gave. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def networks_named(old: Mapping[str, Any]) -> dict[str, Json]:
    """The networks that the create request names, with what is chosen there.

    Older engines take one. Newer ones take all, and some of them forget a MAC address in what is
    connected afterwards.
    """
    asked, main = endpoints(old), main_network(old)
    if keeps_addresses(old):
        return asked if _has_networks(old) else {}
    return {main: asked[main]} if main is not None and (main != "bridge" or asked[main]) else {}


def main_network(container: Mapping[str, Any]) -> str | None:
    """The network that the container's mode names, by its name; None where it is in none such."""
    mode = container["HostConfig"].get("NetworkMode", "default")
    known = container["NetworkSettings"].get("Networks") or {}
    if not _has_networks(container):
        return None
    if mode in ("default", "bridge"):
        return "bridge" if "bridge" in known else None
    if mode in known:
        return str(mode)
    return next((name for name, one in known.items() if one["NetworkID"] == mode), None)


def endpoints(old: Mapping[str, Any]) -> dict[str, Json]:
    """For every network, the endpoint settings that the user chose (not what the engine gave)."""
    chosen = {}
    for network, endpoint in (old["NetworkSettings"].get("Networks") or {}).items():
        settings = {k: v for k, v in endpoint.items() if k not in _GIVEN and v}
        aliases = _user_aliases(endpoint, old)
        if aliases:
            settings["Aliases"] = aliases
        address = _mac_address(network, endpoint, old)
        if address:
            settings["MacAddress"] = address
        chosen[network] = settings
    return chosen


_GIVEN = {
    "Aliases", "NetworkID", "EndpointID", "Gateway", "IPAddress", "IPPrefixLen", "IPv6Gateway",
    "GlobalIPv6Address", "GlobalIPv6PrefixLen", "MacAddress", "DNSNames",
}  # fmt: skip


def keeps_addresses(container: Mapping[str, Any]) -> bool:
    """Whether its engine knows MAC addresses per network (API 1.44, by a field of that version)."""
    networks = (container["NetworkSettings"].get("Networks") or {}).values()
    return any("DNSNames" in endpoint for endpoint in networks)


def short_id(container: Mapping[str, Any]) -> str:
    """What the engine calls a container where nobody named it: host name and alias."""
    return str(container["Id"])[:12]


def _has_networks(container: Mapping[str, Any]) -> bool:
    """Whether it has a network of its own at all."""
    mode = container["HostConfig"].get("NetworkMode", "default")
    return not (mode in ("host", "none") or mode.startswith("container:"))


def _mac_address(
    network: str, endpoint: Mapping[str, Any], container: Mapping[str, Any]
) -> str | None:
    """The MAC address to ask for at a network; None for one that the engine made.

    Inspect tells what is in use. Of the main network the engine says what was chosen, for others
    nobody does: there it is kept, unless it is made of the IP address, as engines up to 27 do.
    """
    if "DNSNames" not in endpoint:
        return None
    used: str = endpoint.get("MacAddress") or ""
    if container["State"]["Status"] == "created":
        return used  # nothing made yet: what was asked for
    if network == main_network(container):
        chosen: str | None = container["Config"].get("MacAddress")
        return chosen
    parts = (endpoint.get("IPAddress") or "0.0.0.0").split(".")
    return None if used == "02:42:" + ":".join(f"{int(part):02x}" for part in parts) else used


def _user_aliases(endpoint: Mapping[str, Any], container: Mapping[str, Any]) -> list[str]:
    """The aliases without those that the engine adds by itself: the short ID and, up to API 1.43,
    the host name, which newer ones tell among `DNSNames` only.
    """
    engines = {short_id(container)}
    if "DNSNames" not in endpoint:
        engines.add(container["Config"].get("Hostname"))
    return [alias for alias in endpoint.get("Aliases") or () if alias not in engines]
