"""ChangeDetector: is there something newer, for one container. Never on half an answer."""

from __future__ import annotations

from safe_auto_updater.core.errors import InvalidReference, RegistryError
from safe_auto_updater.core.model import Asset, Change, Image, ImageUse, Rejection
from safe_auto_updater.core.policy import AssetPolicy
from safe_auto_updater.core.ports import Registry
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.semver import Choice, SemVerEvaluator, Wanted
from safe_auto_updater.core.versions import Bump, PolicyLevel, parse_tag

_NOT_A_CANDIDATE = ("not_found", "platform")  # this tag cannot be had here; another may be
_MOST_TRIED = 10  # each costs requests, which registries count


class ChangeDetector:
    """The newest allowed version first, else new content behind the same tag."""

    def __init__(self, registry: Registry, evaluator: SemVerEvaluator) -> None:
        self._registry = registry
        self._evaluator = evaluator

    def check(self, asset: Asset, policy: AssetPolicy) -> tuple[Change, ...]:
        """One Change per container: with a candidate, without, or with the error that hides it."""
        return tuple(self._check(asset.id, use, policy.level) for use in asset.images)

    def _check(self, asset: str, use: ImageUse, level: PolicyLevel) -> Change:
        nothing = Change(asset, use.container, use.image)
        if level is PolicyLevel.NONE:
            return _with(nothing, note="policy none: not looked up")
        try:
            reference = Reference.parse(use.image.reference)
        except InvalidReference as error:
            return _with(nothing, error=f"no reference to look up: {error}")
        if reference.tag is None and reference.digest is not None:
            return _with(nothing, note="pinned by digest without a tag: nothing to look up")
        if not use.digests:
            return _with(nothing, note=f"built here: not known to come from {reference.name}")
        try:
            return self._look_up(nothing, use, reference, level)
        except RegistryError as error:
            return _with(nothing, error=f"unknown, the registry did not tell: {error}")

    def _look_up(
        self, nothing: Change, use: ImageUse, reference: Reference, level: PolicyLevel
    ) -> Change:
        rejected: tuple[Rejection, ...] = ()
        if parse_tag(reference.tag_or_latest) is not None:
            tags = list(self._registry.tags(use.image.reference))
            for _ in range(_MOST_TRIED):
                choice = self._evaluator.choose(reference.tag_or_latest, tags, Wanted(level))
                rejected = (*rejected, *_new(choice, rejected))
                if not choice.options:
                    break
                best = choice.options[0]
                found = self._candidate(reference, best.tag)
                if isinstance(found, Image):
                    return _with(nothing, found, best.bump.value, rejected)
                rejected = (*rejected, found)
                tags.remove(best.tag)
            else:
                error = (
                    f"unknown: the {_MOST_TRIED} newest allowed tags cannot be had here "
                    f"({rejected[-1].tag}: {rejected[-1].reason})"
                )
                return _with(nothing, rejected=rejected, error=error)
        return self._moved(_with(nothing, rejected=rejected), use, reference)

    def _candidate(self, reference: Reference, tag: str) -> Image | Rejection:
        target = reference.with_tag(tag)
        try:
            answer = self._registry.image(str(target))
        except RegistryError as error:
            if error.reason not in _NOT_A_CANDIDATE:
                raise
            return Rejection(tag, f"listed, but not to be had: {error}")
        if reference.digest is not None:
            target = target.with_digest(answer.digest)
        return Image(str(target), tag, answer.digest, answer.content)

    def _moved(self, change: Change, use: ImageUse, reference: Reference) -> Change:
        """The same tag: has what it points to changed? One HEAD where it has not."""
        by_tag = reference.with_tag(reference.tag_or_latest)
        if self._registry.digest(str(by_tag)) in use.digests:
            return change
        answer = self._registry.image(str(by_tag))
        known = {*use.digests, use.image.image_id}
        if known & {answer.digest, answer.content, answer.config_digest}:
            return change  # another index around the same content
        target = reference if reference.digest is None else reference.with_digest(answer.digest)
        image = Image(str(target), reference.tag, answer.digest, answer.content)
        return _with(change, image, Bump.DIGEST.value, change.rejected)


def _with(
    change: Change,
    candidate: Image | None = None,
    bump: str | None = None,
    rejected: tuple[Rejection, ...] = (),
    error: str | None = None,
    note: str | None = None,
) -> Change:
    return Change(
        change.asset, change.container, change.current, candidate, bump, rejected, error, note
    )


def _new(choice: Choice, known: tuple[Rejection, ...]) -> tuple[Rejection, ...]:
    tags = {rejection.tag for rejection in known}
    return tuple(rejection for rejection in choice.rejected if rejection.tag not in tags)
