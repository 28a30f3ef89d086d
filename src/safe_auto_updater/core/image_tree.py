"""What an image says of itself, as a tree for DiffAnalyzer, whoever told it. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]
_BASE = "org.opencontainers.image.base."


def from_config(told: Json) -> dict[str, Any]:
    """An image as its configuration in the registry tells it. Its size is at least the download."""
    sizes = told.get("layer_sizes")
    return image_tree(
        told.get("config") or {},
        os=told.get("os"),
        architecture=told.get("architecture"),
        created=told.get("created"),
        size=None if sizes is None else sum(sizes),
        layers=list((told.get("rootfs") or {}).get("diff_ids") or ()),
    )


def image_tree(config: Json, **facts: Any) -> dict[str, Any]:
    """From an image's configuration, and what else is known of it."""
    labels = dict(config.get("Labels") or {})
    said = {
        "env": environment(config.get("Env")),
        "entrypoint": list(config.get("Entrypoint") or ()),
        "cmd": list(config.get("Cmd") or ()),
        "user": _user(config.get("User")),
        "workdir": clean_path(config.get("WorkingDir")) or "/",
        "stop_signal": config.get("StopSignal") or "SIGTERM",
        "healthcheck": _healthcheck(config.get("Healthcheck")),
        "ports": sorted(config.get("ExposedPorts") or ()),
        "volumes": sorted(clean_path(path) for path in config.get("Volumes") or ()),
        "labels": {k: v for k, v in labels.items() if not k.startswith(_BASE)},
        "base": {k.removeprefix(_BASE): v for k, v in labels.items() if k.startswith(_BASE)},
        **facts,
    }
    return {key: value for key, value in said.items() if value is not None}


def environment(listed: Sequence[str] | None) -> dict[str, str]:
    """Variables as a mapping."""
    pairs = (entry.partition("=") for entry in listed or ())
    return {name: value for name, _, value in pairs}


def clean_path(path: str | None) -> str:
    """A path as an engine cleans it; empty for none."""
    return posixpath.normpath(path).replace("//", "/") if path else ""


def _healthcheck(check: Json | None) -> Json | None:
    return check if check and check.get("Test") not in (None, [], ["NONE"]) else None


def _user(user: str | None) -> str:
    return "root" if user in (None, "", "0", "0:0", "root", "root:root") else str(user)
