"""Which versions stand behind a tag that stays: `latest`, `stable`, `16`, or a rebuilt `1.2.3`.

First the image's own word: its version label, or the variable by which a known database states
its version. On a side where there is none, if the tag itself is no version, the version tag that
has the same digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from safe_auto_updater.core.model import ImageUse
from safe_auto_updater.core.ports import ImageAnswer, Registry
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.semver import SemVerEvaluator
from safe_auto_updater.core.stateful import is_stateful, version_from
from safe_auto_updater.core.versions import Bump, PolicyLevel, parse_tag

VERSION_LABEL = "org.opencontainers.image.version"
_MOST_ASKED = 10  # version tags whose digest is asked for, one HEAD each


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

    def look(self, use: ImageUse, level: PolicyLevel, by_tag: str, answer: ImageAnswer) -> Versions:
        """The versions on both sides. Raises RegistryError: *unknown*."""
        config = self._registry.config(by_tag, answer).get("config")
        current = use.declared
        candidate = declared_version(by_tag, config if isinstance(config, Mapping) else {})
        tag = Reference.parse(by_tag).tag_or_latest
        matters = level is not PolicyLevel.MAJOR or is_stateful(by_tag) is not None
        if None in (current, candidate) and parse_tag(tag) is None and matters:
            known = self._by_digest(by_tag, {answer.digest, *use.digests})
            current = current or next((known[d] for d in use.digests if d in known), None)
            candidate = candidate or known.get(answer.digest)
        if current is None or candidate is None:
            return Versions(current, candidate)
        return Versions(current, candidate, self._bump(current, candidate))

    def _bump(self, current: str, candidate: str) -> str | None:
        """UNKNOWN only where it goes back: texts that cannot be compared tell nothing."""
        bump = self._evaluator.between(current, candidate)
        if bump is not Bump.UNKNOWN:
            return bump.value
        goes_back = self._evaluator.between(candidate, current) is not Bump.UNKNOWN
        return bump.value if goes_back else None

    def _by_digest(self, by_tag: str, wanted: set[str]) -> dict[str, str]:
        """Version tags that have one of these digests, the newest asked first."""
        reference = Reference.parse(by_tag)
        found: dict[str, str] = {}
        for tag in _plain_versions(self._tags(reference))[:_MOST_ASKED]:
            digest = self._registry.digest(str(reference.with_tag(tag)))
            if digest in wanted:
                found.setdefault(digest, tag)
        return found


def declared_version(reference: str, config: Mapping[str, object]) -> str | None:
    """The version that an image states about itself, by its label or a known variable."""
    labels, env = config.get("Labels"), config.get("Env")
    label = labels.get(VERSION_LABEL) if isinstance(labels, Mapping) else None
    pairs = [str(item).partition("=") for item in env] if isinstance(env, list) else []
    known = version_from(reference, {name: value for name, _, value in pairs})
    return known or (label if isinstance(label, str) and label else None)


def _plain_versions(tags: Sequence[str]) -> list[str]:
    """Whole releases without a variant in their most precise spelling, newest first.

    Where some are dates and some are not, a date is a build and no release.
    """
    plain = [v for tag in tags if (v := parse_tag(tag)) and not (v.prerelease or v.suffix)]
    counted = [version for version in plain if not version.is_calendar] or plain
    most = max((len(version.numbers) for version in counted), default=0)
    exact = [version for version in counted if len(version.numbers) == most]
    return [v.text for v in sorted(exact, key=lambda v: (v.numbers, v.text), reverse=True)]
