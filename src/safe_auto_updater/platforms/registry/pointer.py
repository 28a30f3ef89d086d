"""Where a tag points now, asked in the way that costs least."""

from dataclasses import replace

from safe_auto_updater.core.reference import Reference, is_digest
from safe_auto_updater.platforms.registry.answer import Answer
from safe_auto_updater.platforms.registry.cache import Cache
from safe_auto_updater.platforms.registry.contents import LARGEST_MANIFEST
from safe_auto_updater.platforms.registry.failures import malformed, parse_object, refuse_page
from safe_auto_updater.platforms.registry.manifests import (
    ACCEPT,
    read_manifest,
    refuse_schema_1,
    sha256_of,
    verified,
)
from safe_auto_updater.platforms.registry.session import Question, Session

_NO_HEAD = frozenset({405, 501})


def digest_of_target(session: Session, ref: Reference, cache: Cache) -> str:
    """The digest of what the reference points to: by HEAD, else by GET. Raises RegistryError.

    Digests are told as sha256, which is what engines note: another algorithm would make the same
    content look changed.
    """
    what = f"manifest of {ref}"
    path = f"/v2/{ref.repository}/manifests/{ref.digest or ref.tag_or_latest}"
    question = Question("HEAD", path, ref.repository, what, LARGEST_MANIFEST, ACCEPT, also=_NO_HEAD)
    answer = session.ask(question)
    digest = answer.headers.get("docker-content-digest") or ""
    if ref.digest is not None and is_digest(digest) and digest != ref.digest:
        raise malformed(what, f"{answer.place} answered with another digest than it was asked for")
    usual = digest.startswith("sha256:") or digest == ref.digest
    if answer.status == 200 and is_digest(digest) and usual:
        return digest
    return _by_get(session, ref, replace(question, method="GET", counted=True), cache)


def _by_get(session: Session, ref: Reference, question: Question, cache: Cache) -> str:
    kept = cache.target(ref)
    answer = session.ask(replace(question, etag=kept[0] if kept else None, also=frozenset()))
    if answer.status == 304 and kept is not None:
        return kept[1]
    digest = _read(question.what, ref, answer)
    cache.keep_content(ref, digest, answer.body)
    if answer.etag is not None:
        cache.keep_target(ref, answer.etag, digest)
    return digest


def _read(what: str, ref: Reference, answer: Answer) -> str:
    refuse_page(what, answer)
    content = parse_object(what, answer.body, answer.place)
    refuse_schema_1(what, content)
    told = answer.headers.get("docker-content-digest")
    if told is not None and not is_digest(told):
        raise malformed(what, f"the Docker-Content-Digest header of {answer.place} is no digest")
    for digest in (told, ref.digest):
        if digest is not None:
            verified(what, answer.body, digest)
    digest = ref.digest or sha256_of(answer.body)
    read_manifest(what, content, digest)
    return digest
