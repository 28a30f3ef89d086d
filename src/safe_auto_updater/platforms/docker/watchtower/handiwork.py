"""Which containers are Watchtower's work, and where it would find some: read off the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from safe_auto_updater.core.errors import RegistryError, StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.updater import Work
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.watchtower.api import Done
from safe_auto_updater.platforms.docker.watchtower.changes import made_like
from safe_auto_updater.platforms.docker.watchtower.selection import image_written

Json = dict[str, Any]


class Handiwork:
    """Tells by IDs and digests; `published` says where a tag points at its registry now."""

    def __init__(
        self, containers: Containers, images: Images, published: Callable[[str], str]
    ) -> None:
        self._containers = containers
        self._images = images
        self._published = published

    def made(self, work: Work, done: Done | None) -> Json:
        """The container that Watchtower made, on the image that was planned."""
        name, candidate = work.change.container, work.change.candidate
        assert candidate is not None
        counts = dict(done.counts) if done is not None else {}
        told = ", ".join(f"{key} {count}" for key, count in counts.items())
        said = f" (it says: {told})" if told else ""
        new = self._containers.find(name)
        if new is None:
            fact = f"Watchtower removed {name} and could not make or start it anew{said}"
            cause = Cause.IMAGE if counts.get("failed") else Cause.PLATFORM
            raise StepFailed(fact, cause, {"counts": counts})
        if new["Id"] == work.facts["old_id"]:
            fact = (
                f"Watchtower left {name} as it is{said}: its log says why (its scope, names, "
                "labels or hooks leave it out, or it could not pull)"
            )
            raise StepFailed(fact, Cause.CONFLICT, {"counts": counts})
        digests = self.digests(new)
        if candidate.digest not in digests:
            fact = f"Watchtower took another version of {candidate.reference} than was planned"
            raise StepFailed(fact, Cause.CONFLICT, {"taken": sorted(digests)})
        return new

    def is_it(self, work: Work, holder: Json) -> bool:
        """By its recorded ID; else, where that could not be recorded, made like the old one."""
        if holder["Id"] == work.facts.get("new_id"):
            return True
        snapshot = work.facts["snapshot"]
        old = snapshot["container"]
        written = {image_written(one).removesuffix(":latest") for one in (old, holder)}
        image = self._images.find(holder["Image"]) or {"Id": holder["Image"]}
        return len(written) == 1 and made_like(old, snapshot["image"], holder, image)

    def is_stale(self, container: Mapping[str, Any]) -> bool:
        """Whether Watchtower would find something newer for it."""
        return self.points_to(image_written(container)) not in self.digests(container)

    def digests(self, container: Mapping[str, Any]) -> set[str]:
        """Every digest by which a registry may know its image; containerd's ID is one itself."""
        image = self._images.find(container["Image"]) or {}
        known = {digest.rpartition("@")[2] for digest in image.get("RepoDigests") or ()}
        return known | {str(container["Image"])}

    def points_to(self, reference: str) -> str:
        """The digest behind a tag at its registry now."""
        try:
            return self._published(reference)
        except RegistryError as error:
            raise StepFailed(
                f"nobody knows what {reference} is now: {error}", Cause.REGISTRY
            ) from error
