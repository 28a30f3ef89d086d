"""KubernetesUpdater: new images for one workload, rolled out by its own controller, and back.

Only image fields are written, by container name, pinned to the digest. The controller replaces
the pods at the pace that the workload itself says. Nothing is staged beside it: the server says
beforehand what the change would make of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from safe_auto_updater.core.errors import PlatformUnreachable, RegistryError, StepFailed
from safe_auto_updater.core.model import Change
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.planning import of_its_pipeline
from safe_auto_updater.core.policy import Settings, resolve
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.updater import Facts, Look, Patience, Side, Work
from safe_auto_updater.platforms.kubernetes import pods as of
from safe_auto_updater.platforms.kubernetes.annotations import labels_of
from safe_auto_updater.platforms.kubernetes.cluster import Refused
from safe_auto_updater.platforms.kubernetes.comparing import configuration, differences
from safe_auto_updater.platforms.kubernetes.dry_run import dry_run
from safe_auto_updater.platforms.kubernetes.kinds import CRON_JOB, images
from safe_auto_updater.platforms.kubernetes.leftover_runs import end_runs
from safe_auto_updater.platforms.kubernetes.observer import Observer
from safe_auto_updater.platforms.kubernetes.owners import managed_by
from safe_auto_updater.platforms.kubernetes.stuck import free_blocked_pods
from safe_auto_updater.platforms.kubernetes.target import (
    Target,
    as_it_was,
    images_of,
    new_images,
    old_images,
    operations,
    pinned,
)
from safe_auto_updater.platforms.kubernetes.workloads import Workloads, without_managers

Json = dict[str, Any]
TRIES = 5  # against a server that answers 409 or 500, or somebody who writes at the same moment
TRY_S = 0.3


class KubernetesUpdater:
    """The verbs of `core.updater.Updater` for workloads; each looks first and may be repeated."""

    def __init__(
        self,
        workloads: Workloads,
        settings: Settings,
        resolvable: Callable[[str], None],
        points_to: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._workloads = workloads
        self._settings = settings
        self._resolvable = resolvable  # raises RegistryError where an image is not to be had
        self._points_to = points_to  # the digest behind a tag now; raises RegistryError
        self._clock = clock
        self._observer = Observer(workloads, settings, clock)

    def reachable(self) -> bool:
        """Whether the cluster answers now."""
        return self._workloads.cluster.reachable()

    def prepare(self, work: Work) -> Facts:
        """Both sides can be had: nodes pull them themselves, by digest, on the way back too."""
        for change in work.step.changes:
            assert change.candidate is not None
            self._can_be_had(pinned(change.candidate), "")
            if change.current.digest is not None:
                self._can_be_had(as_it_was(change.current), "there would be no way back: ")
        return {"prepared": {"image_id": None, "pulled": False}}

    def _can_be_had(self, image: str, why: str) -> None:
        try:
            self._resolvable(image)
        except RegistryError as error:
            raise StepFailed(f"{why}{image} cannot be had: {error}", Cause.REGISTRY) from error

    def precheck(self, work: Work) -> Facts:
        """The workload still runs what was planned from."""
        target = Target.of(work.step.asset)
        workload = self._workloads.find(target)
        if workload is None:
            raise StepFailed(f"{target} is gone since it was planned", Cause.CONFLICT)
        has = images(target.kind.pod_spec(workload))
        for change in work.step.changes:
            now = has.get(change.container)
            if now not in (change.current.reference, as_it_was(change.current)):
                fact = f"container {change.container} of {target} now has image {now}"
                raise StepFailed(f"{fact}, not what was planned from", Cause.CONFLICT)
        labels = labels_of(workload)
        return {
            "uid": workload["metadata"]["uid"],
            "old_images": {change.container: has[change.container] for change in work.step.changes},
            "labels": labels,
            "managed_by": managed_by(workload),
            "fix_forward": resolve(self._settings, work.step.asset, labels).fix_forward,
        }

    def snapshot(self, work: Work) -> Facts:
        """The workload as the server tells it."""
        workload = self._present(work)
        return {
            "snapshot": {"workload": without_managers(workload)},
            "configuration": configuration(Target.of(work.step.asset).kind.pod_spec(workload)),
        }

    def stage(self, work: Work) -> Facts:
        """Ask the server what the change would make of it: the images and nothing else."""
        target, workload = Target.of(work.step.asset), self._present(work)
        self._untouched(work, workload)
        old = images_of(work, Side.OLD, workload)
        answer = dry_run(self._workloads, target, workload, old, new_images(work))
        if answer.refusal is not None:
            more = {"differences": list(answer.differences)} if answer.differences else {}
            raise StepFailed(answer.refusal, Cause.PLATFORM, more)
        return {}

    def recheck(self, work: Work) -> None:
        """Nobody wrote its template meanwhile."""
        self._untouched(work, self._present(work))

    def withdraw(self, work: Work, side: Side) -> None:
        """A workload is not taken out of service for the sake of another asset."""
        raise StepFailed(f"{work.step.asset} cannot be withdrawn", Cause.PLATFORM)

    def apply(self, work: Work) -> Facts:
        """Write the new images. Whoever wrote one of them meanwhile wins."""
        self._write(work, new_images(work))
        return {}

    def look(self, work: Work, side: Side) -> Look:
        """Identity first: this side's images; then the rollout, pod by pod."""
        return self._observer.look(work, side)

    def patience(self, work: Work, side: Side) -> Patience:
        """10 min without progress, or what the settings say."""
        return self._observer.patience(work)

    def commit(self, work: Work) -> Facts:
        """Nothing was kept for the way back that the cluster does not keep itself."""
        if work.step.undoes is not None:
            return {}  # what a manifest says may be this very version
        remarks = of_its_pipeline(work.facts.get("managed_by"), work.step.changes)
        return {"remarks": remarks} if remarks else {}

    def rollback(self, work: Work) -> Facts:
        """The old images are in its template again, and nothing keeps its controller from them."""
        told, workload = self._observer.last_words(work), self._present_or_none(work)
        if workload is None:
            fact = "the workload was removed by somebody; make it again by hand"
            raise StepFailed(f"{fact}, then run `sau release`", Cause.CONFLICT)
        back, warnings = images_of(work, Side.OLD, workload), []
        has = images(Target.of(work.step.asset).kind.pod_spec(workload))
        for change in work.step.changes:
            spellings = old_images(work)[change.container]
            if has.get(change.container) not in spellings and self._has_moved(change):
                back[change.container] = spellings[-1]
                warnings.append(
                    f"container {change.container} is pinned to {spellings[-1]} now: its tag leads "
                    "elsewhere by now, or nobody could say where"
                )
        self._write(work, back)
        new = new_images(work)
        if Target.of(work.step.asset).kind is CRON_JOB:
            warnings += end_runs(self._workloads, workload, new)
        free_blocked_pods(
            self._workloads,
            Target.of(work.step.asset),
            lambda _, pod: of.runs(pod, new),
            self._clock.sleep,
            self.patience(work, Side.OLD).timeout_s,
        )
        return {**told, **({"warnings": warnings} if warnings else {})}

    def _has_moved(self, change: Change) -> bool:
        """Whether what the old image is called may be something else by now."""
        if change.current.digest is None or Reference.parse(change.current.reference).digest:
            return False
        try:
            return self._points_to(change.current.reference) != change.current.digest
        except RegistryError:
            return True

    def confirm(self, work: Work) -> Facts:
        """The live object equals the snapshot; how many pods there are is left to who scales."""
        kind, workload = Target.of(work.step.asset).kind, self._present(work)
        before = work.facts["snapshot"]["workload"]
        found = differences(kind, before, workload, images_of(work, Side.OLD, workload))
        if found:
            raise StepFailed(
                f"the workload differs from before: {', '.join(found)}",
                Cause.CONFLICT,
                {"differences": found},
            )
        return {}

    def clean(self, work: Work) -> Facts:
        """Nothing was staged."""
        return {}

    def _write(self, work: Work, after: Mapping[str, str]) -> None:
        """Write these images over ours. A refusal is looked into before it is tried again."""
        target, last = Target.of(work.step.asset), ""
        ours = {name: {*old_images(work)[name], new} for name, new in new_images(work).items()}
        for _ in range(TRIES):
            workload = self._present(work)
            has = images(target.kind.pod_spec(workload))
            if all(has.get(name) == image for name, image in after.items()):
                return
            theirs = [name for name in after if has.get(name) not in ours[name]]
            if theirs:
                fact = f"somebody changed container {theirs[0]} to {has.get(theirs[0], 'nothing')}"
                raise StepFailed(f"{fact} meanwhile; that was left as it is", Cause.CONFLICT)
            now = {name: has[name] for name in after}
            try:
                self._workloads.cluster.patch(
                    target.path, operations(target.kind, workload, now, after)
                )
                return
            except Refused as error:
                last = str(error)
                if error.reason == "Forbidden":
                    raise StepFailed(str(error), Cause.PLATFORM) from error
            except PlatformUnreachable as error:
                last = str(error)  # whether it was taken is seen at the next look
            self._clock.sleep(TRY_S)
        raise PlatformUnreachable(f"{target} cannot be written: {last}")

    def _present(self, work: Work) -> Json:
        found = self._present_or_none(work)
        if found is None:
            raise StepFailed(f"{Target.of(work.step.asset)} is gone", Cause.CONFLICT)
        return found

    def _present_or_none(self, work: Work) -> Json | None:
        found = self._workloads.find(Target.of(work.step.asset))
        if found is None or found["metadata"]["uid"] != work.facts["uid"]:
            return None
        return found

    def _untouched(self, work: Work, workload: Json) -> None:
        target, before = Target.of(work.step.asset), work.facts["snapshot"]["workload"]
        found = differences(target.kind, before, workload, {})
        if found:
            fact = f"somebody changed {target} meanwhile: {', '.join(found)}"
            raise StepFailed(fact, Cause.CONFLICT, {"differences": found})
