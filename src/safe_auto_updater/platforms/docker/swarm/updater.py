"""SwarmUpdater: one service, by the engine's own rolling update and its own way back.

The engine replaces the tasks, watches each, and takes the update back when one fails; its verdict
is awaited. Of the spec only the image is written. Nothing is staged and nothing is left over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from safe_auto_updater.core.errors import SafeAutoUpdaterError, StepFailed
from safe_auto_updater.core.model import Image
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import Settings, resolve
from safe_auto_updater.core.ports import CheckState
from safe_auto_updater.core.updater import Facts, Look, Patience, Side, Work
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.swarm.differences import differences
from safe_auto_updater.platforms.docker.swarm.observer import Observer, image_of, new_image
from safe_auto_updater.platforms.docker.swarm.services import OutOfSequence, Services
from safe_auto_updater.platforms.docker.swarm.view import (
    GOING,
    STUCK,
    ended,
    labels_of,
    pinned,
    runs_on,
    state_of,
    turned_back,
    with_image,
)
from safe_auto_updater.platforms.docker.swarm.watching import told

Json = dict[str, Any]
TRIES = 10  # against an engine that is writing the same service (its own verdict) meanwhile
TRY_S = 0.2
GO_ON = 3  # how often a way back that stopped is begun again
LOOK_S = 0.5


class SwarmUpdater:
    """The verbs of `core.updater.Updater` for services; each looks first and may be repeated."""

    def __init__(
        self,
        services: Services,
        containers: Containers,
        images: Images,
        settings: Settings,
        sleep: Callable[[float], None],
    ) -> None:
        self._services = services
        self._images = images
        self._settings = settings
        self._sleep = sleep
        self._observer = Observer(services, containers, images, settings)

    def reachable(self) -> bool:
        """Whether the Swarm answers through this engine."""
        return self._services.reachable()

    def prepare(self, work: Work) -> Facts:
        """The candidate can be had: the nodes pull it themselves, by its digest."""
        wanted_image = pinned(new_image(work))
        why = self._services.resolvable(wanted_image)
        if why is not None and self._images.find(wanted_image) is None:
            fact = f"the Swarm's manager cannot find {wanted_image}: {why}"
            raise StepFailed(fact, Cause.REGISTRY)
        return {"prepared": {"image_id": None, "pulled": False}}

    def precheck(self, work: Work) -> Facts:
        """The service still runs what was planned from, and nobody is updating it."""
        name = work.change.container
        service = self._services.find(name)
        if service is None:
            raise StepFailed(f"service {name} is gone since it was planned", Cause.CONFLICT)
        if not _is(work.change.current, service):
            fact = f"service {name} now has image {runs_on(service['Spec'])}, not what was planned"
            raise StepFailed(f"{fact} from", Cause.CONFLICT)
        if state_of(service) in (*GOING, *STUCK):
            fact = f"service {name} is being updated by somebody ({state_of(service)})"
            raise StepFailed(fact, Cause.CONFLICT)
        labels = dict(labels_of(service["Spec"]))
        policy = resolve(self._settings, work.step.asset, labels)
        return {
            "service": service["ID"],
            "old_image": runs_on(service["Spec"]),
            "labels": labels,
            "fix_forward": policy.fix_forward,
        }

    def snapshot(self, work: Work) -> Facts:
        """The service as the engine tells it: its whole spec, its version, and its spec before."""
        return {"snapshot": {"service": self._present(work)}}

    def stage(self, work: Work) -> Facts:
        """Nothing is made beside it; the last look before its first task is replaced."""
        self._untouched(work)
        return {}

    def recheck(self, work: Work) -> None:
        """Nobody wrote the service meanwhile."""
        self._untouched(work)

    def withdraw(self, work: Work, side: Side) -> None:
        """A service is not taken out of service for the sake of another asset."""
        raise StepFailed(f"service {work.change.container} cannot be withdrawn", Cause.PLATFORM)

    def apply(self, work: Work) -> Facts:
        """Have the engine roll the new image out. Whoever wrote the spec meanwhile wins."""
        new = pinned(new_image(work))
        for _ in range(TRIES):
            service = self._present(work)
            if runs_on(service["Spec"]) == new:
                return {}
            self._unchanged(work, service)
            try:
                self._services.update(service, with_image(service["Spec"], new))
                return {}
            except OutOfSequence:
                self._sleep(TRY_S)
        raise StepFailed("the service is written by somebody again and again", Cause.CONFLICT)

    def look(self, work: Work, side: Side) -> Look:
        """Identity first: the spec has this side's image; the engine's verdict; then the tasks."""
        return self._observer.look(work, side)

    def patience(self, work: Work, side: Side) -> Patience:
        """By the engine's own pace (parallelism, delay, monitor), the HEALTHCHECK, the settings."""
        return self._observer.patience(work, side)

    def commit(self, work: Work) -> Facts:
        """Nothing was kept for the way back that the engine does not keep itself."""
        return {}

    def rollback(self, work: Work) -> Facts:
        """The old image is in the spec again, by the engine or by us, and back in its tasks.

        How the tasks are then is CONFIRM's to judge.
        """
        told = self._write_back(work)
        if not work.facts.get("unhealthy_before"):
            self._await_the_way_back(work)
        return told

    def _write_back(self, work: Work) -> Facts:
        old, new = image_of(work, Side.OLD), pinned(new_image(work))
        for _ in range(TRIES):
            service = self._services.find(work.facts["service"])
            if service is None:
                fact = "the service was removed by somebody; make it again by hand"
                raise StepFailed(f"{fact}, then run `sau release`", Cause.CONFLICT)
            image = runs_on(service["Spec"])
            if image == old:
                return self._last_words(service, new)
            if image != new:
                fact = f"somebody updated the service to {image} meanwhile; that was left as it is"
                raise StepFailed(f"{fact}. Look at it, then run `sau release`", Cause.CONFLICT)
            try:
                self._take_back(work, service, old)
            except OutOfSequence:
                self._sleep(TRY_S)  # the engine's own verdict came first
        raise StepFailed("the service is written by somebody again and again", Cause.CONFLICT)

    def confirm(self, work: Work) -> Facts:
        """The spec equals the snapshot, field by field."""
        service = self._services.find(work.facts["service"])
        found = ("ID",) if service is None else self._found(work, service)
        if found:
            raise StepFailed(
                f"the service differs from before: {', '.join(found)}",
                Cause.CONFLICT,
                {"differences": list(found)},
            )
        return {}

    def clean(self, work: Work) -> Facts:
        """Nothing was staged."""
        return {}

    def _await_the_way_back(self, work: Work) -> None:
        """Until the engine is through. Where it stopped half-way it is told to go on, a few times.

        It stops for one task that failed, whatever of: a node that is busy for a moment, too. And
        where our way back is to it an update like others, it may take that back to the new image.
        """
        old, new, left = image_of(work, Side.OLD), pinned(new_image(work)), GO_ON
        for _ in range(round(self.patience(work, Side.OLD).timeout_s / LOOK_S)):
            seen = self.look(work, Side.OLD).results
            service = self._services.find(work.facts["service"])  # after: it may just have stopped
            if service is None:
                return
            if left and _halted(service, old, new):
                left -= 1
                with suppress(OutOfSequence):
                    self._services.update(service, with_image(service["Spec"], old))
            elif not any(result.state is CheckState.FAILING for result in seen):
                return
            self._sleep(LOOK_S)

    def _take_back(self, work: Work, service: Json, old: str) -> None:
        """By the engine's memory where that is the snapshot; else only the image goes back."""
        before = work.facts["snapshot"]["service"]["Spec"]
        if service.get("PreviousSpec") == before:
            self._services.go_back(service)
        else:  # somebody scaled it, or wrote something else, since
            self._services.update(service, with_image(service["Spec"], old))

    def _last_words(self, service: Json, image: str) -> Facts:
        """What the tasks of the failed image said, where any did."""
        try:
            broken = ended(self._services.tasks(service["ID"]), image)[:1]
            lines = [line for task in broken for line in (told(task), *self._log(task))]
        except SafeAutoUpdaterError as error:
            lines = [f"its tasks could not be asked: {error}"]
        return {"last_words": lines} if lines else {}

    def _log(self, task: Mapping[str, Any]) -> list[str]:
        try:
            return self._services.log(task["ID"])
        except SafeAutoUpdaterError as error:
            return [f"its log could not be read: {error}"]

    def _present(self, work: Work) -> Json:
        service = self._services.find(work.facts["service"])
        if service is None:
            raise StepFailed(f"service {work.change.container} is gone", Cause.CONFLICT)
        return service

    def _untouched(self, work: Work) -> None:
        service = self._present(work)
        self._unchanged(work, service)
        if state_of(service) in GOING:
            fact = f"service {work.change.container} is being updated by somebody"
            raise StepFailed(fact, Cause.CONFLICT)

    def _unchanged(self, work: Work, service: Json) -> None:
        found = self._found(work, service)
        if found:
            raise StepFailed(
                f"somebody changed service {work.change.container} meanwhile: {', '.join(found)}",
                Cause.CONFLICT,
                {"differences": list(found)},
            )

    def _found(self, work: Work, service: Json) -> tuple[str, ...]:
        return differences(work.facts["snapshot"]["service"]["Spec"], service["Spec"])


def _is(planned: Image, service: Json) -> bool:
    """Whether a service has the image that was planned from, whoever pinned it."""
    return pinned(planned) == runs_on(service["Spec"])


def _halted(service: Json, old: str, new: str) -> bool:
    """Whether the engine stopped the way back half-way, or undid it."""
    image = runs_on(service["Spec"])
    return (image == old and state_of(service) in STUCK) or (image == new and turned_back(service))
