"""WatchtowerUpdater: Watchtower replaces the container; what it did is ours to find out and undo.

It is asked for one container, pulls what the tag points to, removes the old container and makes a
new one. Its answer tells counts at best. So the way back is made before it is asked, and what
became of the container is read from the engine. Digest changes only: it changes no tags.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safe_auto_updater.core.errors import PlatformError, StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.updater import Facts, Look, Patience, Side, Work
from safe_auto_updater.platforms.docker.compare import changes
from safe_auto_updater.platforms.docker.containers import (
    Containers,
    last_words,
    out_of_service_s,
)
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.marks import STAGED
from safe_auto_updater.platforms.docker.prechecking import refuse_touched
from safe_auto_updater.platforms.docker.takeover import Takeover
from safe_auto_updater.platforms.docker.updater import DockerUpdater
from safe_auto_updater.platforms.docker.watchtower.api import Done
from safe_auto_updater.platforms.docker.watchtower.asking import Asking
from safe_auto_updater.platforms.docker.watchtower.changes import (
    by_name,
    bystanders,
    of_data,
    unlike,
)
from safe_auto_updater.platforms.docker.watchtower.handiwork import Handiwork
from safe_auto_updater.platforms.docker.watchtower.obstacles import in_its_way
from safe_auto_updater.platforms.docker.watchtower.selection import (
    also_reached,
    selection_for,
)
from safe_auto_updater.platforms.docker.watchtower.way_back import WayBack

Json = dict[str, Any]


class WatchtowerUpdater:
    """The verbs of `core.updater.Updater` for one container that a Watchtower looks after.

    `alone` is our own updater on the same engine: both look at containers alike. `published` says
    where a tag points at its registry now; `warn` is what a person should hear of Watchtower.
    """

    def __init__(
        self,
        alone: DockerUpdater,
        asking: Asking,
        containers: Containers,
        images: Images,
        published: Callable[[str], str],
        warn: Callable[[Work, str], None],
        takeover: Takeover,
    ) -> None:
        self._alone = alone
        self._asking = asking
        self._containers = containers
        self._images = images
        self._handiwork = Handiwork(containers, images, published)
        self._warn = warn
        self._takeover = takeover
        self._back = WayBack(containers, images, takeover)

    def reachable(self) -> bool:
        """Whether the engine answers now. Watchtower itself may be gone: we go back without it."""
        return self._alone.reachable()

    def prepare(self, work: Work) -> Facts:
        """Watchtower answers, takes the token, and is not at work. It pulls by itself, later."""
        candidate = work.change.candidate
        assert candidate is not None
        if work.change.moves_tag or candidate.digest is None:
            fact = f"Watchtower cannot go to {candidate.reference}: it only follows the tag it has"
            raise StepFailed(fact, Cause.CONFLICT)
        done = self._asking.until_idle(work)
        return {
            "watchtower": {"line": done.line.value, "by_name": done.by_name},
            "prepared": {"image_id": work.change.current.image_id, "pulled": False},
        }

    def precheck(self, work: Work) -> Facts:
        """Still what was planned from; and what Watchtower will do is what was planned."""
        facts = self._alone.precheck(work)
        old = self._containers.inspect(facts["old_id"])
        for obstacle in in_its_way(old):
            raise StepFailed(obstacle.reason, Cause.CONFLICT)
        if copied := self._alone.copied_in(old):
            fact = f"Watchtower would lose what Compose copied into it: {', '.join(copied)}"
            raise StepFailed(f"{fact}. Set docker_updater to native", Cause.CONFLICT)
        self._refuse_company(work, old)
        candidate = work.change.candidate
        assert candidate is not None
        if self._handiwork.points_to(candidate.reference) != candidate.digest:
            fact = f"{candidate.reference} has moved on since it was planned; plan again"
            raise StepFailed(fact, Cause.CONFLICT)
        return facts

    def snapshot(self, work: Work) -> Facts:
        """What our own updater keeps, and which containers there are besides."""
        return {**self._alone.snapshot(work), "bystanders": by_name(self._everyone())}

    def stage(self, work: Work) -> Facts:
        """Make what would have to serve again, and compare it; the old one keeps serving."""
        snapshot = work.facts["snapshot"]
        back = self._back.made(work)
        for reference, previous in snapshot["tags"].items():
            self._images.restore_tag(reference, snapshot["image"]["Id"], previous)
        found = self._back.unlike(work, back)
        if found:
            raise StepFailed(
                f"the way back would not be like the container now: {'; '.join(found)}",
                Cause.PLATFORM,
                {"differences": list(found)},
            )
        told = self._alone.hooks.run(work, "before_update", work.facts["old_id"])
        self.recheck(work)
        return {"staged_id": back["Id"], **told}

    def recheck(self, work: Work) -> None:
        """The old one serves as it did."""
        refuse_touched(self._containers, work)

    def apply(self, work: Work) -> Facts:
        """Ask Watchtower, wait for it, and see what it did."""
        name, warnings = work.change.container, list(work.facts.get("warnings", ()))
        old = self._containers.find(name)
        done: Done | None = None
        if old is not None and old["Id"] == work.facts["old_id"]:
            done = self._asking.for_update(work, selection_for(old))
        else:
            warnings.append("Watchtower replaced it before it was asked: by its own schedule?")
        new = self._handiwork.made(work, done)
        strange = bystanders(work.facts["bystanders"], by_name(self._everyone()), name)
        if strange:
            told = "; ".join(strange)
            warnings.append(f"while Watchtower was at work, more than asked has changed: {told}")
        image = self._images.find(new["Image"]) or {}
        snapshot = work.facts["snapshot"]
        found = unlike(snapshot["container"], snapshot["image"], new, image)
        if of_data(found):
            raise StepFailed(
                f"Watchtower parted it from its data: {'; '.join(of_data(found))}", Cause.PLATFORM
            )
        if found:
            warnings.append(f"Watchtower made it differently: {'; '.join(found)}")
        for warning in warnings[len(work.facts.get("warnings", ())) :]:
            self._warn(work, warning)
        warnings += self._alone.hooks.run(work, "after_update", new["Id"]).get("warnings", ())
        return {
            "new_id": new["Id"],
            "prepared": {"image_id": new["Image"], "pulled": True},
            "downtime_s": None,  # when the old one ended went with it
            "warnings": warnings,
        }

    def look(self, work: Work, side: Side) -> Look:
        """As our own updater looks: identity first, then its health."""
        return self._alone.look(work, side)

    def patience(self, work: Work, side: Side) -> Patience:
        """As our own updater's."""
        return self._alone.patience(work, side)

    def withdraw(self, work: Work, side: Side) -> None:
        """Stop one side, so that nothing brings it back."""
        self._alone.withdraw(work, side)

    def commit(self, work: Work) -> Facts:
        """What waited for the way back goes."""
        self._back.discard(work)
        image = work.facts["snapshot"]["image"]["Id"]
        if self._images.find(image) is not None:
            return {}
        warning = (
            f"Watchtower's cleanup removed the old image {image[:19]}: `sau rollback` would have "
            "to pull it again"
        )
        self._warn(work, warning)
        return {"warnings": [*work.facts.get("warnings", ()), warning]}

    def rollback(self, work: Work) -> Facts:
        """The old version serves again: the old container where it exists, else its equal."""
        told: dict[str, Any] = {}
        warnings = [*work.facts.get("warnings", ()), *self._until_quiet(work)]
        old = self._containers.find(work.facts["old_id"])
        serving = old
        if serving is None:
            serving = self._back.made(work)
            told |= self._give_way(work, serving)
        self._back.serve(work, serving)
        try:
            self._back.discard(work)
            self._back.restore_tag(work)
        except (PlatformError, StepFailed) as error:  # it serves: what is left over is a warning
            warnings.append(f"left over: {error}")
        now = self._containers.inspect(serving["Id"])
        before = work.facts["snapshot"]["container"]["State"]
        downtime_s = None if old is None else out_of_service_s(now, now)
        if now["State"]["StartedAt"] == before["StartedAt"]:
            downtime_s = 0.0
        return {
            "old_id": now["Id"],
            "restarts": now.get("RestartCount", 0),
            "downtime_s": downtime_s,
            "warnings": warnings,
            **told,
        }

    def confirm(self, work: Work) -> Facts:
        """What serves equals the snapshot: the same container, or an equivalent one."""
        snapshot = work.facts["snapshot"]["container"]
        # An engine restart ends what has no restart policy.
        self._back.serve(work, self._containers.inspect(work.facts["old_id"]))
        now = self._containers.inspect(work.facts["old_id"])
        same = now["Id"] == snapshot["Id"]
        found = changes(snapshot, now) if same else self._back.unlike(work, now)
        if found:
            raise StepFailed(
                f"the old version runs, and differs from before: {'; '.join(found)}",
                Cause.CONFLICT,
                {"differences": list(found)},
            )
        return {}

    def clean(self, work: Work) -> Facts:
        """What waited goes; the old container was never touched by us."""
        told: Facts = {}
        if self._takeover.is_gone(work.facts["old_id"]):
            told = {"warnings": [self._who_took_over(work)]}
        self._back.discard(work)
        snapshot = work.facts["snapshot"]
        for reference, previous in snapshot["tags"].items():
            self._images.restore_tag(reference, snapshot["image"]["Id"], previous)
        return told

    def _who_took_over(self, work: Work) -> str:
        """Who bears the name of an old container that is gone; StepFailed where nobody does."""
        name = work.change.container
        holder, waits = self._containers.find(name), self._back.find(work)
        if holder is not None:
            return (
                f"container {name} was replaced by somebody while it was to be updated: "
                f"{holder['Id'][:12]} has its name, and was not watched. By Watchtower's schedule?"
            )
        fact = f"container {name} was removed by somebody while it was to be updated"
        if waits is not None:
            fact += f"; one like it waits as {name + STAGED}: give it the name and start it"
        raise StepFailed(f"{fact}. Repair by hand, then run `sau release`", Cause.CONFLICT)

    def _until_quiet(self, work: Work) -> tuple[str, ...]:
        """Let what was asked for come to its end, so that nothing happens after us."""
        failure = work.facts.get("failure", {})
        if failure.get("evidence", {}).get("busy"):
            return ()  # it never took our question up
        return self._asking.until_quiet(work)

    def _give_way(self, work: Work, serving: Json) -> Facts:
        """Remove what Watchtower made under the name; its log's end is kept."""
        name = work.change.container
        holder = self._containers.find(name)
        if holder is None or holder["Id"] == serving["Id"]:
            return {}
        if not self._handiwork.is_it(work, holder):
            raise StepFailed(
                f"another container, {holder['Id'][:12]}, has the name {name} now, which is not "
                "made like the old one; nothing was stopped. Give it another name, then run "
                "`sau recover`",
                Cause.CONFLICT,
            )
        self._containers.retire(holder)
        words = last_words(self._containers, holder)
        self._containers.remove(holder["Id"], volumes=True)
        return {
            "last_words": words,
            "prepared": {"image_id": holder["Image"], "pulled": True},
        }

    def _refuse_company(self, work: Work, old: Json) -> None:
        """Who would be updated with it, because Watchtower takes containers by their image."""
        asked = self._asking.known(work)
        if asked.by_name:
            return
        running = [self._containers.find(one["Id"]) for one in self._everyone()]
        reached = also_reached(old, [one for one in running if one is not None], asked)
        company = [one["Name"].lstrip("/") for one in reached if self._handiwork.is_stale(one)]
        if company:
            raise StepFailed(
                f"Watchtower takes containers by their image, and would update "
                f"{', '.join(company)} too; docker_updater native takes one alone",
                Cause.CONFLICT,
            )

    def _everyone(self) -> list[Json]:
        found: list[Json] = self._containers.engine.get("/containers/json", all="true")
        return found
