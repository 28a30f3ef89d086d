"""Restarter: a container that only restarts when another one that it needs was replaced.

It stays the same container, so there is nothing to make, to compare, to remove or to put back.
"""

from __future__ import annotations

from typing import Any

from safe_auto_updater.core.errors import StepFailed
from safe_auto_updater.core.model import Status
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.updater import Facts, Look, Patience, Side, Work
from safe_auto_updater.platforms.docker.compare import changes
from safe_auto_updater.platforms.docker.containers import Containers, out_of_service_s
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.prechecking import refuse_touched
from safe_auto_updater.platforms.docker.state import status_of
from safe_auto_updater.platforms.docker.takeover import Takeover
from safe_auto_updater.platforms.docker.watching import look_at, patience_with, policy_of
from safe_auto_updater.platforms.docker.watchtower.labels import labels_of

Json = dict[str, Any]


class Restarter:
    """The verbs of `core.updater.Updater` for a member of a unit that keeps its container."""

    def __init__(
        self, containers: Containers, images: Images, settings: Settings, takeover: Takeover
    ) -> None:
        self._containers = containers
        self._images = images
        self._takeover = takeover
        self._settings = settings

    def reachable(self) -> bool:
        """Whether the engine answers now."""
        return self._containers.engine.reachable()

    def prepare(self, work: Work) -> Facts:
        """Nothing is needed."""
        return {}

    def precheck(self, work: Work) -> Facts:
        """It is there and runs, be it in a crash loop that this is to end."""
        name = work.change.container
        found = self._containers.find(name)
        if found is None or found["Image"] != work.change.current.image_id:
            raise StepFailed(f"container {name} is another one now", Cause.CONFLICT)
        image = self._images.find(found["Image"]) or {}
        theirs_too = self._settings.watchtower_labels
        labels = dict(labels_of(found, image, theirs_too=theirs_too))
        fix_forward = policy_of(self._settings, work.with_facts({"labels": labels})).fix_forward
        status, may_loop = status_of(found), fix_forward or work.step.undoes is not None
        if status is not Status.RUNNING and not (status is Status.RESTARTING and may_loop):
            raise StepFailed(f"container {name} is {status.value} now", Cause.CONFLICT)
        return {
            "old_id": found["Id"],
            "labels": labels,
            "fix_forward": fix_forward,
            "restarts": found.get("RestartCount", 0),
        }

    def snapshot(self, work: Work) -> Facts:
        """The container as the engine tells it."""
        return {"snapshot": {"container": self._containers.settings(work.facts["old_id"])}}

    def stage(self, work: Work) -> Facts:
        """Nothing is made."""
        return {"new_id": work.facts["old_id"]}

    def recheck(self, work: Work) -> None:
        """It is as it was, and runs."""
        refuse_touched(self._containers, work)

    def withdraw(self, work: Work, side: Side) -> None:
        """Stop it, before what it needs stops; one that is gone has no need any more."""
        found = self._containers.find(work.facts["old_id"])
        if found is not None:
            self._containers.stop(found)

    def apply(self, work: Work) -> Facts:
        """Stop it, if it was not, and start it."""
        self._containers.stop(self._it(work))
        self._start(work)
        now = self._it(work)
        return {"downtime_s": out_of_service_s(now, now)}

    def look(self, work: Work, side: Side) -> Look:
        """The same container, and its health. Its restarts count anew from each start by us."""
        wanted = work.facts["old_id"]
        found = self._containers.find(wanted)
        before = work.facts.get("snapshot", {}).get("container", found)
        same_run = found is not None and found["State"]["StartedAt"] == before["State"]["StartedAt"]
        restarts = work.facts.get("restarts", 0) if same_run else 0
        return look_at(self._settings, work, wanted, found, restarts)

    def patience(self, work: Work, side: Side) -> Patience:
        """By its HEALTHCHECK and the settings."""
        found = self._containers.find(work.facts["old_id"])
        return patience_with(self._settings, work, found)

    def commit(self, work: Work) -> Facts:
        """Nothing is left over."""
        return {}

    def rollback(self, work: Work) -> Facts:
        """It serves again: restarted, if what it needs may have been replaced under it."""
        before = work.facts["snapshot"]["container"]["State"]["StartedAt"]
        if self._it(work)["State"]["StartedAt"] != before:
            self._containers.stop(self._it(work))
        self._start(work)
        now = self._it(work)
        return {"downtime_s": out_of_service_s(now, now)}

    def confirm(self, work: Work) -> Facts:
        """It equals the snapshot."""
        self._start(work)  # an engine restart ends what has no restart policy
        found = changes(work.facts["snapshot"]["container"], self._it(work))
        if found:
            raise StepFailed(
                f"it runs, and differs from before: {'; '.join(found)}",
                Cause.CONFLICT,
                {"differences": list(found)},
            )
        return {}

    def clean(self, work: Work) -> Facts:
        """It was never touched."""
        return {}

    def _start(self, work: Work) -> None:
        self._takeover.start_again(self._it(work), work.facts["snapshot"]["container"])

    def _it(self, work: Work) -> Json:
        """The container; StepFailed (conflict) where somebody removed it."""
        found = self._containers.find(work.facts["old_id"])
        if found is None:
            fact = f"container {work.change.container} was removed by somebody meanwhile"
            remedy = "see that what has its name now runs as it should"
            raise StepFailed(f"{fact}; {remedy}", Cause.CONFLICT)
        return found
