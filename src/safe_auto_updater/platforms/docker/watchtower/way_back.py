"""The way back: a container equal to the old one, made on the old image before anything changes.

Watchtower removes the old container, and its cleanup removes the old image by force, whatever it
is tagged with. A container that exists already starts all the same; so the one that may have to
serve again is made and compared beforehand, and waits without having run.
"""

from __future__ import annotations

from typing import Any

from safe_auto_updater.core.errors import PlatformError, StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.updater import Work
from safe_auto_updater.platforms.docker.compare import differences
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.images import Images, movable
from safe_auto_updater.platforms.docker.marks import MARK, STAGED
from safe_auto_updater.platforms.docker.networks import endpoints
from safe_auto_updater.platforms.docker.recreate import create_body
from safe_auto_updater.platforms.docker.state import create_error_cause
from safe_auto_updater.platforms.docker.takeover import Takeover

Json = dict[str, Any]


class WayBack:
    """The second container of one update, found by its label and recorded ID."""

    def __init__(self, containers: Containers, images: Images, takeover: Takeover) -> None:
        self._containers = containers
        self._images = images
        self._takeover = takeover

    def made(self, work: Work) -> Json:
        """The container that can serve again, made where it does not exist; not started."""
        found = self.find(work)
        return found if found is not None else self._make(work)

    def find(self, work: Work) -> Json | None:
        """What this update made: under its staged name, or serving under the asset's own."""
        if "staged_id" in work.facts:
            return self._containers.find(work.facts["staged_id"])
        for name in (work.change.container + STAGED, work.change.container):
            found = self._containers.find(name)
            if found is not None and is_of(work, found):
                return found
        return None

    def unlike(self, work: Work, container: Json) -> tuple[str, ...]:
        """How it differs from the old one, beside what any new container differs in."""
        snapshot = work.facts["snapshot"]
        return differences(snapshot["container"], _body(work), container, snapshot["image"])

    def serve(self, work: Work, container: Json) -> None:
        """Let it run under the asset's name; what is in its way for a moment is waited out."""
        self._containers.rename(container, work.change.container)
        if not work.facts["snapshot"]["container"]["State"]["Running"]:
            return
        self._takeover.start_again(container, work.facts["snapshot"]["container"])

    def discard(self, work: Work) -> None:
        """Remove it where it still waits; never what serves."""
        found = self.find(work)
        if found is None or found["Name"].lstrip("/") == work.change.container:
            return
        if not is_of(work, found):
            raise StepFailed(f"container {found['Id'][:12]} is not ours to remove", Cause.CONFLICT)
        self._containers.remove(found["Id"], volumes=True)

    def restore_tag(self, work: Work) -> None:
        """Let the tag point where it did; an image that cleanup took is pulled again for it."""
        old = work.facts["snapshot"]["image"]["Id"]
        for reference, previous in work.facts["snapshot"]["tags"].items():
            if previous is None:
                self._images.untag(reference)
                continue
            there = self._images.find(previous) is not None
            if not there and not (previous == old and self._pulled(work, reference)):
                raise PlatformError(f"the image that {reference} pointed to is gone")
            self._images.tag(reference, previous)

    def _make(self, work: Work) -> Json:
        """Create it beside whatever serves. The tag leads to the old image for this moment."""
        snapshot, name = work.facts["snapshot"], work.change.container
        image, reference = snapshot["image"]["Id"], snapshot["container"]["Config"]["Image"]
        if self._images.find(image) is None and not self._pulled(work, reference):
            fact = f"the old image {image[:19]} is gone, and its registry does not give it again"
            raise StepFailed(fact, Cause.CONFLICT)
        if movable(reference):
            self._images.tag(reference, image)
        try:
            made = self._containers.create(name + STAGED, _body(work))
        except PlatformError as error:
            cause = create_error_cause(error.status)
            fact = f"the container for the way back cannot be created: {error}"
            raise StepFailed(fact, cause) from error
        return self._containers.join(made, endpoints(snapshot["container"]))

    def _pulled(self, work: Work, reference: str) -> bool:
        """The old image by one of the digests under which its registry knows it."""
        image = work.facts["snapshot"]["image"]
        name = Reference.parse(reference)
        for known in image.get("RepoDigests") or ():
            if known.rpartition("@")[0] != name.name:
                continue
            try:
                found = self._images.pull(name, known.rpartition("@")[2], lambda _: None)
            except StepFailed:
                continue
            if found["Id"] == image["Id"]:
                return True
        return False


def is_of(work: Work, container: Json) -> bool:
    """Whether this update made it."""
    return bool((container["Config"]["Labels"] or {}).get(MARK) == work.update)


def _body(work: Work) -> Json:
    snapshot = work.facts["snapshot"]
    old = snapshot["container"]
    return create_body(old, snapshot["image"], old["Config"]["Image"], work.update)
