"""How many pulls a registry still grants us, as its RateLimit headers say."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.platforms.registry.answer import Headers

# An update itself needs a pull: look-ups do not take the last ones.
_KEPT_FOR_UPDATES = 2
_USUAL_WINDOW_S = 6 * 3600.0
_LONGEST_WINDOW_S = 24 * 3600.0
_QUOTA = re.compile(r"\s*(\d{1,9})(?:\s*;.*?\bw=(\d{1,9}))?")


@dataclass(frozen=True, slots=True)
class Limit:
    """What is left of `granted` pulls (None: not said) in a window that rolls on."""

    remaining: int
    granted: int | None
    window_s: float | None


def limit_in(headers: Headers) -> Limit | None:
    """What an answer's headers say; None where they hold no count."""
    left = _QUOTA.match(headers.get("ratelimit-remaining") or "")
    if left is None:
        return None
    granted = _QUOTA.match(headers.get("ratelimit-limit") or "")
    window = left[2] or (granted and granted[2])
    return Limit(
        int(left[1]), int(granted[1]) if granted else None, float(window) if window else None
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    limit: Limit
    at: float


class Limits:
    """Remembers, for each host, what its newest answer said. Thread-safe.

    Docker Hub counts GETs of manifests and tells the count with every HEAD, which is free. So a
    HEAD is never held back, and it is what tells us when there is room again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}

    def note(self, host: str, headers: Headers) -> None:
        """Read an answer's headers; those without a count change nothing."""
        limit = limit_in(headers)
        if limit is None:
            return
        with self._lock:
            self._seen[host] = _Seen(limit, self._clock.monotonic())

    def refuse_spent(self, what: str, host: str) -> None:
        """Raise RegistryError (rate_limited) where a counted question would take the last pulls."""
        with self._lock:
            seen = self._seen.get(host)
        if seen is None:
            return
        limit = seen.limit
        kept = min(_KEPT_FOR_UPDATES, (limit.granted or _KEPT_FOR_UPDATES) - 1)
        window = min(limit.window_s or _USUAL_WINDOW_S, _LONGEST_WINDOW_S)
        rest = seen.at + window - self._clock.monotonic()
        if limit.remaining > kept or rest <= 0:
            return
        granted = "" if limit.granted is None else f" of {limit.granted}"
        raise RegistryError(
            f"{what}: {host} grants {limit.remaining}{granted} more pulls for now, which are kept "
            f"for updates; there are more in {rest / 60:.0f} min at the latest. "
            "Wait, sign in for a higher limit, or use a mirror.",
            "rate_limited",
        )

    def all(self) -> Mapping[str, Limit]:
        """The newest word of each host that counts."""
        with self._lock:
            return {host: seen.limit for host, seen in self._seen.items()}
