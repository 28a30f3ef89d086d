"""DockerUpdater: one container, from the old image to the new one, and back to the same old ID.

The new container is made and compared beside the old one. Only APPLY takes the old one out of
service: stop, restart policy off where it would bring it back, two renames, start. Until COMMIT
the old container exists, stopped, under a parked name; going back starts that same container.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from safe_auto_updater.core.errors import PlatformError, PlatformUnfit, StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.updater import Facts, Look, Patience, Side, Work, merged
from safe_auto_updater.engine.health import HealthChecker
from safe_auto_updater.platforms.docker.compare import changes
from safe_auto_updater.platforms.docker.compose.file import ComposeFile
from safe_auto_updater.platforms.docker.configured import configuration
from safe_auto_updater.platforms.docker.containers import (
    Containers,
    last_words,
    out_of_service_s,
)
from safe_auto_updater.platforms.docker.hooks import Hooks
from safe_auto_updater.platforms.docker.images import Images, movable
from safe_auto_updater.platforms.docker.marks import STAGED
from safe_auto_updater.platforms.docker.own import Own
from safe_auto_updater.platforms.docker.prechecking import Prechecks, refuse_touched
from safe_auto_updater.platforms.docker.staging import Staging
from safe_auto_updater.platforms.docker.takeover import Takeover
from safe_auto_updater.platforms.docker.watching import look_at, patience_with

Json = dict[str, Any]


class DockerUpdater:
    """The verbs of `core.updater.Updater` on one engine; each looks first and may be repeated."""

    def __init__(
        self,
        containers: Containers,
        images: Images,
        settings: Settings,
        progress: Callable[[Work, str], None],
        takeover: Takeover,
        health: HealthChecker,
        compose: ComposeFile,
        own: Own,
    ) -> None:
        self._containers = containers
        self._images = images
        self._settings = settings
        self._progress = progress
        self._takeover = takeover
        self._health = health
        self._compose = compose
        self.hooks = Hooks(containers, settings, progress)
        self._prechecks = Prechecks(containers, images, settings, own)
        self._staging = Staging(containers, images, settings, compose)

    def reachable(self) -> bool:
        """Whether the engine answers now."""
        return self._containers.engine.reachable()

    def prepare(self, work: Work) -> Facts:
        """Have the candidate's content on the engine: pulled by digest, or already there."""
        candidate = work.change.candidate
        assert candidate is not None
        image = self._images.find(candidate.image_id) if candidate.image_id else None
        if image is None and candidate.digest is not None:
            reference = Reference.parse(candidate.reference)
            image = self._images.find(reference.pull_by_digest(candidate.digest))
        if image is not None:
            return {"prepared": {"image_id": image["Id"], "pulled": False}}
        if candidate.digest is None:
            raise StepFailed(f"{candidate.reference} is no longer on this engine", Cause.CONFLICT)
        image = self._images.pull(
            reference, candidate.digest, lambda text: self._progress(work, text)
        )
        return {"prepared": {"image_id": image["Id"], "pulled": True}}

    def precheck(self, work: Work) -> Facts:
        """The container is still the one that was planned from, and runs."""
        return self._prechecks.facts(work)

    def snapshot(self, work: Work) -> Facts:
        """The old container and its image as the engine tells them, and where the tags point."""
        candidate = work.change.candidate
        assert candidate is not None
        old = self._containers.settings(work.facts["old_id"])
        old_image = self._images.find(old["Image"])
        if old_image is None:
            raise StepFailed(f"the image of {work.change.container} is gone", Cause.CONFLICT)
        tags = {}
        if movable(candidate.reference):
            current = self._images.find(candidate.reference)
            tags[candidate.reference] = current["Id"] if current else None
        return {
            "snapshot": {"container": old, "image": old_image, "tags": tags},
            "configuration": configuration(old),
        }

    def stage(self, work: Work) -> Facts:
        """Create the new container beside the old one and compare it; the old one keeps serving."""
        facts = self._staging.made(work)
        try:
            facts = merged(facts, self.hooks.run(work, "before_update", work.facts["old_id"]))
        except StepFailed:
            if self._takeover.is_gone(work.facts["old_id"]):
                refuse_touched(self._containers, work)  # a hook ends with its container
            raise
        self.recheck(work.with_facts(facts))
        return facts

    def recheck(self, work: Work) -> None:
        """The old one serves as it did, and the new one is there."""
        refuse_touched(self._containers, work)
        if self._containers.find(work.facts["new_id"]) is None:
            helper = work.change.container + STAGED
            fact = f"container {helper}, made for this update, was removed by somebody"
            raise StepFailed(fact, Cause.CONFLICT)

    def copied_in(self, container: Json) -> list[str]:
        """Paths in a container that only an updater of ours can carry over to another one."""
        return self._compose.copied_in(self._containers.engine, container)

    def withdraw(self, work: Work, side: Side) -> None:
        """Stop one side, so that nothing brings it back."""
        one = (
            self._staging.find(work)
            if side is Side.NEW
            else self._containers.find(work.facts["old_id"])
        )
        if one is not None:
            self._containers.retire(one)

    def apply(self, work: Work) -> Facts:
        """Stop old, park it, start new. A refused start is a failure with its cause."""
        self._compose.write(work)
        self._staging.move_tag(work)
        name = work.change.container
        old = self._containers.inspect(work.facts["old_id"])
        new = self._containers.inspect(work.facts["new_id"])
        if work.facts.get("start_first"):
            seconds: float | None = self._takeover.start_first(
                old,
                new,
                name,
                lambda: self._well_beside(work),
                retire=not work.facts.get("hands_over"),
            )
        else:
            seconds = self._takeover.stop_first(old, new, name, start=work.facts.get("ran", True))
        return {"downtime_s": seconds, **self.hooks.run(work, "after_update", new["Id"])}

    def look(self, work: Work, side: Side) -> Look:
        """Identity first: the side's own container, under the asset's name; then its health."""
        wanted = work.facts["new_id" if side is Side.NEW else "old_id"]
        restarts = 0 if side is Side.NEW else work.facts.get("restarts", 0)
        return look_at(self._settings, work, wanted, self._containers.find(wanted), restarts)

    def patience(self, work: Work, side: Side) -> Patience:
        """By the HEALTHCHECK in force on that side, and the settings."""
        container = self._containers.find(work.facts["new_id" if side is Side.NEW else "old_id"])
        return patience_with(self._settings, work, container)

    def commit(self, work: Work) -> Facts:
        """Remove the parked old container. Its volumes are the new one's now and stay.

        Where that is our own this program ends here, and the next one to act in the new container
        does the rest.
        """
        parked = self._containers.find(work.facts["old_id"])
        if parked is not None:
            if parked["Name"].lstrip("/") == work.change.container:
                fact = "the old container bears the name: it is not parked, and was not removed"
                raise StepFailed(fact, Cause.CONFLICT)
            if work.facts.get("hands_over"):
                self._takeover.retire(parked)
            self._containers.stop(parked)  # whoever has started it
            self._containers.remove(parked["Id"], volumes=False)
        return _told(self._compose.commit(work))

    def rollback(self, work: Work) -> Facts:
        """The same old container serves again under its name and policy; then the new one goes."""
        name, snapshot = work.change.container, work.facts["snapshot"]["container"]
        old = self._containers.find(work.facts["old_id"])
        new, told = self._staging.find(work), {}
        if old is None:
            raise StepFailed(
                f"the old container {work.facts['old_id'][:12]} was removed by somebody; "
                f"{_left(new)}. Repair it by hand, then run `sau release`",
                Cause.CONFLICT,
            )
        holder = self._containers.find(name)
        if holder is not None and holder["Id"] not in (old["Id"], new["Id"] if new else None):
            raise StepFailed(
                f"another container, {holder['Id'][:12]}, has the name {name} now; nothing was "
                "stopped. Give it another name, repair by hand, then run `sau release`",
                Cause.CONFLICT,
            )
        try:
            if work.facts.get("start_first"):
                self._takeover.back_first(old, new, name, snapshot, lambda: self._old_is_well(work))
            else:
                self._takeover.back(old, new, name, snapshot)
        except StepFailed as error:  # whoever starts it by hand, or by Compose, is to start it
            left = [*self._compose.restore(work), *self._tags_restored(work)]
            fact = "; ".join((str(error), *left))
            raise StepFailed(fact, error.cause, error.evidence) from error
        warnings = self._compose.restore(work)
        try:
            if new is not None:
                told["last_words"] = last_words(self._containers, new)
                self._staging.discard(work, new)
        except (PlatformError, PlatformUnfit) as error:  # the old one serves
            warnings.append(f"left over: {error}")
        warnings += self._tags_restored(work)
        old = self._containers.inspect(old["Id"])
        never_stopped = old["State"]["StartedAt"] == snapshot["State"]["StartedAt"]
        return {
            "restarts": old.get("RestartCount", 0),
            "downtime_s": 0.0 if never_stopped else out_of_service_s(old, old),
            **told,
            **_told(warnings),
        }

    def confirm(self, work: Work) -> Facts:
        """The old container equals the snapshot: identity, settings, networks, mounts."""
        snapshot = work.facts["snapshot"]["container"]
        old = self._containers.inspect(work.facts["old_id"])
        if snapshot["State"]["Running"]:
            # An engine restart ends what has no restart policy.
            self._takeover.start_again(old, snapshot)
            old = self._containers.inspect(old["Id"])
        found = changes(snapshot, old)
        if found:
            raise StepFailed(
                f"the old container runs, and differs from before: {'; '.join(found)}",
                Cause.CONFLICT,
                {"differences": list(found)},
            )
        return {}

    def clean(self, work: Work) -> Facts:
        """Remove the staged container, put the tag back; the old container was never touched."""
        warnings = self._compose.restore(work)
        new, name = self._staging.find(work), work.change.container
        if self._takeover.is_gone(work.facts["old_id"]):
            fact = f"container {name} was removed by somebody while it was to be updated"
            if new is not None:
                fact += f"; the new one was left as {name + STAGED}: give it the name and start it"
            raise StepFailed(f"{fact}. Repair by hand, then run `sau release`", Cause.CONFLICT)
        try:
            if new is not None:
                self._staging.discard(work, new)
        except (StepFailed, PlatformError) as error:
            warnings.append(f"left over: {error}")
        return _told(warnings + self._tags_restored(work))

    def _tags_restored(self, work: Work) -> list[str]:
        """The tags lead to the old image again; what stands in the way is told."""
        try:
            self._staging.restore_tags(work)
        except (PlatformError, PlatformUnfit) as error:
            return [f"left over: {error}"]
        return []

    def _well_beside(self, work: Work) -> None:
        """The new container is well while the old one still serves; else StepFailed."""
        wanted, staged = work.facts["new_id"], work.change.container + STAGED

        def look() -> Look:
            found = self._containers.find(wanted)
            return look_at(self._settings, work, wanted, found, 0, called=staged)

        patience = self.patience(work, Side.NEW)
        verdict = self._health.watch(look, replace(patience, stable_for_s=0.0))
        if verdict.healthy and not verdict.proven:  # that it stays up is all that can be seen
            verdict = self._health.watch(look, patience)
        if not verdict.healthy:
            assert verdict.cause is not None
            raise StepFailed(verdict.reason, verdict.cause, {"checks": verdict.evidence})

    def _old_is_well(self, work: Work) -> None:
        """Wait for the old container before the new one goes; CONFIRM is who judges it."""
        patience = replace(self.patience(work, Side.OLD), stable_for_s=0.0)
        self._health.watch(lambda: self.look(work, Side.OLD), patience)


def _told(warnings: list[str]) -> Facts:
    return {"warnings": warnings} if warnings else {}


def _left(new: Json | None) -> str:
    """What became of a new container that has no old one to give way to."""
    if new is None:
        return "there is no new one"
    state = "runs" if new["State"]["Running"] else "does not run"
    return f"the new one, {new['Name'].lstrip('/')}, {state} and was left as it is"
