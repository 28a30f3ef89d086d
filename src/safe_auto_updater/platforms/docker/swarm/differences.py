"""Is a service's spec what it was? Field by field; values may be secret, so only names are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
_SCALED = "Mode.Replicated.Replicas"  # whoever scales it meanwhile means it
_NOTHING: tuple[Any, ...] = (None, "", [], {})


def differences(before: Json, now: Json) -> tuple[str, ...]:
    """The fields of a spec that are not what they were, but for how many tasks it has."""
    return tuple(_walk(before, now, ""))


def _walk(before: Any, now: Any, path: str) -> Iterator[str]:
    if before == now or (before in _NOTHING and now in _NOTHING):
        return
    if not (isinstance(before or {}, Mapping) and isinstance(now or {}, Mapping)):
        if path != _SCALED or None in (before, now):  # None: it is replicated no longer
            yield path
        return
    before, now = before or {}, now or {}
    for key in sorted({*before, *now}):
        yield from _walk(before.get(key), now.get(key), f"{path}.{key}".lstrip("."))
