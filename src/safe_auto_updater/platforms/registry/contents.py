"""What a digest names: kept from an earlier run, at the mirror, or at the registry itself."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.registry.answer import Answer
from safe_auto_updater.platforms.registry.cache import Cache
from safe_auto_updater.platforms.registry.failures import malformed, parse_object, refuse_page
from safe_auto_updater.platforms.registry.image_config import read_config
from safe_auto_updater.platforms.registry.manifests import (
    ACCEPT,
    Index,
    Manifest,
    matches,
    read_manifest,
    refuse_schema_1,
)
from safe_auto_updater.platforms.registry.session import Question, Session

LARGEST_MANIFEST = 4 << 20
_LARGEST_CONFIG = 8 << 20


class Contents:
    """Content by digest, verified wherever it came from, so that it may come from anywhere.

    This is all that a mirror is asked for. What is *newest* (tag lists, and where a tag points)
    only the registry knows: a pull-through cache may serve the list and the tag of last week, and
    some do so without a word while their upstream is away. That would hide a release, or show an
    older build behind a tag as new. A digest cannot be stale.
    """

    def __init__(self, session: Callable[[str], Session], cache: Cache) -> None:
        self._session = session
        self._cache = cache

    def manifest(self, ref: Reference, digest: str) -> Index | Manifest:
        """The manifest of this digest in the reference's repository. Raises RegistryError."""
        what = f"manifest {digest} of {ref.canonical_name}"
        path = f"manifests/{digest}"
        question = Question("GET", path, "", what, LARGEST_MANIFEST, ACCEPT, counted=True)
        return read_manifest(what, self._object(ref, digest, question), digest)

    def config(self, ref: Reference, digest: str) -> Mapping[str, Any]:
        """The configuration of this digest in the reference's repository. Raises RegistryError."""
        what = f"configuration {digest} of {ref.canonical_name}"
        question = Question("GET", f"blobs/{digest}", "", what, _LARGEST_CONFIG, "*/*")
        return read_config(what, self._object(ref, digest, question))

    def artifact(self, ref: Reference, digest: str, limit: int) -> bytes:
        """The blob of this digest, at most so many bytes. Raises RegistryError.

        A web page is nothing else than any other content here: the digest tells.
        """
        what = f"blob {digest} of {ref.canonical_name}"
        body = self._cache.content(ref, digest)
        if body is None:
            question = Question("GET", f"blobs/{digest}", "", what, limit, "*/*")
            body = self._fetched(ref, digest, question)
            self._cache.keep_content(ref, digest, body)
        return body

    def _object(self, ref: Reference, digest: str, question: Question) -> dict[str, Any]:
        body = self._cache.content(ref, digest)
        if body is None:
            body = self._fetched(ref, digest, question)
            self._cache.keep_content(ref, digest, body)
        return parse_object(question.what, body, ref.host)

    def _fetched(self, ref: Reference, digest: str, question: Question) -> bytes:
        origin = self._session(ref.host)
        if origin.settings.mirror is None:
            return _body(origin, ref.repository, digest, question)
        try:
            parts = urlsplit(origin.settings.mirror)
            prefix = parts.path.strip("/")
            repository = f"{prefix}/{ref.repository}" if prefix else ref.repository
            mirror = self._session(parts.netloc)
            return _body(mirror, repository, digest, question)
        except RegistryError as at_mirror:
            try:
                return _body(origin, ref.repository, digest, question)
            except RegistryError as error:
                raise RegistryError(f"{error} Before, the mirror: {at_mirror}", error.reason) from (
                    error
                )


def _body(session: Session, repository: str, digest: str, question: Question) -> bytes:
    path = f"/v2/{repository}/{question.path}"
    answer = session.ask(replace(question, path=path, repository=repository))
    refuse_page(question.what, answer)
    if not matches(answer.body, digest):
        raise _wrong(question.what, answer, digest)
    return answer.body


def _wrong(what: str, answer: Answer, digest: str) -> RegistryError:
    """Why content is not what its digest says; schema 1 never was, by design."""
    error = malformed(what, f"{answer.place} sent content that does not match its digest {digest}")
    try:
        content = parse_object(what, answer.body, answer.place)
    except RegistryError:
        return error
    try:
        refuse_schema_1(what, content)
    except RegistryError as known:
        return known
    return error
