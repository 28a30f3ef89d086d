"""What was seen before: when each digest first, and which tags a repository last listed.

Ages count from our own first sight, because a date inside an image can be forged. A list that
has shrunk since is doubted: half an answer has downgraded others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable
from typing import Any

from safe_auto_updater.core.memory import Denied
from safe_auto_updater.core.spelling import in_words
from safe_auto_updater.core.taglists import goes_on, shrunk
from safe_auto_updater.engine.state import State, all_or_nothing, ask

BELIEVED_AFTER_S = 86400.0  # a list that stays shrunk for so long is how the repository is now


class Past:
    """Read once, asked by many threads, written back by `keep`. Knows nothing of the network."""

    def __init__(
        self,
        connection: State,
        denied: Iterable[Denied],
        left: Container[tuple[str, str, str]],
        now: Callable[[], float],
    ) -> None:
        self._db = connection
        self._denied = {(d.asset, d.container, d.content): d for d in denied}
        self._denied |= {(d.asset, d.container, d.reference): d for d in denied if d.reference}
        self._left = left
        self._now = now
        self._lock = threading.Lock()
        self._seen: dict[str, dict[str, float]] = {}
        for reference, digest, at in self._run("SELECT * FROM sightings ORDER BY first_seen"):
            self._seen.setdefault(reference, {})[digest] = at
        self._new_sightings: list[tuple[str, str, float]] = []
        self._taken_back: list[tuple[str, str]] = []
        self._new_lists: dict[str, tuple[str, str | None, float | None]] = {}

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now()

    def denied(self, asset: str, container: str, content: str, reference: str) -> Denied | None:
        """The human word against this content, or this version, on this container."""
        by_content = self._denied.get((asset, container, content))
        return by_content or self._denied.get((asset, container, reference))

    def was_left(self, asset: str, container: str, digest: str) -> bool:
        """Whether an update took this container away from this content."""
        return (asset, container, digest) in self._left

    def first_seen(self, reference: str, digest: str) -> float:
        """When this digest was first seen under this reference: now, if never."""
        with self._lock:
            known = self._seen.setdefault(reference, {})
            if digest not in known:
                known[digest] = self._now()
                self._new_sightings.append((reference, digest, known[digest]))
            return known[digest]

    def points_to(self, reference: str, digest: str) -> None:
        """A tag points to this digest now. What came under it later was taken back: forget it.

        Should it come again, its age counts from then.
        """
        begin = self.first_seen(reference, digest)
        with self._lock:
            known = self._seen[reference]
            for later in [other for other, at in known.items() if at > begin]:
                del known[later]
                self._taken_back.append((reference, later))

    def seen_since(self, reference: str, digest: str) -> tuple[tuple[str, float], ...]:
        """What came to be seen under a reference after this digest, newest first."""
        begin = self.first_seen(reference, digest)
        with self._lock:
            later = [(other, at) for other, at in self._seen[reference].items() if at > begin]
        return tuple(sorted(later, key=lambda item: item[1], reverse=True))

    def seen_before(self, reference: str, digest: str) -> str | None:
        """What was last seen under a reference before this digest; None where nothing was."""
        begin = self.first_seen(reference, digest)
        with self._lock:
            earlier = [(at, other) for other, at in self._seen[reference].items() if at < begin]
        return max(earlier)[1] if earlier else None

    def doubt(self, repository: str, tags: Iterable[str], kind: str = "tags") -> str | None:
        """Why this list of tags is not to be believed yet, or None. Remembers what is believed."""
        now = self._now()
        text = " ".join(sorted(set(tags)))
        query = "SELECT tags, doubted, doubted_since FROM tag_lists WHERE repository = ?"
        rows = self._run(query, repository)
        believed, doubted, since = rows[0] if rows else ("", None, None)
        if rows and text == believed and since is None:
            return None
        before, earlier, listed = believed.split(), (doubted or "").split(), text.split()
        why = shrunk(before, listed, kind)
        same = shrunk(earlier, listed) is None or goes_on(before, earlier, listed)
        if since is None or not same:
            since = now  # another short list than the one before: the day begins anew
        with self._lock:
            if why is None or now - since >= BELIEVED_AFTER_S:
                self._new_lists[repository] = (text, None, None)
                return None
            self._new_lists[repository] = (believed, text, since)
        wait = in_words(BELIEVED_AFTER_S)
        return (
            f"unknown: {repository} {why}. Such a list is believed when it stays so for {wait}; "
            "ask the registry's operator if that is no answer that they meant to give"
        )

    def keep(self) -> None:
        """Write what is new, all or nothing. Raises JournalError."""
        with self._lock:
            sightings, self._new_sightings = self._new_sightings, []
            taken_back, self._taken_back = self._taken_back, []
            lists, self._new_lists = self._new_lists, {}
        if not sightings and not taken_back and not lists:
            return
        with all_or_nothing(self._db):
            forget = "DELETE FROM sightings WHERE reference = ? AND digest = ?"
            self._db.executemany(forget, taken_back)
            self._db.executemany("INSERT OR IGNORE INTO sightings VALUES (?, ?, ?)", sightings)
            rows = [(repository, *entry) for repository, entry in lists.items()]
            self._db.executemany("INSERT OR REPLACE INTO tag_lists VALUES (?, ?, ?, ?)", rows)

    def _run(self, query: str, *values: str) -> list[Any]:
        return ask(self._db, query, values)
