"""Watchtower's labels in our own words. Pure.

As with our own labels, what the image itself brought sets no policy. Sources: metadata.go and
docs/container-selection, lifecycle-hooks and stop-signals of both lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.policy import LABEL_PREFIX
from safe_auto_updater.platforms.docker.marks import policy_labels
from safe_auto_updater.platforms.docker.watchtower.selection import PREFIX, go_bool

Json = Mapping[str, Any]
NO_LIMIT_S = 86400.0  # their 0 minutes: as long as it takes, which ends for us after a day
_HOOKS = {"pre-update": "before-update", "post-update": "after-update"}


@dataclass(frozen=True)
class Untold:
    """A label of theirs that has no counterpart here, and what to do instead."""

    label: str
    remedy: str


def users_labels(container: Json, image: Json) -> dict[str, str]:
    """Their labels that a user set: the key without their prefix, and the value."""
    brought = (image.get("Config") or {}).get("Labels") or {}
    return {
        key.removeprefix(f"{PREFIX}."): value
        for key, value in (container["Config"].get("Labels") or {}).items()
        if key.startswith(f"{PREFIX}.") and brought.get(key) != value
    }


def translated(theirs: Mapping[str, str]) -> dict[str, str]:
    """What they mean as labels of ours."""
    found: dict[str, str] = {}
    wanted = go_bool(theirs.get("enable"))
    if wanted is not None:
        found["enable"] = str(wanted).lower()
    if go_bool(theirs.get("monitor-only")):
        found["enable"] = "false"
    if go_bool(theirs.get("no-pull")):
        found["policy"] = "none"
    for hook, ours in _HOOKS.items():
        command = theirs.get(f"lifecycle.{hook}")
        if command:
            found[ours] = json.dumps(["sh", "-c", command])
    limits = [_minutes(theirs.get(f"lifecycle.{hook}-timeout")) for hook in _HOOKS]
    if any(limit is not None for limit in limits):
        found["hook-timeout"] = f"{max(limit for limit in limits if limit is not None):g}s"
    delay = theirs.get("cooldown-delay")
    if delay:
        found["minimum-age"] = delay
    return {f"{LABEL_PREFIX}{key}": value for key, value in found.items()}


def labels_of(container: Json, image: Json, *, theirs_too: bool) -> tuple[tuple[str, str], ...]:
    """Our labels that a user set; with theirs beside them, ours win where both say something."""
    ours = policy_labels(container, image)
    if not theirs_too:
        return ours
    return tuple(sorted({**translated(users_labels(container, image)), **dict(ours)}.items()))


def depends_on(container: Json, image: Json) -> tuple[str, ...]:
    """Names of the containers that it says it depends on."""
    listed = users_labels(container, image).get("depends-on", "").split(",")
    return tuple(name.strip().lstrip("/") for name in listed if name.strip())


def untold(theirs: Mapping[str, str]) -> Iterator[Untold]:
    """Every label of theirs that we cannot follow."""
    for key in sorted(theirs):
        remedy = _REMEDIES.get(key)
        if key in ("enable", "monitor-only", "no-pull") and go_bool(theirs[key]) is None:
            remedy = "is neither true nor false, and Watchtower passes over it too; correct it"
        if remedy is not None:
            yield Untold(f"{PREFIX}.{key}", remedy)


_REMEDIES = {
    "scope": "has no counterpart: one updater looks after the host; write inventory.include",
    "stop-signal": "does not count: give the container the signal itself (stop_signal in Compose, "
    "docker run --stop-signal)",
    "lifecycle.pre-check": "is never run: nothing runs in a container that has no update to take",
    "lifecycle.post-check": "is never run: nothing runs in a container that has no update to take",
    "lifecycle.uid": "does not count: hooks run as the container's own user",
    "lifecycle.gid": "does not count: hooks run as the container's own user",
}


def _minutes(text: str | None) -> float | None:
    """A limit in seconds; what is no number is passed over, as Watchtower does."""
    if text is None or not text.isascii() or not text.isdecimal():
        return None
    return float(text) * 60 or NO_LIMIT_S
