"""HelmUpdater: a new chart version for one release, and the way back to the revision before.

`helm` writes; whether it went well is seen on the cluster. The revision that is gone back to is the
one that was seen healthy before, and what is live afterwards is held against what was live then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from safe_auto_updater.core.errors import NotFound, RegistryError, StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.policy import Settings, resolve
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.core.updater import Facts, Look, Patience, Side, Work
from safe_auto_updater.platforms.kubernetes.cluster import Refused
from safe_auto_updater.platforms.kubernetes.helm.command import Helm
from safe_auto_updater.platforms.kubernetes.helm.forward import Forward
from safe_auto_updater.platforms.kubernetes.helm.live import differences
from safe_auto_updater.platforms.kubernetes.helm.objects import Objects
from safe_auto_updater.platforms.kubernetes.helm.observer import (
    ReleaseObserver,
    conflict,
    left_alone,
)
from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece, pieces
from safe_auto_updater.platforms.kubernetes.helm.release import Release, policy_labels
from safe_auto_updater.platforms.kubernetes.helm.releases import Releases, Stored
from safe_auto_updater.platforms.kubernetes.helm.sides import run_by
from safe_auto_updater.platforms.kubernetes.helm.target import (
    DEPLOYED,
    FAILED,
    Target,
)
from safe_auto_updater.platforms.kubernetes.helm.way_back import NEVER_APPLIED, WayBack

HOOK_S = 300.0  # for each hook where no `hook_timeout` is set; Helm's own default


class HelmUpdater:
    """The verbs of `core.updater.Updater` for releases; each looks first and may be repeated."""

    def __init__(
        self,
        releases: Releases,
        helm: Helm,
        forward: Forward,
        settings: Settings,
        resolvable: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._releases = releases
        self._helm = helm
        self._forward = forward
        self._settings = settings
        self._resolvable = resolvable  # raises RegistryError where an image is not to be had
        self._clock = clock
        self._objects = Objects(releases.cluster)
        self._observer = ReleaseObserver(self._objects, settings)

    def reachable(self) -> bool:
        """Whether the cluster answers now."""
        return self._releases.cluster.reachable()

    def prepare(self, work: Work) -> Facts:
        """What it needs is here, helm is fit, and the old images can still be had."""
        assert self._helm.version
        self._forward.had(work)
        old = self._newest(work)
        for image in run_by(self._pieces(self._releases.read(old.storage))):
            try:
                self._resolvable(image)
            except RegistryError as error:
                fact = f"there would be no way back: {image} cannot be had: {error}"
                raise StepFailed(fact, Cause.REGISTRY) from error
        return {"prepared": {"image_id": None, "pulled": False}}

    def precheck(self, work: Work) -> Facts:
        """The release still is what was planned from, and nobody works on it."""
        newest = self._newest(work)
        release = self._releases.read(newest.storage)
        if newest.status != DEPLOYED:
            fact = f"revision {newest.revision} is {newest.status}"
            raise StepFailed(f"{fact}: somebody works on it, or it failed", Cause.CONFLICT)
        if release.chart.version != work.change.current.version:
            fact = f"it runs chart version {release.chart.version} now"
            raise StepFailed(f"{fact}, not what was planned from", Cause.CONFLICT)
        self._forward.refuse(work, release)
        labels = policy_labels(newest.labels)
        return {
            "revision": newest.revision,
            "configuration": release.configuration,
            "labels": labels,
            "fix_forward": resolve(self._settings, work.step.asset, labels).fix_forward,
        }

    def snapshot(self, work: Work) -> Facts:
        """Every object of the release as the server tells it; of Secrets only hashes."""
        return {"snapshot": {"objects": self._objects.snapshot(self._before(work))}}

    def stage(self, work: Work) -> Facts:
        """Render the new version, and ask the server what it would make of each object."""
        old = self._release(work)
        target = Target.of(work.step.asset)
        new = self._forward.pieces(work, target.named(self._newest(work)), old)
        unserved = self._objects.unserved((*new, *self._pieces(old)))
        if unserved:
            fact = f"the cluster does not serve {', '.join(unserved)}"
            raise StepFailed(fact, Cause.CONFIG, {"unserved": unserved})
        refused = [said for piece in new if (said := self._refused(piece))]
        if refused:
            fact = f"the server would not take it: {'; '.join(refused)}"
            raise StepFailed(fact, Cause.CONFIG, {"refused": refused})
        self.recheck(work)
        newest = self._unrevised(work)
        if not self._releases.claim(newest, work.update, self._clock.now()):
            fact = f"another program is about to upgrade revision {newest.revision}"
            raise StepFailed(fact, Cause.CONFLICT)
        return {}

    def _refused(self, piece: Piece) -> str | None:
        """What the server says against one object; None where it would take it."""
        try:
            self._objects.tried(piece)
        except NotFound:
            return None  # its namespace comes with it
        except Refused as error:
            return f"{piece.label}: {error}"
        return None

    def recheck(self, work: Work) -> None:
        """Nobody made another revision, or changed its objects, meanwhile."""
        self._unrevised(work)
        now = self._objects.snapshot(self._before(work))
        found = differences(work.facts["snapshot"]["objects"], now)
        if found:
            fact = f"somebody changed it meanwhile: {', '.join(found)}"
            raise StepFailed(fact, Cause.CONFLICT, {"differences": found})

    def _unrevised(self, work: Work) -> Stored:
        """The newest revision, which still is the one that the update began with."""
        newest = self._newest(work)
        if (newest.revision, newest.status) != (work.facts["revision"], DEPLOYED):
            fact = f"somebody made revision {newest.revision} ({newest.status}) meanwhile"
            raise StepFailed(fact, Cause.CONFLICT)
        return newest

    def withdraw(self, work: Work, side: Side) -> None:
        """A release is not taken out of service for the sake of another asset."""
        raise StepFailed(f"{work.step.asset} cannot be withdrawn", Cause.PLATFORM)

    def apply(self, work: Work) -> Facts:
        """Have helm make the new revision, unless somebody made one meanwhile."""
        newest = self._unrevised(work)
        named, old = Target.of(work.step.asset).named(newest), self._releases.read(newest.storage)
        self._forward.act(work, named, old, self._hook_s(work))
        return {}

    def look(self, work: Work, side: Side) -> Look:
        """Identity first: this side's revision is the newest; then all that it owns."""
        if NEVER_APPLIED in work.facts:
            return left_alone(work.facts[NEVER_APPLIED])
        if side is Side.OLD:
            return self._observer.look(work, self._before(work))
        history = self._history(work)
        mine = self._forward.made(work, history, work.facts["revision"])
        newest = history[-1]
        if mine is None or newest.revision != mine.revision:
            return conflict(f"somebody made revision {newest.revision} meanwhile")
        if newest.status == FAILED:
            return conflict(f"revision {newest.revision} is {newest.status}")
        return self._observer.look(work, self._pieces(self._releases.read(mine.storage)))

    def patience(self, work: Work, side: Side) -> Patience:
        """10 min without progress, or what the settings say."""
        return self._observer.patience(work, self._before(work))

    def commit(self, work: Work) -> Facts:
        """Nothing was kept for the way back that Helm does not keep itself."""
        mine = self._forward.made(work, self._history(work), work.facts["revision"])
        return {} if mine is None else {"seen_healthy": mine.revision}

    def rollback(self, work: Work) -> Facts:
        """The revision that was seen healthy is the newest again, and all objects are as then."""
        facts = self._way_back(work).go()
        self._unclaim(work)
        return facts

    def confirm(self, work: Work) -> Facts:
        """The live objects equal the snapshot."""
        found = [] if NEVER_APPLIED in work.facts else self._way_back(work).left()
        if found:
            fact = f"the release differs from before: {', '.join(found)}"
            raise StepFailed(fact, Cause.CONFLICT, {"differences": found})
        return {}

    def clean(self, work: Work) -> Facts:
        """Nothing was staged but the mark that keeps others away."""
        self._unclaim(work)
        return {}

    def _unclaim(self, work: Work) -> None:
        target = Target.of(work.step.asset)
        for newest in self._releases.history(target.namespace, target.name)[-1:]:
            self._releases.unclaim(newest, work.update)

    def _way_back(self, work: Work) -> WayBack:
        before = self._before(work)
        return WayBack(
            work,
            self._forward,
            self._releases,
            self._helm,
            self._objects,
            before,
            self._hook_s(work),
            self._clock.sleep,
            self._observer.patience(work, before).timeout_s,
        )

    def _hook_s(self, work: Work) -> float:
        """How long each hook may take."""
        policy = resolve(self._settings, work.step.asset, work.facts.get("labels", {}))
        return policy.hooks.timeout_s if "hook_timeout" in policy.sources else HOOK_S

    def _history(self, work: Work) -> Sequence[Stored]:
        target = Target.of(work.step.asset)
        found = self._releases.history(target.namespace, target.name)
        if not found:
            raise StepFailed(f"{target} is gone since it was planned", Cause.CONFLICT)
        return found

    def _newest(self, work: Work) -> Stored:
        return self._history(work)[-1]

    def _release(self, work: Work) -> Release:
        """The revision that the update began with."""
        target, number = Target.of(work.step.asset), int(work.facts["revision"])
        try:
            return self._releases.revision(target.namespace, target.name, number)
        except NotFound as error:
            raise StepFailed(f"{error}: there is no way back to it", Cause.CONFLICT) from error

    def _before(self, work: Work) -> tuple[Piece, ...]:
        return self._pieces(self._release(work))

    def _pieces(self, release: Release) -> tuple[Piece, ...]:
        return pieces(release.manifest, release.namespace)
