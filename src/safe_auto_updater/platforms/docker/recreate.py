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
from safe_auto_updater.platforms.docker.networks import keeps_addresses, networks_named, short_id

Json = dict[str, Any]


def create_body(
    old: Mapping[str, Any], old_image: Mapping[str, Any], reference: str, update: str
) -> Json:
    """The body of `POST /containers/create`; networks are connected afterwards, by `endpoints`."""
    host = host_config(old)
    body = {
        **user_config(old, old_image.get("Config") or {}),
        "Image": reference,
        "HostConfig": host,
    }
    body["Labels"] = {**(body.get("Labels") or {}), **our_marks(old, old_image, update)}
    if keeps_addresses(old):
        body.pop("MacAddress", None)  # asked for at its network, see `networks.endpoints`
    named = networks_named(old)
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
