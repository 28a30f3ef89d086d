"""ChangeDetector: is there something newer, for one container. Never on half an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from safe_auto_updater.core.errors import InvalidReference, RegistryError
from safe_auto_updater.core.model import Asset, Change, Image, ImageUse, Rejection
from safe_auto_updater.core.policy import AssetPolicy
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.registries import ImageAnswer, Registry
from safe_auto_updater.core.semver import SemVerEvaluator
from safe_auto_updater.core.versions import Bump, PolicyLevel, parse_tag
from safe_auto_updater.engine.behind import Behind
from safe_auto_updater.engine.candidates import Candidates, Doubted, Found, is_young, passed_over
from safe_auto_updater.engine.past import Past

_NOT_A_CANDIDATE = ("not_found", "platform")  # this tag cannot be had here; another may be


@dataclass(frozen=True)
class _Question:
    """One container, what its policy wants, and the reference that is looked up."""

    asset: str
    use: ImageUse
    policy: AssetPolicy
    reference: Reference

    @property
    def by_tag(self) -> Reference:
        """The reference without its digest: what the registry says now."""
        return self.reference.with_tag(self.reference.tag_or_latest)

    def runs(self, answer: ImageAnswer) -> bool:
        """Whether an answer is what runs already, perhaps within another index."""
        known = {*self.use.digests, self.use.image.image_id}
        return bool(known & {answer.digest, answer.content, answer.config_digest})


class ChangeDetector:
    """The newest allowed version that is old enough first, else new content behind the tag."""

    def __init__(self, registry: Registry, evaluator: SemVerEvaluator, past: Past) -> None:
        self._registry = registry
        self._evaluator = evaluator
        self._past = past
        self._behind = Behind(registry, evaluator, self._tags)

    def check(self, asset: Asset, policy: AssetPolicy) -> tuple[Change, ...]:
        """One Change per container: with a candidate, without, or with the error that hides it."""
        return tuple(self._check(asset.id, use, policy) for use in asset.images)

    def _check(self, asset: str, use: ImageUse, policy: AssetPolicy) -> Change:
        nothing = Change(asset, use.container, use.image)
        if policy.level is PolicyLevel.NONE:
            return replace(nothing, note="policy none: not looked up")
        try:
            reference = Reference.parse(use.image.reference)
        except InvalidReference as error:
            return replace(nothing, error=f"no reference to look up: {error}")
        if reference.tag is None and reference.digest is not None:
            return replace(nothing, note="pinned by digest without a tag: nothing to look up")
        if not use.digests and not use.claimed and not use.unseen:
            return replace(nothing, note=f"built here: not known to come from {reference.name}")
        try:
            if use.unseen:
                use = self._as_told(use, reference)
                nothing = replace(nothing, current=use.image)
            elif not use.digests:
                use = self._believed(use, reference)
            return self._look_up(nothing, _Question(asset, use, policy, reference))
        except Doubted as error:
            return replace(nothing, error=str(error))
        except RegistryError as error:
            return replace(nothing, error=f"unknown, the registry did not tell: {error}")

    def _believed(self, use: ImageUse, reference: Reference) -> ImageUse:
        """With the digests that the engine claims, where the registry has them."""
        try:
            answer = self._registry.image(str(reference.with_digest(use.claimed[0])))
        except RegistryError as error:
            if error.reason not in _NOT_A_CANDIDATE:
                raise
            short = use.claimed[0].removeprefix("sha256:")[:12]
            fact = f"unknown: {reference.name} has no {short}: built here, or deleted there"
            raise Doubted(f"{fact}. Pull it again, or exclude it", error.reason) from error
        return replace(use, digests=(*use.claimed, answer.content))

    def _as_told(self, use: ImageUse, reference: Reference) -> ImageUse:
        """With what its tag points to now, which is what it would run."""
        answer = self._registry.image(str(reference))
        digests = (answer.digest, answer.content)
        return replace(use, digests=digests, image=replace(use.image, digest=answer.digest))

    def _look_up(self, nothing: Change, asked: _Question) -> Change:
        newer = nothing
        if asked.policy.level is PolicyLevel.DIGEST:
            only = f"policy digest ({asked.policy.source('policy')}): newer tags are not looked for"
            nothing = replace(nothing, note=only)
        elif parse_tag(asked.reference.tag_or_latest) is not None:
            newer = self._newer(nothing, asked, self._tags(asked.reference))
            if newer.error or newer.note or (newer.candidate and not self._is_young(asked, newer)):
                return newer
        moved = self._moved(nothing, asked)
        if newer.candidate is None or (moved.candidate and not self._is_young(asked, moved)):
            passed = (*passed_over([newer], asked.policy), *newer.rejected)
            return replace(moved, rejected=(*moved.rejected, *passed))
        return newer  # too young, and nothing else to take: the plan says from when on it may go

    def _tags(self, reference: Reference) -> Sequence[str]:
        tags = self._registry.tags(str(reference))
        doubt = self._past.doubt(reference.canonical_name, tags)
        if doubt is not None:
            raise Doubted(doubt, "malformed")
        return tags

    def _newer(self, nothing: Change, asked: _Question, tags: Sequence[str]) -> Change:
        """The best tag that can be had, old enough if one is; else the best of the young ones."""
        choice = self._evaluator.choose(asked.reference.tag_or_latest, tags, asked.policy.wanted)
        return Candidates(self._past, asked.policy, "tags").best(
            nothing, choice, lambda tag: self._candidate(asked, tag)
        )

    def _candidate(self, asked: _Question, tag: str) -> Found | Rejection | None:
        """What a tag would bring; None where it is what runs already."""
        target = asked.reference.with_tag(tag)
        try:
            answer = self._registry.image(str(target))
        except RegistryError as error:
            if error.reason not in _NOT_A_CANDIDATE:
                raise
            return Rejection(tag, f"listed, but not to be had: {error}")
        if asked.runs(answer):
            return None
        skipped = self._skipped(asked, tag, answer)
        if skipped is not None:
            return skipped
        first_seen = self._past.first_seen(str(target), answer.digest)
        if asked.reference.digest is not None:
            target = target.with_digest(answer.digest)
        return Found(Image(str(target), tag, answer.digest, answer.content), first_seen)

    def _moved(self, change: Change, asked: _Question) -> Change:
        """The same tag: has what it points to changed? One HEAD where it has not."""
        by_tag, old = asked.by_tag, asked.use.digests[0]
        self._past.first_seen(str(by_tag), old)
        digest = self._registry.digest(str(by_tag))
        if digest in asked.use.digests:
            self._past.points_to(str(by_tag), digest)
            return change
        answer = self._registry.image(str(by_tag))
        if asked.runs(answer):
            self._past.points_to(str(by_tag), old)
            return change  # another index around the same content
        self._past.points_to(str(by_tag), answer.digest)
        newest = self._moved_to(change, asked, answer)
        if newest.candidate is not None and not self._is_young(asked, newest):
            return newest
        ripe = self._past.now() - asked.policy.minimum_age_s
        for digest, seen in self._past.seen_since(str(by_tag), old):
            if digest == answer.digest or seen > ripe:
                continue
            earlier = self._earlier(asked, digest)
            if earlier is not None and not asked.runs(earlier):
                found = self._moved_to(change, asked, earlier)
                if found.candidate is not None and not self._is_young(asked, found):
                    return replace(
                        found, rejected=(*passed_over([newest], asked.policy), *found.rejected)
                    )
        return newest

    def _moved_to(self, change: Change, asked: _Question, answer: ImageAnswer) -> Change:
        tag = asked.reference.tag_or_latest
        skipped = self._skipped(asked, tag, answer)
        if skipped is not None:
            return replace(change, rejected=(skipped, *change.rejected))
        by_tag = str(asked.by_tag)
        target = asked.reference
        if target.digest is not None:
            target = target.with_digest(answer.digest)
        image = Image(str(target), asked.reference.tag, answer.digest, answer.content)
        versions = self._behind.look(asked.use, asked.policy.wanted, by_tag, answer)
        left = self._past.was_left(asked.asset, asked.use.container, answer.digest)
        goes_back = left and versions.bump is None
        return replace(
            change,
            current=replace(change.current, version=versions.current or change.current.version),
            candidate=replace(image, version=versions.candidate or image.version),
            bump=Bump.DIGEST.value,
            behind=Bump.UNKNOWN.value if goes_back else versions.bump,
            first_seen=self._past.first_seen(by_tag, answer.digest),
        )

    def _earlier(self, asked: _Question, digest: str) -> ImageAnswer | None:
        """What the tag pointed to before, if it can still be had."""
        try:
            return self._registry.image(str(asked.by_tag.with_digest(digest)))
        except RegistryError as error:
            if error.reason not in _NOT_A_CANDIDATE:
                raise
            return None

    def _skipped(self, asked: _Question, tag: str, answer: ImageAnswer) -> Rejection | None:
        version = str(asked.reference.with_tag(tag)) if tag != asked.reference.tag else ""
        who = asked.asset, asked.use.container
        denied = self._past.denied(*who, answer.content, version)
        return None if denied is None else Rejection(tag, f"denied by {denied.who or 'a human'}")

    def _is_young(self, asked: _Question, change: Change) -> bool:
        return is_young(change, asked.policy, self._past.now())
