"""Answers of earlier runs, so that a registry is asked for what is new only."""

import json
from dataclasses import dataclass

from safe_auto_updater.core.answers import Answers, Stored
from safe_auto_updater.core.reference import Reference, is_digest
from safe_auto_updater.platforms.registry.manifests import matches


class NoAnswers:
    """Keeps nothing."""

    def get(self, key: str) -> Stored | None:
        """Nothing."""
        return None

    def put(self, key: str, etag: str | None, body: bytes) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a tag list: its tags, and the link to the next as it was written."""

    tags: tuple[str, ...]
    next: str | None


class Cache:
    """What is kept, by name. Keys hold names and digests, never a credential.

    A kept answer is only used once the registry has said in this run, to whoever we are now, that
    it holds: content because its digest was told by a HEAD or by a parent that was, lists because
    304 is an answer like any other, given after signing in. So nobody sees through the cache what
    the registry would not show.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def content(self, ref: Reference, digest: str) -> bytes | None:
        """The manifest or configuration of this digest; a damaged one is not there."""
        stored = self._answers.get(_content(ref, digest))
        return stored.body if stored is not None and matches(stored.body, digest) else None

    def keep_content(self, ref: Reference, digest: str, body: bytes) -> None:
        """Keep what was verified against its digest: it holds for ever."""
        self._answers.put(_content(ref, digest), None, body)

    def page(self, url: str) -> tuple[str, Page] | None:
        """The entity tag and the page that an address gave."""
        stored = self._answers.get(f"page {url}")
        if stored is None or stored.etag is None:
            return None
        match _parsed(stored.body):
            case {"tags": list(tags), "next": str() | None as link} if _all_text(tags):
                return stored.etag, Page(tuple(tags), link)
        return None

    def keep_page(self, url: str, etag: str, page: Page) -> None:
        """Keep a page that can be asked for again by its entity tag."""
        body = json.dumps({"tags": page.tags, "next": page.next}).encode()
        self._answers.put(f"page {url}", etag, body)

    def target(self, ref: Reference) -> tuple[str, str] | None:
        """The entity tag of what a reference pointed to, and its digest."""
        stored = self._answers.get(_target(ref))
        if stored is None or stored.etag is None:
            return None
        digest = stored.body.decode("latin-1")
        return (stored.etag, digest) if is_digest(digest) else None

    def keep_target(self, ref: Reference, etag: str, digest: str) -> None:
        """Keep where a reference points, to ask by its entity tag whether it still does."""
        self._answers.put(_target(ref), etag, digest.encode())


def _content(ref: Reference, digest: str) -> str:
    return f"content {ref.canonical_name}@{digest}"


def _target(ref: Reference) -> str:
    return f"target {ref.canonical_name} {ref.digest or ref.tag_or_latest}"


def _parsed(body: bytes) -> object:
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed


def _all_text(values: list[object]) -> bool:
    return all(isinstance(value, str) for value in values)
