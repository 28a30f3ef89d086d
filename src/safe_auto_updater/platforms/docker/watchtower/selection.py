"""Which containers a question to Watchtower reaches, by its own rules. Pure.

Sources: pkg/filters/filters.go of both lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from safe_auto_updater.core.errors import InvalidReference
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.docker.watchtower.api import Done, Line, Selection

Json = Mapping[str, Any]
PREFIX = "com.centurylinklabs.watchtower"
_WRITTEN = "com.centurylinklabs.zodiac.original-image"
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_ACTIVE = ("running", "restarting", "paused")


def selection_for(container: Json) -> Selection:
    """The narrowest question for one container that both lines understand.

    The original takes the image's name up to its first colon, which of a registry with a port is
    the bare host; the fork takes the repository, and the container's name besides.
    """
    written = image_written(container)
    names = [_image_of_original(written), _repository(written)]
    pattern = re.sub(r"[^A-Za-z0-9_-]", r"\\\g<0>", _name(container))
    return Selection(tuple(dict.fromkeys(names)), (pattern,))


def also_reached(container: Json, everyone: Iterable[Json], asked: Done) -> tuple[Json, ...]:
    """The other containers that run and that the same question reaches; `asked` answered it."""
    if asked.by_name:
        return ()
    same = _image_of_fork if asked.line is Line.FORK else _image_of_original
    return tuple(
        other
        for other in everyone
        if other["Id"] != container["Id"]
        and other["State"]["Status"] in _ACTIVE
        and same(image_written(other)) == same(image_written(container))
        and left_alone(other) is None
    )


def left_alone(container: Json) -> str | None:
    """The label by which Watchtower leaves a container as it is, whatever it is asked."""
    labels = container["Config"].get("Labels") or {}
    for key, stops in (("enable", False), ("monitor-only", True), ("no-pull", True)):
        if go_bool(labels.get(f"{PREFIX}.{key}")) is stops:
            return f"{PREFIX}.{key}={labels[f'{PREFIX}.{key}']}"
    return None


def image_written(container: Json) -> str:
    """The image as Watchtower reads it off a container."""
    labels = container["Config"].get("Labels") or {}
    return str(labels.get(_WRITTEN) or container["Config"]["Image"])


def go_bool(text: str | None) -> bool | None:
    """A truth value in Go's spelling; None for anything else, which Watchtower passes over."""
    return True if text in _TRUE else False if text in _FALSE else None


def _image_of_original(written: str) -> str:
    return written.partition(":")[0]


def _image_of_fork(written: str) -> str:
    try:
        return Reference.parse(written).canonical_name
    except InvalidReference:
        return written


def _repository(written: str) -> str:
    try:
        return Reference.parse(written).name
    except InvalidReference:
        return written


def _name(container: Json) -> str:
    return str(container["Name"].lstrip("/"))
