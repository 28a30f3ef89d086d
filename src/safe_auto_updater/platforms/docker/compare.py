"""Is the staged container what it must be? Pure: predicted from the request, held against inspect.

An unexplained difference aborts the update while the old container still serves.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from safe_auto_updater.core.image_tree import clean_path
from safe_auto_updater.platforms.docker.marks import STAGED
from safe_auto_updater.platforms.docker.networks import endpoints, short_id
from safe_auto_updater.platforms.docker.recreate import shares_host_name, short_link, volume_of

Json = Mapping[str, Any]


def differences(old: Json, body: Json, new: Json, new_image: Json) -> tuple[str, ...]:
    """Everything in `new` that neither the request nor the new image explains, one line each.

    `old` and `new` are raw inspect JSON, `body` the create request, `new_image` the image's inspect
    JSON. Of `Config` and `HostConfig` only names are told.
    """
    found: list[str] = []
    if new["Image"] != new_image["Id"]:
        found.append(f"Image: expected {new_image['Id']}, got {new['Image']}")
    found += _config(old, body, new, new_image.get("Config") or {})
    # A link is asked for by ID and told by name, which is still that of a staged container.
    expected = {**body["HostConfig"], "Links": old["HostConfig"].get("Links")}
    found += _names(_mapping("HostConfig", _host(expected), _host(new["HostConfig"])))
    before, after = _networks(old), _networks(new)
    found += _mapping("Networks", before, after)
    found += _mounts(old, new, (new_image.get("Config") or {}).get("Volumes") or {})
    return tuple(found)


def changes(before: Json, now: Json) -> tuple[str, ...]:
    """How one container's settings differ from an earlier inspect of the same container."""
    found = [] if before["Name"] == now["Name"] else [f"Name: {now['Name']}"]
    found += _names(_mapping("HostConfig", _settled(before), _settled(now)))
    found += _mapping("Networks", _networks(before, {"MacAddress"}), _networks(now, {"MacAddress"}))
    found += _mounts(before, now, {})
    # What of the MAC addresses was chosen stays with the container, whatever it uses now.
    same = [key for key in before["Config"] if key != "MacAddress"]
    config = [key for key in same if now["Config"].get(key) != before["Config"][key]]
    return tuple(found) + tuple(f"Config.{key}" for key in config)  # values may be secret


def _config(old: Json, body: Json, new: Json, defaults: Json) -> list[str]:
    predicted = predicted_config(body, defaults)
    actual = dict(new["Config"])
    # An image's own is cleaned by older engines only, and means the same.
    actual["WorkingDir"] = clean_path(actual.get("WorkingDir"))
    if "MacAddress" not in body:
        actual.pop("MacAddress", None)  # told again by an engine that was asked for it at a network
    if "Hostname" not in body:
        shared = shares_host_name(new["HostConfig"])
        predicted["Hostname"] = actual.get("Hostname") if shared else short_id(new)
        if shared:
            predicted["Domainname"] = actual.get("Domainname")
    before, after = _environment(predicted.pop("Env", None)), _environment(actual.pop("Env", None))
    names = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
    found = [f"Config.Env: {name} is not what it must be (values hidden)" for name in names]
    return found + _names(_mapping("Config", predicted, actual))


def _names(lines: list[str]) -> list[str]:
    """Labels, commands and log options hold secrets at times: only what differs is told."""
    return [line.partition(":")[0] for line in lines]


def predicted_config(body: Json, defaults: Json) -> dict[str, Any]:
    """The engine's merge of a create request with its image's defaults.

    Source: the engine's `merge` (daemon/commit.go).
    """
    merged = {k: v for k, v in body.items() if k not in ("HostConfig", "NetworkingConfig")}
    for key in ("User", "WorkingDir", "StopSignal"):
        merged[key] = merged.get(key) or defaults.get(key)
    merged["WorkingDir"] = clean_path(merged["WorkingDir"])
    for key in ("Labels", "ExposedPorts", "Volumes"):
        merged[key] = {**(defaults.get(key) or {}), **(merged.get(key) or {})}
    set_by_user = _environment(merged.get("Env"))
    merged["Env"] = [f"{k}={v}" if v is not None else k for k, v in
                     {**_environment(defaults.get("Env")), **set_by_user}.items()]  # fmt: skip
    check, default_check = merged.get("Healthcheck") or {}, defaults.get("Healthcheck") or {}
    merged["Healthcheck"] = {**default_check, **{k: v for k, v in check.items() if v}}
    if not merged.get("Entrypoint"):
        merged["Cmd"] = merged.get("Cmd") or defaults.get("Cmd")
        if merged.get("Entrypoint") is None:
            merged["Entrypoint"] = defaults.get("Entrypoint")
    elif merged["Entrypoint"] == [""]:
        merged["Entrypoint"] = None
    return merged


def _environment(env: list[str] | None) -> dict[str, str | None]:
    pairs = (entry.partition("=") for entry in env or ())
    return {name: value if equals else None for name, equals, value in pairs}


def _host(host: Json) -> dict[str, Any]:
    shown = dict(host)
    if shown.get("Links"):
        links = (short_link(link).partition(":") for link in shown["Links"])
        shown["Links"] = sorted(f"{to.removesuffix(STAGED)}:{alias}" for to, _, alias in links)
    return shown


def _settled(container: Json) -> dict[str, Any]:
    """Its `HostConfig`, in the words that engines from 26 on put in place of older ones."""
    host = dict(container["HostConfig"])
    if host.get("NetworkMode") == "default":
        host["NetworkMode"] = "bridge"
    if (host.get("RestartPolicy") or {}).get("Name") == "":
        host["RestartPolicy"] = {**host["RestartPolicy"], "Name": "no"}
    return host


def _networks(container: Json, without: Set[str] = frozenset()) -> dict[str, Any]:
    return {
        name: {
            k: sorted(v) if k == "Aliases" else v for k, v in settings.items() if k not in without
        }
        | {"connected": True}
        for name, settings in endpoints(container).items()
    }


def _mounts(old: Json, new: Json, declared: Json) -> list[str]:
    """Every old mount is there with the same source; what is new, the new image declares."""

    def known(container: Json) -> dict[str, tuple[Any, ...]]:
        return {mount["Destination"]: _source(mount) for mount in container.get("Mounts") or ()}

    before, after = known(old), known(new)
    wrong = [path for path in before if after.get(path) != before[path]]
    expected = before.keys() | {clean_path(path) for path in declared}
    # What another container lends may have become more, with its new image.
    lends = bool(new["HostConfig"].get("VolumesFrom"))
    strange = [] if lends else [path for path in after if path not in expected]
    return [
        f"Mounts {path}: {before.get(path)} became {after.get(path)}" for path in wrong + strange
    ]


def _source(mount: Json) -> tuple[Any, ...]:
    kept = tuple(mount.get(key) for key in ("Type", "RW", "Driver", "Propagation"))
    if mount.get("Type") == "image":
        return (mount.get("Name"), *kept)  # each container has a layer of its own over it
    return (volume_of(mount), mount.get("Source"), *kept)


def _mapping(where: str, before: Json, after: Json) -> list[str]:
    found = []
    for key in sorted(before.keys() | after.keys()):
        if _plain(before.get(key)) != _plain(after.get(key)):
            found.append(f"{where}.{key}: {before.get(key)!r} became {after.get(key)!r}")
    return found


def _plain(value: Any) -> Any:
    """The engine does not tell absent, null, zero and empty apart."""
    if isinstance(value, Mapping):
        return {
            key: _plain(item) for key, item in value.items() if _plain(item) is not None
        } or None
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value] or None
    return value or None
