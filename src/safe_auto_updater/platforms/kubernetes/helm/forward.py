"""The two ways forward of a release: another chart, or an earlier revision that a person wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from safe_auto_updater.core.charts import Charts, chart_name
from safe_auto_updater.core.errors import NotFound, RegistryError, StepFailed
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.updater import Facts, Work
from safe_auto_updater.platforms.kubernetes.helm.command import Helm, Named
from safe_auto_updater.platforms.kubernetes.helm.hooks import RETURNING, UPGRADING, hooks_at
from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece, pieces
from safe_auto_updater.platforms.kubernetes.helm.release import UPDATE, Release
from safe_auto_updater.platforms.kubernetes.helm.releases import Releases, Stored
from safe_auto_updater.platforms.kubernetes.helm.target import Target

ADOPTED = "adopted"
"""The fact that names a revision which another client left pending, and we take back."""


class Forward(Protocol):
    """What an update does, apart from how it is watched and taken back."""

    def had(self, work: Work) -> None:
        """What it needs is there. Raises StepFailed."""
        ...

    def refuse(self, work: Work, now: Release) -> None:
        """What it would lose of the revision that is the newest now. Raises StepFailed."""
        ...

    def pieces(self, work: Work, named: Named, old: Release) -> tuple[Piece, ...]:
        """The objects that the release is to have; nothing is changed."""
        ...

    def act(self, work: Work, named: Named, old: Release, hook_s: float) -> None:
        """Have helm make the new revision."""
        ...

    def made(self, work: Work, history: Sequence[Stored], after: int) -> Stored | None:
        """The revision that it made; None where it has made none."""
        ...


class Upgrade:
    """Another version of the chart, with the values that the user gave, to the byte."""

    def __init__(self, charts: Charts, helm: Helm) -> None:
        self._charts = charts
        self._helm = helm
        self._archive: bytes | None = None
        self._hooks = 0  # of the version that was rendered last

    def had(self, work: Work) -> None:
        """The archive is here, by its digest."""
        self._chart(work)

    def refuse(self, work: Work, now: Release) -> None:
        """Nothing: it goes on from what is there."""

    def pieces(self, work: Work, named: Named, old: Release) -> tuple[Piece, ...]:
        """As helm renders them."""
        rendered = self._helm.rendered(named, self._chart(work), old.config_text)
        self._hooks = hooks_at(UPGRADING, (one["events"] for one in rendered.get("hooks") or ()))
        return pieces(str(rendered.get("manifest") or ""), old.namespace)

    def act(self, work: Work, named: Named, old: Release, hook_s: float) -> None:
        """`helm upgrade`; the new revision is labelled as ours."""
        labels = {UPDATE: work.update}
        self._helm.upgrade(named, self._chart(work), old.config_text, labels, hook_s, self._hooks)

    def made(self, work: Work, history: Sequence[Stored], after: int) -> Stored | None:
        """By its label, or as adopted. Later revisions inherit the label: the first one counts."""
        adopted = work.facts.get(ADOPTED)
        mine = [
            one
            for one in history
            if one.revision == adopted
            or (one.revision > after and one.labels.get(UPDATE) == work.update)
        ]
        return min(mine, key=lambda one: one.revision, default=None)

    def _chart(self, work: Work) -> bytes:
        if self._archive is None:
            candidate = work.change.candidate
            assert candidate is not None and candidate.version is not None
            name = chart_name(candidate.reference)
            try:
                self._archive = self._charts.archive(
                    work.step.asset, name, candidate.version, candidate.digest
                )
            except RegistryError as error:
                fact = f"chart {candidate.reference} cannot be had: {error}"
                raise StepFailed(fact, Cause.REGISTRY) from error
        return self._archive


class Return:
    """The revision that an update began with, because a person takes that update back."""

    def __init__(self, undone: Callable[[Work], Facts], releases: Releases, helm: Helm) -> None:
        self._undone = undone  # what the journal knows of the update that is taken back
        self._releases = releases
        self._helm = helm

    def had(self, work: Work) -> None:
        """Helm still keeps it."""
        self._wanted(work)

    def refuse(self, work: Work, now: Release) -> None:
        """Values that somebody changed since that update, as far as Helm still keeps it."""
        made = self._kept(work, self._undone(work).get("seen_healthy"))
        if made is not None and made.config != now.config:
            fact = f"its values were changed since, until revision {now.revision}"
            remedy = f"`helm rollback {now.name} {self._began_with(work)}` does so all the same"
            raise StepFailed(f"{fact}: going back would lose that; {remedy}", Cause.CONFLICT)

    def pieces(self, work: Work, named: Named, old: Release) -> tuple[Piece, ...]:
        """As they were."""
        wanted = self._wanted(work)
        return pieces(wanted.manifest, wanted.namespace)

    def act(self, work: Work, named: Named, old: Release, hook_s: float) -> None:
        """`helm rollback`."""
        hooks = hooks_at(RETURNING, (one.events for one in self._wanted(work).hooks))
        self._helm.rollback(named, self._began_with(work), hook_s, hooks)

    def made(self, work: Work, history: Sequence[Stored], after: int) -> Stored | None:
        """By what Helm notes of it; it can be labelled by nobody."""
        wanted = self._began_with(work)
        later = (one for one in history if one.revision == after + 1)
        return next((one for one in later if goes_back(self._releases, one, wanted)), None)

    def _began_with(self, work: Work) -> int:
        return int(self._undone(work)["revision"])

    def _wanted(self, work: Work) -> Release:
        found = self._kept(work, self._began_with(work))
        if found is None:
            fact = f"{Target.of(work.step.asset)} has no revision {self._began_with(work)}"
            raise StepFailed(f"{fact}: Helm keeps only the last ones", Cause.PLATFORM)
        return found

    def _kept(self, work: Work, number: int | None) -> Release | None:
        target = Target.of(work.step.asset)
        if number is None:
            return None
        try:
            return self._releases.revision(target.namespace, target.name, number)
        except NotFound:
            return None


def goes_back(releases: Releases, stored: Stored, revision: int) -> bool:
    """Whether a revision is Helm's own way back to another one, also one that Helm failed at.

    Of such a one Helm writes the reason over the number; what it was to make still tells.
    """
    made = releases.read(stored.storage)
    told = made.info.description
    if not told.startswith(f'Rollback "{made.name}" failed'):
        return told == f"Rollback to {revision}"
    try:
        return made.manifest == releases.revision(*stored.identity, revision).manifest
    except NotFound:
        return False
