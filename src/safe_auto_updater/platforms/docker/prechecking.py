"""PRECHECK of one container: still what was planned from, and fit for the way it would be updated.

Nothing is changed here.
"""

from __future__ import annotations

from safe_auto_updater.core.errors import StepFailed
from safe_auto_updater.core.model import Status
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.spelling import Strategy
from safe_auto_updater.core.updater import Facts, Work
from safe_auto_updater.platforms.docker.compare import changes
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.exclusive import exclusive_in
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.marks import MARK, PARKED, STAGED
from safe_auto_updater.platforms.docker.own import Own
from safe_auto_updater.platforms.docker.state import gave_up, status_of
from safe_auto_updater.platforms.docker.watching import policy_of
from safe_auto_updater.platforms.docker.watchtower.labels import labels_of


class Prechecks:
    """What is asked right before the first change."""

    def __init__(
        self, containers: Containers, images: Images, settings: Settings, own: Own
    ) -> None:
        self._containers = containers
        self._images = images
        self._settings = settings
        self._own = own

    def facts(self, work: Work) -> Facts:
        """What the phases after this one go by; StepFailed (conflict) where it cannot be done."""
        name = work.change.container
        old = self._containers.find(name)
        if old is None:
            raise StepFailed(f"container {name} is gone since it was planned", Cause.CONFLICT)
        if old["Image"] != work.change.current.image_id:
            fact = f"container {name} now runs {old['Image'][:19]}, not what was planned from"
            raise StepFailed(fact, Cause.CONFLICT)
        image, theirs_too = self._images.find(old["Image"]) or {}, self._settings.watchtower_labels
        labels = dict(labels_of(old, image, theirs_too=theirs_too))
        policy = policy_of(self._settings, work.with_facts({"labels": labels}))
        fix_forward = policy.fix_forward
        start_first = policy.strategy is Strategy.START_FIRST and not work.step.followers
        status, undoing = status_of(old), work.step.undoes is not None
        stands = status in (Status.EXITED, Status.CREATED)
        rests = stands and bool(work.step.followers) and not (undoing and gave_up(old))
        broken = status is Status.RESTARTING and (fix_forward or undoing)
        broken |= stands and undoing and not rests
        if status is not Status.RUNNING and not (broken or rests):
            raise StepFailed(f"container {name} is {status.value} now", Cause.CONFLICT)
        ours = self._own.is_it(old)
        whole = self._containers.settings(old["Id"]) if start_first or ours else old
        found = self._own.hindrances(whole) if ours else exclusive_in(whole)
        if found and (start_first or ours):
            raise StepFailed(f"start-first is not possible: {'; '.join(found)}", Cause.CONFLICT)
        for helper in (name + STAGED, name + PARKED):
            refuse_foreign(self._containers, work, helper)
        return {
            "old_id": old["Id"],
            "restarts": old.get("RestartCount", 0),
            "labels": labels,
            "fix_forward": fix_forward,
            "ran": not rests,
            "start_first": start_first or ours,
            "hands_over": ours,
        }


def refuse_foreign(containers: Containers, work: Work, helper: str) -> None:
    """A name that we need is free, or borne by what this very update made."""
    found = containers.find(helper)
    if found is not None and (found["Config"]["Labels"] or {}).get(MARK) != work.update:
        try:
            whose = found["Config"]["Labels"][MARK]
            fact = f"update {whose} of another updater works on it, or left it behind"
        except (KeyError, TypeError):
            fact = "it is not ours; rename it to let this one be updated"
        raise StepFailed(f"container {helper} is in the way: {fact}", Cause.CONFLICT)


def refuse_touched(containers: Containers, work: Work) -> None:
    """The old container is as it was when SNAPSHOT saw it; else StepFailed (conflict)."""
    name, snapshot = work.change.container, work.facts["snapshot"]["container"]
    old = containers.find(work.facts["old_id"])
    if old is None:
        raise StepFailed(f"container {name} was removed by somebody meanwhile", Cause.CONFLICT)
    found = changes(snapshot, old)
    if found:
        fact = f"container {name} was changed by somebody meanwhile: {'; '.join(found)}"
        raise StepFailed(fact, Cause.CONFLICT, {"differences": list(found)})
    loops = work.facts.get("fix_forward") or work.step.undoes is not None
    if snapshot["State"]["Running"] and not old["State"]["Running"] and not loops:
        fact = f"container {name} has ended, or was stopped by somebody, meanwhile"
        raise StepFailed(f"{fact}: it stays as it is", Cause.CONFLICT)
