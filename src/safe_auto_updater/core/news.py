"""What is news between two looks at the same sources."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.model import Asset, ImageUse, Status

NAMED = 10  # of many, in one line


@dataclass(frozen=True)
class News:
    """Identities of what is there and was not so, and of what was there and is not."""

    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    def but(self, known: Collection[str]) -> News:
        """Without what is known already."""
        return News(
            tuple(one for one in self.changed if one not in known),
            tuple(one for one in self.gone if one not in known),
        )

    def __str__(self) -> str:
        """As people read it."""
        said = [short_name(one) for one in self.changed]
        said += [f"{short_name(one)} is gone" for one in self.gone]
        more = len(said) - NAMED
        return ", ".join(said[:NAMED]) + (f" and {more} more" if more > 0 else "")

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.changed or self.gone)


def news(before: Iterable[Asset], now: Iterable[Asset]) -> News:
    """What is new, runs something else than before, or is labelled or owned otherwise.

    How it is (restarting, unhealthy, scaled) is no news: nothing newer exists because of that. What
    is made and not started yet is news when it starts.
    """
    known = {asset.id: asset for asset in before}
    there = {asset.id: asset for asset in now}
    return News(
        tuple(id_ for id_, asset in there.items() if _is_other(known.get(id_), asset)),
        tuple(id_ for id_ in known if id_ not in there),
    )


def _is_other(before: Asset | None, now: Asset) -> bool:
    if now.status is Status.CREATED:
        return False
    if before is None or before.status is Status.CREATED:
        return True
    if len(before.images) != len(now.images):
        return True
    if (before.kind, before.managed_by) != (now.kind, now.managed_by):
        return True
    return any(map(_runs_other, before.images, now.images))


def _runs_other(before: ImageUse, now: ImageUse) -> bool:
    if _written(before) != _written(now):
        return True
    if now.image.image_id is not None:
        return False  # an engine's own word, whatever registries call it
    # Between two pods nobody sees a digest.
    return bool(before.digests and now.digests) and before.digests != now.digests


def _written(use: ImageUse) -> tuple[object, ...]:
    """What its owner said of it, and the engine of its content."""
    image = use.image
    return use.container, image.reference, image.image_id, use.declared, use.policy_labels
