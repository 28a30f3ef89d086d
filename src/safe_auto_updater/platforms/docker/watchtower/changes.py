"""What Watchtower did besides what it was asked for, and how its container differs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from safe_auto_updater.platforms.docker.compare import differences
from safe_auto_updater.platforms.docker.marks import MARK, PARKED, STAGED, USERS
from safe_auto_updater.platforms.docker.recreate import create_body, host_config

Json = Mapping[str, Any]
_DATA = ("Mounts ", "HostConfig.Binds", "HostConfig.Mounts", "HostConfig.VolumesFrom")


def by_name(everyone: Iterable[Json]) -> dict[str, str]:
    """Names and IDs, of a listing or of inspected containers; without what updates put aside."""
    found = {}
    for one in everyone:
        names = one.get("Names") or [one.get("Name", "")]
        for name in names:
            if name.count("/") == 1 and not name.endswith((STAGED, PARKED)):  # else a link
                found[name.lstrip("/")] = str(one["Id"])
    return found


def bystanders(before: Mapping[str, str], after: Mapping[str, str], asked: str) -> tuple[str, ...]:
    """Every other container that was replaced or is gone, one line each."""
    found = []
    for name in sorted(before.keys() - {asked}):
        if name not in after:
            found.append(f"container {name} ({before[name][:12]}) is gone")
        elif after[name] != before[name]:
            found.append(
                f"container {name} was replaced too ({before[name][:12]} by {after[name][:12]})"
            )
    return tuple(found)


def unlike(old: Json, old_image: Json, new: Json, new_image: Json) -> tuple[str, ...]:
    """How a container that somebody else made from an old one differs from what it must be."""
    body = create_body(old, old_image, old["Config"]["Image"], "")
    labels = {key: value for key, value in body["Labels"].items() if key not in (MARK, USERS)}
    kept = old["Config"].get("Labels") or {}
    body["Labels"] = labels | {key: kept[key] for key in (MARK, USERS) if key in kept}
    body["Image"] = new["Config"]["Image"]  # it writes `:latest` where there was no tag
    return differences(old, body, new, new_image)


def made_like(old: Json, old_image: Json, new: Json, new_image: Json) -> bool:
    """Whether somebody who copies what an engine tells may have made it from the old one.

    Such a copy has the old one's MAC addresses too, as if they had been chosen; and one that could
    not be started has them alone.
    """
    found = unlike(_without_mac(old), old_image, _without_mac(new), new_image)
    return not any(line.startswith(("Mounts", "Networks", "HostConfig")) for line in found)


def of_data(found: Iterable[str]) -> tuple[str, ...]:
    """Those of the differences that part a container from its data."""
    return tuple(line for line in found if line.startswith(_DATA))


def anonymous_volumes(container: Json) -> tuple[str, ...]:
    """Where a container has volumes without a name of their own: a new one gets empty ones."""
    host = container["HostConfig"]
    named = {mount.get("Source") for mount in host.get("Mounts") or ()}
    named |= {bind.partition(":")[0] for bind in host.get("Binds") or () if ":" in bind}
    carried = host_config(container)
    bound = {bind.partition(":")[0] for bind in carried.get("Binds") or ()}
    bound |= {mount.get("Source") for mount in carried.get("Mounts") or ()}
    return tuple(
        sorted(
            mount["Destination"]
            for mount in container.get("Mounts") or ()
            if mount.get("Type") == "volume" and mount.get("Name") in bound - named
        )
    )


def _without_mac(container: Json) -> Json:
    told = container["NetworkSettings"]
    networks = {
        name: {**settings, "MacAddress": ""}
        for name, settings in (told.get("Networks") or {}).items()
    }
    config = {key: value for key, value in container["Config"].items() if key != "MacAddress"}
    return {**container, "Config": config, "NetworkSettings": {**told, "Networks": networks}}
