"""The create request for a container like an existing one, on another image. Pure.

Docker stores image defaults and user settings merged. To let defaults follow the new image and
keep what the user set, the *old image's* defaults (by image ID, whatever its tag says now) are
taken out again: the inverse of the engine's merge.
Source: the engine's `merge` (daemon/commit.go).
"""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.errors import StepFailed
from safe_auto_updater.core.image_tree import clean_path
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.platforms.docker.compose.labels import PREFIX
from safe_auto_updater.platforms.docker.marks import MARK, USERS, our_marks, policy_labels

Json = dict[str, Any]


def create_body(
    old: Mapping[str, Any], old_image: Mapping[str, Any], reference: str, update: str
) -> Json:
    """The body of `POST /containers/create`; networks are connected afterwards, see `endpoints`."""
    host = host_config(old)
    body = {
        **user_config(old, old_image.get("Config") or {}),
        "Image": reference,
        "HostConfig": host,
    }
    body["Labels"] = {**(body.get("Labels") or {}), **our_marks(old, old_image, update)}
    if _keeps_addresses(old):
        body.pop("MacAddress", None)  # asked for at its network, see `endpoints`
    named = _networks_named(old)
    if named:
        body["NetworkingConfig"] = {"EndpointsConfig": named}
    return body


def joined(body: Json, old: Mapping[str, Any], replaced: Mapping[str, str]) -> Json:
    """The body with what the container has of others pointed to those who replace them.

    `replaced` is what the old ones are called, ID or name, to the ID of the new one. A name in
    `VolumesFrom` stays: the volumes are the same, and the name will be the new one's. A link is
    followed at once, to the container that has the name now.
    """
    host = dict(body["HostConfig"])
    for key in ("NetworkMode", "PidMode", "IpcMode"):
        kind, _, other = (host.get(key) or "").partition(":")
        if kind == "container" and other in replaced:
            host[key] = f"container:{replaced[other]}"
    if host.get("VolumesFrom"):
        sources = [source.partition(":") for source in host["VolumesFrom"]]
        host["VolumesFrom"] = [_by_id(o, replaced) + colon + mode for o, colon, mode in sources]
    if host.get("Links"):
        links = [link.partition(":") for link in host["Links"]]
        host["Links"] = [replaced.get(o, o) + colon + alias for o, colon, alias in links]
    return {**body, "HostConfig": host}


def _by_id(word: str, replaced: Mapping[str, str]) -> str:
    """Who replaces a container that is called by its ID or the beginning of it."""
    if not re.fullmatch("[0-9a-f]{12,64}", word):
        return word
    return next((new for old, new in replaced.items() if old.startswith(word)), word)


def user_config(old: Mapping[str, Any], defaults: Mapping[str, Any]) -> Json:
    """What the user set in `Config`: everything that is not a default of the old image."""
    config: Json = copy.deepcopy(dict(old["Config"]))
    mode = old["HostConfig"].get("NetworkMode", "")
    if config.get("Hostname") == short_id(old) or shares_host_name(old["HostConfig"]):
        config.pop("Hostname", None)  # generated, or another's: never the user's wish
    if mode.startswith("container:"):
        config.pop("Domainname", None)
    config["Env"] = [e for e in config.get("Env") or () if e not in (defaults.get("Env") or ())]
    for key in ("User", "StopSignal"):
        if config.get(key) == defaults.get(key):
            config.pop(key, None)
    if clean_path(config.get("WorkingDir")) == clean_path(defaults.get("WorkingDir")):
        config.pop("WorkingDir", None)
    check, default_check = config.get("Healthcheck") or {}, defaults.get("Healthcheck") or {}
    config["Healthcheck"] = {k: v for k, v in check.items() if v != default_check.get(k)} or None
    users = dict(policy_labels(old, {"Config": defaults}))
    config["Labels"] = {
        key: value
        for key, value in (config.get("Labels") or {}).items()
        if key not in (MARK, USERS)
        and (
            key in users
            or key.startswith(PREFIX)  # an image that Compose built has some too
            or (defaults.get("Labels") or {}).get(key) != value
        )
    }
    published = set(old["HostConfig"].get("PortBindings") or {})
    config["ExposedPorts"] = {
        port: empty
        for port, empty in (config.get("ExposedPorts") or {}).items()
        if port in published or port not in (defaults.get("ExposedPorts") or {})
    }
    if mode.startswith("container:"):
        config.pop("ExposedPorts")
    # What was in them is bound by name in `host_config`, which goes before an anonymous volume.
    config["Volumes"] = {
        path: empty
        for path, empty in (config.get("Volumes") or {}).items()
        if path not in (defaults.get("Volumes") or {})
    }
    config.update(_command(config, defaults))
    return config


def shares_host_name(host: Mapping[str, Any]) -> bool:
    """Whether the container has no host name of its own: the engine refuses one then."""
    shared = str(host.get("NetworkMode", "")).startswith("container:")
    return shared or host.get("UTSMode") == "host"


def short_id(container: Mapping[str, Any]) -> str:
    """What the engine calls a container where nobody named it: host name and alias."""
    return str(container["Id"])[:12]


def _command(config: Json, defaults: Mapping[str, Any]) -> Json:
    """Entrypoint and Cmd as the user gave them.

    A user's Entrypoint switches the image's Cmd off, so the two are judged together. A user
    empties the image's Entrypoint by `[""]` (shown as null, switches Cmd off too) or by `[]` (shown
    as it is, leaves Cmd to the image).
    """
    entrypoint, cmd = config.pop("Entrypoint", None), config.pop("Cmd", None)
    default_entrypoint, default_cmd = defaults.get("Entrypoint"), defaults.get("Cmd")
    if entrypoint == [] and default_entrypoint:
        return {"Entrypoint": [], **({"Cmd": cmd} if cmd != default_cmd else {})}
    if (entrypoint or None) == (default_entrypoint or None):
        if (cmd or None) == (default_cmd or None):
            return {}
        if cmd:
            return {"Cmd": cmd}
        return {"Entrypoint": entrypoint or [""]}  # the image's own, given by the user without Cmd
    return {"Entrypoint": entrypoint or [""], **({"Cmd": cmd} if cmd else {})}


def host_config(old: Mapping[str, Any]) -> Json:
    """`HostConfig` as it was, with every anonymous volume bound by its name.

    Unknown fields pass through untouched. Links are turned from the engine's spelling
    (`/target:/name/alias`) into the one it accepts (`target:alias`).
    """
    host: Json = copy.deepcopy(dict(old["HostConfig"]))
    if host.get("Links"):
        host["Links"] = [short_link(link) for link in host["Links"]]
    named = _bound_paths(host)
    single = {bind for bind in host.get("Binds") or () if ":" not in bind}
    anonymous = {clean_path(path) for path in (*single, *(old["Config"].get("Volumes") or ()))}
    carried = []
    for mount in old.get("Mounts") or ():
        path = mount["Destination"]
        if mount.get("Type") != "volume" or path in named:
            continue
        asked = _asked_mount(host, path)
        if asked is not None:
            asked["Source"] = _volume(mount)
        elif path in anonymous:  # else another container's, by VolumesFrom
            carried.append(_bind(mount))
    if single or carried:
        host["Binds"] = [bind for bind in host.get("Binds") or () if ":" in bind] + carried
    return host


def _bind(mount: Mapping[str, Any]) -> str:
    mode = mount.get("Mode") or ("" if mount.get("RW", True) else "ro")
    return f"{_volume(mount)}:{mount['Destination']}" + (f":{mode}" if mode else "")


def volume_of(mount: Mapping[str, Any]) -> str | None:
    """The name of a mounted volume; None for other mounts, and where nobody can tell.

    Newer engines do not tell it of an anonymous volume that was asked for by `-v /path`; where
    the local driver keeps it does.
    """
    if mount.get("Type") != "volume":
        return None
    if mount.get("Name"):
        return str(mount["Name"])
    folder, last = posixpath.split(mount.get("Source") or "")
    told = mount.get("Driver") == "local" and last == "_data"
    return posixpath.basename(folder) if told else None


def _volume(mount: Mapping[str, Any]) -> str:
    name = volume_of(mount)
    if name is None:
        fact = f"the engine does not tell which volume is mounted at {mount['Destination']}"
        raise StepFailed(f"{fact}; make the container again with a named one", Cause.CONFIG)
    return name


def _bound_paths(host: Mapping[str, Any]) -> set[str]:
    paths = [bind.split(":")[1] for bind in host.get("Binds") or () if ":" in bind]
    paths += [mount["Target"] for mount in host.get("Mounts") or () if mount.get("Source")]
    return {clean_path(path) for path in paths}


def _asked_mount(host: Mapping[str, Any], destination: str) -> Json | None:
    for mount in host.get("Mounts") or ():
        if mount.get("Type") == "volume" and clean_path(mount.get("Target")) == destination:
            found: Json = mount
            return found
    return None


def short_link(link: str) -> str:
    """A link as a create request takes it, from either spelling."""
    target, _, name = link.partition(":")
    return f"{target.lstrip('/')}:{name.rsplit('/', 1)[-1]}"


def _networks_named(old: Mapping[str, Any]) -> dict[str, Json]:
    """The networks that the create request names, with what is chosen there.

    Older engines take one. Newer ones take all, and some of them forget a MAC address in what is
    connected afterwards.
    """
    asked, main = endpoints(old), main_network(old)
    if _keeps_addresses(old):
        return asked if _has_networks(old) else {}
    return {main: asked[main]} if main is not None and (main != "bridge" or asked[main]) else {}


def _has_networks(container: Mapping[str, Any]) -> bool:
    """Whether it has a network of its own at all."""
    mode = container["HostConfig"].get("NetworkMode", "default")
    return not (mode in ("host", "none") or mode.startswith("container:"))


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


def _keeps_addresses(container: Mapping[str, Any]) -> bool:
    """Whether its engine knows MAC addresses per network (API 1.44, by a field of that version)."""
    networks = (container["NetworkSettings"].get("Networks") or {}).values()
    return any("DNSNames" in endpoint for endpoint in networks)


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
