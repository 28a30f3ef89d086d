"""Goes through what a policy allows, best first, until one can be had and is old enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.model import Change, Image, Rejection
from safe_auto_updater.core.policy import AssetPolicy
from safe_auto_updater.core.semver import Choice
from safe_auto_updater.core.spelling import in_words
from safe_auto_updater.engine.past import Past

_MOST_REFUSED = 10  # each costs requests, which registries count
_MOST_YOUNG = 50  # for a repository with several releases a day; asked for once, then remembered


class Doubted(RegistryError):
    """What came is half an answer, for all we know."""


@dataclass(frozen=True)
class Found:
    """What a version would bring, when it was first seen, and what people must know of it."""

    image: Image
    first_seen: float
    remarks: tuple[str, ...] = ()


class Candidates:
    """The versions that one policy allows of one asset. `kind` is what they are called: `tags`."""

    def __init__(self, past: Past, policy: AssetPolicy, kind: str) -> None:
        self._past = past
        self._policy = policy
        self._kind = kind

    def best(
        self, nothing: Change, choice: Choice, look: Callable[[str], Found | Rejection | None]
    ) -> Change:
        """The best that can be had, old enough if one is; else the best of the young ones.

        `look` says what a version would bring, why it cannot be had, or None where it is what runs
        already. Raises RegistryError: *unknown*.
        """
        refused: list[Rejection] = []
        young: list[Change] = []
        for option in choice.options:
            if len(refused) == _MOST_REFUSED or len(young) == _MOST_YOUNG:
                break
            found = look(option.tag)
            if isinstance(found, Rejection):
                refused.append(found)
                continue
            if found is None:
                if young:
                    break
                note = f"{option.tag} is the newest allowed, and is what runs already"
                return replace(nothing, note=note, rejected=(*refused, *choice.rejected))
            change = replace(
                nothing,
                candidate=found.image,
                bump=option.bump.value,
                first_seen=found.first_seen,
                remarks=(*nothing.remarks, *found.remarks),
                path=(option.tag, *choice.path[1:]) if choice.path else (),
            )
            if not is_young(change, self._policy, self._past.now()):
                passed = (*passed_over(young, self._policy), *refused)
                return replace(change, rejected=(*passed, *choice.rejected))
            young.append(change)
        rejected = (*refused, *choice.rejected)
        if not young and len(refused) == _MOST_REFUSED:
            error = (
                f"unknown: the {_MOST_REFUSED} newest allowed {self._kind} cannot be had here "
                f"({refused[-1].tag}: {refused[-1].reason})"
            )
            return replace(nothing, rejected=rejected, error=error)
        return replace(young[0] if young else nothing, rejected=rejected)


def is_young(change: Change, policy: AssetPolicy, now: float) -> bool:
    """Whether we have not seen its candidate for as long as the policy wants."""
    if policy.minimum_age_s <= 0:
        return False
    seen = change.first_seen if change.first_seen is not None else now
    return now < seen + policy.minimum_age_s


def passed_over(young: Sequence[Change], policy: AssetPolicy) -> tuple[Rejection, ...]:
    """Why the newer ones were passed over."""
    reason = f"younger than {in_words(policy.minimum_age_s)} ({policy.source('minimum_age')})"
    newer = [change.candidate for change in young if change.candidate is not None]
    return tuple(Rejection(image.version or image.reference, reason) for image in newer)
