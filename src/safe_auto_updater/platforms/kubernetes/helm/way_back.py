"""From whatever an upgrade left behind to the revision that was seen healthy before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from safe_auto_updater.core.errors import (
    Halted,
    NotFound,
    PlatformError,
    PlatformUnreachable,
    StepFailed,
)
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.updater import Facts, Work
from safe_auto_updater.platforms.kubernetes.cluster import Refused
from safe_auto_updater.platforms.kubernetes.helm.command import Helm, Named
from safe_auto_updater.platforms.kubernetes.helm.forward import Forward, goes_back
from safe_auto_updater.platforms.kubernetes.helm.hooks import (
    RETURNING,
    hooks_at,
    may_have_migrated,
    running,
)
from safe_auto_updater.platforms.kubernetes.helm.live import comparable, differences
from safe_auto_updater.platforms.kubernetes.helm.objects import Objects, owned
from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece, pieces
from safe_auto_updater.platforms.kubernetes.helm.release import Release
from safe_auto_updater.platforms.kubernetes.helm.releases import Releases, Stored
from safe_auto_updater.platforms.kubernetes.helm.target import (
    DEPLOYED,
    PENDING,
    Target,
)
from safe_auto_updater.platforms.kubernetes.kinds import STATEFUL_SET
from safe_auto_updater.platforms.kubernetes.stuck import free_blocked_pods, of_another_revision
from safe_auto_updater.platforms.kubernetes.target import Target as Workload
from safe_auto_updater.platforms.kubernetes.workloads import Workloads

Json = Mapping[str, Any]
NEVER_APPLIED = "never_applied"
"""The fact that says why there was nothing to take back, and that what is there is not ours."""
DEFINITION = "CustomResourceDefinition"
STAY = (DEFINITION, "PersistentVolumeClaim", "PersistentVolume", "Namespace")
"""Kinds that are never deleted by us: more goes with them."""


class WayBack:
    """One update on its way back. `before` are the objects of the revision it began with."""

    def __init__(
        self,
        work: Work,
        forward: Forward,
        releases: Releases,
        helm: Helm,
        objects: Objects,
        before: Sequence[Piece],
        hook_s: float,
        sleep: Callable[[float], None],
        patience_s: float,
    ) -> None:
        self._work = work
        self._target = Target.of(work.step.asset)
        self._forward = forward
        self._releases = releases
        self._helm = helm
        self._objects = objects
        self._before = before
        self._hook_s = hook_s
        self._sleep = sleep
        self._patience_s = patience_s
        self._workloads = Workloads(objects.cluster)
        self._revision = int(work.facts["revision"])

    def go(self) -> Facts:
        """Make it so. Halted where a hook has changed what Helm cannot take back."""
        history = self._releases.history(self._target.namespace, self._target.name)
        mine = self._forward.made(self._work, history, self._revision)
        if mine is None:
            return self._nothing_made(history)
        made, is_back = self._releases.read(mine.storage), self._is_back(history, mine)
        if not is_back:
            self._refuse_others(history[-1], mine)
        self._refuse_one_way(made)
        self._end_hooks(made)
        warnings = self._keep_definitions(made)
        if not is_back:
            warnings += self._roll_back(history[-1])
        self._remove_added(made)
        refused = self._put_back()
        self._free_blocked_pods()
        if refused:
            raise refused[0]
        return {"warnings": warnings} if warnings else {}

    def left(self) -> list[str]:
        """Where the release is not what it was, by object and path."""
        now = self._objects.snapshot(self._before)
        before = self._snapshot()
        if before is None:
            before = {key: live or {} for key, live in now.items()}
        found = differences(before, now)
        made = self._made()
        added = [] if made is None else self._added(made)
        return found + [
            f"{piece.key} was not there"
            for piece in added
            if piece.kind not in STAY and not piece.kept and self._is_there(piece)
        ]

    def _nothing_made(self, history: Sequence[Stored]) -> Facts:
        """Helm wrote no revision of ours, and so has touched nothing: what is there is others'."""
        newest = history[-1] if history else None
        if newest is not None and newest.revision == self._revision:
            return {}
        told = "is gone" if newest is None else f"has revision {newest.revision}"
        return {NEVER_APPLIED: f"{self._target} {told} by somebody else; that was left as it is"}

    def _refuse_one_way(self, made: Release) -> None:
        if self._work.step.undoes is not None:
            return  # `helm rollback` ran none of them
        done = may_have_migrated(made)
        if done:
            raise Halted(
                f"hook {', '.join(done)} may have migrated data by now, which going back to "
                f"revision {self._revision} would not take back: look at the data, then "
                f"`helm rollback {self._target.name} {self._revision} -n {self._target.namespace}` "
                "or mend it forward, and `sau release` it",
                Cause.HOOK,
            )

    def _end_hooks(self, made: Release) -> None:
        """A hook that still runs would go on beside the old version."""
        for hook in made.hooks:
            for piece in pieces(hook.manifest, made.namespace):
                live = self._found(piece)
                if live is not None and running(live):
                    self._objects.remove(piece, live)

    def _keep_definitions(self, made: Release) -> list[str]:
        """A definition that goes takes every custom resource with it: it stays."""
        warnings = []
        for piece in self._added(made):
            if piece.kind == DEFINITION and self._found(piece) is not None:
                self._objects.keep(piece)
                warnings.append(f"{piece.label} stays: with it every resource of it would go")
        return warnings

    def _is_back(self, history: Sequence[Stored], mine: Stored) -> bool:
        newest = history[-1]
        if newest.revision == mine.revision or newest.status != DEPLOYED:
            return False
        return self._goes_back(newest)

    def _goes_back(self, stored: Stored) -> bool:
        """Whether a revision is a way back to where the update began."""
        return goes_back(self._releases, stored, self._revision)

    def _refuse_others(self, newest: Stored, mine: Stored) -> None:
        """Whoever made a revision after ours has the release now."""
        if newest.revision != mine.revision and not self._goes_back(newest):
            if newest.status in PENDING:
                raise PlatformUnreachable(f"another client works on {self._target}")
            fact = f"somebody made revision {newest.revision} meanwhile; that was left as it is"
            raise StepFailed(fact, Cause.CONFLICT)

    def _roll_back(self, newest: Stored) -> list[str]:
        named = self._target.named(newest)
        try:
            self._helm.rollback(named, self._revision, self._hook_s, self._hooks())
        except StepFailed as error:
            self._again_without_hooks(named)
            return [f"{error}; it was rolled back without its hooks"]
        return []

    def _hooks(self) -> int:
        """How many run on the way back: those of the revision that is gone back to."""
        target = self._target
        old = self._releases.revision(target.namespace, target.name, self._revision)
        return hooks_at(RETURNING, (hook.events for hook in old.hooks))

    def _again_without_hooks(self, named: Named) -> None:
        """Helm does not say of a way back whether it was a hook that failed."""
        try:
            self._helm.rollback(named, self._revision, self._hook_s, None)
        except StepFailed as error:
            raise PlatformError(str(error)) from error

    def _remove_added(self, made: Release) -> None:
        """What the upgrade made and Helm left; never a claim or a definition."""
        for piece in self._added(made):
            if piece.kind in STAY or piece.kept:
                continue
            live = self._found(piece)
            if live is not None and owned(live, self._target.name, self._target.namespace):
                self._objects.remove(piece, live)

    def _put_back(self) -> list[Refused]:
        """What Helm's patches have left different; Secrets are only Helm's to write.

        What the server says against one keeps no other from being put back.
        """
        snapshot, refused = self._snapshot() or {}, []
        for piece in self._before:
            before, live = snapshot.get(piece.key), self._objects.get(piece)
            if before is None or live is None or piece.kind == "Secret":
                continue
            if comparable(live, piece.body) != before:
                try:
                    self._objects.put_back(piece, before, live)
                except Refused as error:
                    refused.append(error)
        return refused

    def _snapshot(self) -> Json | None:
        """The objects as they were; None of a revision that another client left: it made none."""
        kept: Json = self._work.facts.get("snapshot", {})
        return kept.get("objects")

    def _free_blocked_pods(self) -> None:
        """A StatefulSet waits for ever for a broken pod of the version that was taken back."""
        for piece in self._before:
            if piece.kind == STATEFUL_SET.name and piece.api_version == STATEFUL_SET.group:
                target = Workload(self._target.cluster, piece.namespace, STATEFUL_SET, piece.name)
                free_blocked_pods(
                    self._workloads, target, of_another_revision, self._sleep, self._patience_s
                )

    def _made(self) -> Release | None:
        history = self._releases.history(self._target.namespace, self._target.name)
        mine = self._forward.made(self._work, history, self._revision)
        return None if mine is None else self._releases.read(mine.storage)

    def _added(self, made: Release) -> list[Piece]:
        """What only the new revision has."""
        known = {piece.key for piece in self._before}
        return [p for p in pieces(made.manifest, made.namespace) if p.key not in known]

    def _is_there(self, piece: Piece) -> bool:
        live = self._found(piece)
        return live is not None and "deletionTimestamp" not in live["metadata"]

    def _found(self, piece: Piece) -> dict[str, Any] | None:
        try:
            return self._objects.get(piece)
        except (NotFound, PlatformError):
            return None
