"""The new container beside the old one: made, compared, found again after a crash, and removed."""

from __future__ import annotations

from typing import Any

from safe_auto_updater.core.errors import PlatformError, StepFailed
from safe_auto_updater.core.model import Status
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.updater import Facts, Work
from safe_auto_updater.platforms.docker.compare import differences
from safe_auto_updater.platforms.docker.compose.file import ComposeFile
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.images import Images, movable
from safe_auto_updater.platforms.docker.marks import MARK, STAGED
from safe_auto_updater.platforms.docker.networks import endpoints
from safe_auto_updater.platforms.docker.prechecking import refuse_foreign
from safe_auto_updater.platforms.docker.recreate import create_body, joined
from safe_auto_updater.platforms.docker.state import create_error_cause, status_of
from safe_auto_updater.platforms.docker.watching import policy_of

Json = dict[str, Any]


class Staging:
    """What STAGE makes and what becomes of it where it is not wanted. Looks first, repeatable."""

    def __init__(
        self, containers: Containers, images: Images, settings: Settings, compose: ComposeFile
    ) -> None:
        self._containers = containers
        self._images = images
        self._settings = settings
        self._compose = compose

    def made(self, work: Work) -> Facts:
        """Have it, like the old one but for its image; StepFailed where it is not."""
        candidate = work.change.candidate
        assert candidate is not None
        old, old_image = work.facts["snapshot"]["container"], work.facts["snapshot"]["image"]
        new_image = self._images.find(work.facts["prepared"]["image_id"])
        if new_image is None:
            raise StepFailed("the new image was removed after it was pulled", Cause.CONFLICT)
        before = self._images.find(candidate.reference)
        if movable(candidate.reference):
            self._images.tag(candidate.reference, new_image["Id"])
        body = create_body(old, old_image, candidate.reference, work.update)
        body = joined(body, old, work.facts.get("replaced", {}))
        told = self._images.find(candidate.reference) or new_image
        rule = policy_of(self._settings, work).compose
        staged = self._compose.stage(work, old, body, told["Id"], rule)
        body["Labels"] |= staged.labels
        new = self.find(work)
        if new is None:
            refuse_foreign(self._containers, work, work.change.container + STAGED)
            try:
                new = self._containers.create(work.change.container + STAGED, body)
            except PlatformError as error:
                cause = create_error_cause(error.status)
                raise StepFailed(f"the new container cannot be created: {error}", cause) from error
        new = self._containers.join(new, endpoints(old))
        carried = self._compose.carry_over(self._containers.engine, old, new)
        was = before["Id"] if before else None
        if movable(candidate.reference) and (was is not None or work.step.followers):
            # Until APPLY a tag leads to the old one: others, such as Compose, go by it.
            self._images.restore_tag(candidate.reference, new_image["Id"], was)
        found = differences(old, body, new, new_image)
        if found:
            raise StepFailed(
                f"the new container would not be like the old one: {'; '.join(found)}",
                Cause.PLATFORM,
                {"differences": list(found)},
            )
        return {"new_id": new["Id"], **staged.facts, **carried}

    def move_tag(self, work: Work) -> None:
        """Let the tag lead to the new image. Whoever keeps its image moves no tag."""
        candidate = work.change.candidate
        assert candidate is not None
        if movable(candidate.reference) and not work.step.followers:
            self._images.tag(candidate.reference, work.facts["prepared"]["image_id"])

    def find(self, work: Work) -> Json | None:
        """The container that this update made: by its recorded ID, and by nothing else.

        Only where the ID could not be recorded (killed in STAGE) the label speaks for it, together
        with the staged name and never having run: labels are copied, by `docker commit` for one.
        """
        if "new_id" in work.facts:
            return self._containers.find(work.facts["new_id"])
        found = self._containers.find(work.change.container + STAGED)
        ours = found is not None and (found["Config"]["Labels"] or {}).get(MARK) == work.update
        return found if ours and found and status_of(found) is Status.CREATED else None

    def discard(self, work: Work, new: Json) -> None:
        """Remove it, with the volumes that were made for it; never anything else."""
        if new["Id"] == work.facts["old_id"] or new["Config"]["Labels"].get(MARK) != work.update:
            raise StepFailed(f"container {new['Id'][:12]} is not ours to remove", Cause.CONFLICT)
        self._containers.remove(new["Id"], volumes=True)

    def restore_tags(self, work: Work) -> None:
        """Let the tags that were moved point where they did, if nobody else has moved them."""
        for reference, previous in work.facts["snapshot"]["tags"].items():
            staged = work.facts["prepared"]["image_id"]
            self._images.restore_tag(reference, staged, previous)
