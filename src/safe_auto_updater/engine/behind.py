"""Which versions stand behind a tag that stays: `latest`, `stable`, `16`, or a rebuilt `1.2.3`.

First the image's own word: its version label, or the variable by which a known database states
its version. On a side where there is none, if the tag itself is no version, the version tag that
has the same digest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.model import ImageUse
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.registries import ImageAnswer, Registry
from safe_auto_updater.core.semver import SemVerEvaluator, Wanted
from safe_auto_updater.core.stateful import is_stateful, version_from
from safe_auto_updater.core.versions import Bump, PolicyLevel, Version, parse_tag

VERSION_LABEL = "org.opencontainers.image.version"
_LABEL = re.compile(r"[\x21-\x7e]{1,128}")
_MOST_ASKED = 30  # version tags whose digest is asked for, one HEAD each


@dataclass(frozen=True)
class Versions:
    """Both versions and how far it is between them; None where nobody can tell."""

    current: str | None = None
    candidate: str | None = None
    bump: str | None = None


class Behind:
    """Finds the versions behind a digest change."""

    def __init__(
        self,
        registry: Registry,
        evaluator: SemVerEvaluator,
        tags: Callable[[Reference], Sequence[str]],
    ) -> None:
        self._registry = registry
        self._evaluator = evaluator
        self._tags = tags  # lists that are believed

    def look(self, use: ImageUse, wanted: Wanted, by_tag: str, answer: ImageAnswer) -> Versions:
        """The versions on both sides. Raises RegistryError: *unknown*."""
        config = self._registry.config(by_tag, answer).get("config")
        current = use.declared
        candidate = declared_version(by_tag, config if isinstance(config, Mapping) else {})
        matters = wanted.level is not PolicyLevel.MAJOR or is_stateful(by_tag) is not None
        if None in (current, candidate) and matters:
            known = self._by_digest(by_tag, {answer.digest, *use.digests})
            current = current or next((known[d] for d in use.digests if d in known), None)
            candidate = candidate or known.get(answer.digest)
        if current is None or candidate is None:
            return Versions(current, candidate)
        return Versions(current, candidate, self._bump(current, candidate, wanted))

    def _bump(self, current: str, candidate: str, wanted: Wanted) -> str | None:
        """UNKNOWN where two versions do not follow each other; None where one is no version."""
        bump = self._evaluator.between(current, candidate, wanted.prereleases)
        versions = [parse_tag(text.partition("+")[0]) for text in (current, candidate)]
        if bump is Bump.UNKNOWN and None in versions:
            return None  # a branch, a hash: it tells nothing
        return bump.value

    def _by_digest(self, by_tag: str, wanted: set[str]) -> dict[str, str]:
        """Version tags that have one of these digests, the newest asked first."""
        reference = Reference.parse(by_tag)
        found: dict[str, str] = {}
        more_precise = _more_precise(reference.tag_or_latest, self._listed(reference))
        for tag in more_precise[:_MOST_ASKED]:
            try:
                digest = self._registry.digest(str(reference.with_tag(tag)))
            except RegistryError as error:
                if error.reason != "not_found":
                    raise
                continue
            if digest in wanted:
                found.setdefault(digest, tag)
            if len(found) == len(wanted):
                break
        return found

    def _listed(self, reference: Reference) -> Sequence[str]:
        """The tags; none where the registry shows nobody its list, which is no failure here."""
        try:
            return self._tags(reference)
        except RegistryError as error:
            if error.reason not in ("not_found", "auth"):
                raise
            return ()


def declared_version(reference: str, config: Mapping[str, object]) -> str | None:
    """The version that an image states about itself, by its label or a known variable."""
    labels, env = config.get("Labels"), config.get("Env")
    label = labels.get(VERSION_LABEL) if isinstance(labels, Mapping) else None
    pairs = [str(item).partition("=") for item in env] if isinstance(env, list) else []
    known = version_from(reference, {name: value for name, _, value in pairs})
    return known or (label if isinstance(label, str) and _LABEL.fullmatch(label) else None)


def _more_precise(tag: str, tags: Sequence[str]) -> list[str]:
    """Whole releases that a tag may stand for, in their most precise spelling, newest first.

    `latest` may stand for any without a variant, `16-alpine` for those with the same one; those
    that begin with its numbers come first. A tag as precise as they are stands for itself. Where
    some are dates and some are not, a date is a build and no release.
    """
    own = parse_tag(tag)
    prefix, suffix, begin = ("", "", ()) if own is None else (own.prefix, own.suffix, own.numbers)
    releases = [v for tag in tags if (v := parse_tag(tag)) and not v.prerelease]
    plain = [v for v in releases if v.suffix == suffix and (own is None or v.prefix == prefix)]
    counted = [version for version in plain if not version.is_calendar] or plain
    most = max((len(version.numbers) for version in counted), default=0)
    if most <= len(begin):
        return []

    def order(version: Version) -> tuple[bool, tuple[int, ...], str]:
        return version.numbers[: len(begin)] == begin, version.numbers, version.text

    exact = [version for version in counted if len(version.numbers) == most]
    return [version.text for version in sorted(exact, key=order, reverse=True)]
