"""Hears of what changes on an engine as it happens.

Source: Docker Engine API 1.41, GET /events. Times are the engine's own: its clock may differ from
ours.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable
from safe_auto_updater.platforms.docker.engine import DockerEngine, Told

TURN_S = 180.0  # then it is asked anew: on a line that is dead nothing comes either
LATE_S = 30.0  # how late the end of a turn may be
_OF_CONTAINERS = ("create", "start", "die", "destroy", "rename", "update")
_OF_SERVICES = ("create", "update", "remove")
_FILTERS = {
    "type": ["container", "service"],
    "event": list(dict.fromkeys((*_OF_CONTAINERS, *_OF_SERVICES))),
}
"""What happens all the time, such as health checks and commands, is not asked for."""


class EventWatch:
    """Opens lines to one engine, with no gap between a line and the next."""

    def __init__(self, engine: DockerEngine) -> None:
        self.source = f"docker:{engine.name}"
        self._engine = engine
        self._told_until: datetime | None = None  # None: nobody told us, up to now

    def open(self) -> EventLine:
        """A line for one turn."""
        told_until, self._told_until = self._told_until, None  # what fails from here on is a gap
        now = _now(self._engine)
        until = now + timedelta(seconds=TURN_S)
        told = self._engine.follow(
            "/events",
            TURN_S + LATE_S,
            since=_spelled(told_until or now),
            until=_spelled(until),
            filters=json.dumps(_FILTERS),
        )
        return EventLine(self, told, until, missed=told_until is None)

    def close(self) -> None:
        """Hang up: an engine is not asked by two who watch."""
        self._engine.close()

    def goes_on(self, until: datetime) -> None:
        """The line was whole: the next one goes on from there."""
        self._told_until = until


class EventLine:
    """One turn of an engine's events."""

    def __init__(self, watch: EventWatch, told: Told, until: datetime, *, missed: bool) -> None:
        self.missed = missed
        self._watch = watch
        self._told = told
        self._until = until
        self._ends = time.monotonic() + TURN_S

    def changes(self) -> Iterator[None]:
        """One item for each event."""
        for message in self._told.messages:
            if _matters(message):
                yield
        if time.monotonic() < self._ends - LATE_S:
            raise PlatformUnreachable(f"{self._watch.source}: the line ended before its time")
        self._watch.goes_on(self._until)

    def end(self) -> None:
        """Have it end, from another thread."""
        self._told.end()

    def close(self) -> None:
        """Free what it holds."""
        self._told.close()


def _matters(event: Mapping[str, Any]) -> bool:
    """Whether the inventory may have changed; what an older engine tells besides does not count."""
    of = {"container": _OF_CONTAINERS, "service": _OF_SERVICES}
    return event.get("Action") in of.get(str(event.get("Type")), ())


def _now(engine: DockerEngine) -> datetime:
    told = str(engine.get("/info").get("SystemTime"))
    try:
        return datetime.fromisoformat(told)
    except ValueError as error:
        fact = f"{engine.host}: the engine's time {told!r:.40} cannot be read"
        raise PlatformError(fact) from error


def _spelled(at: datetime) -> str:
    """Seconds since the epoch, with the fraction that the engine understands."""
    return f"{at.timestamp():.6f}"
