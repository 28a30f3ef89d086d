"""Everything that drives Helm releases, on the clusters that `wiring.kubernetes` knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from safe_auto_updater.config import Config
from safe_auto_updater.config.config import HelmCommand
from safe_auto_updater.core.diff import DiffAnalyzer
from safe_auto_updater.core.identity import matches
from safe_auto_updater.core.model import Step
from safe_auto_updater.core.ports import Clock, Comparer, Subject
from safe_auto_updater.core.updater import Facts, Updater, Work
from safe_auto_updater.engine.health import HealthChecker
from safe_auto_updater.engine.journal import Record
from safe_auto_updater.wiring.kubernetes import Kubernetes

if TYPE_CHECKING:
    from safe_auto_updater.core.charts import Charts
    from safe_auto_updater.engine.chart_detection import ChartDetector
    from safe_auto_updater.engine.past import Past
    from safe_auto_updater.platforms.kubernetes.helm.command import Helm as Command
    from safe_auto_updater.platforms.kubernetes.helm.forward import Forward


class Helm:
    """Detects, compares and updates releases. What it needs is imported when it is asked for."""

    def __init__(
        self,
        config: Config,
        kubernetes: Kubernetes,
        charts: Callable[[], Charts],
        record_of: Callable[[str], Record],
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._record_of = record_of  # what the journal says of an update
        self._command: HelmCommand = config.helm
        self._settings = config.settings()
        self._kubernetes = kubernetes
        self._charts = charts

    def detector(self, asset: str, past: Past) -> ChartDetector:
        """Who knows which chart is newer."""
        from safe_auto_updater.engine.chart_detection import ChartDetector

        return ChartDetector(self._charts(), past, self._kubernetes.cluster(asset).version)

    def comparer(self, asset: str) -> Comparer:
        """Who looks at both sides of a change to a release."""
        from safe_auto_updater.platforms.kubernetes.helm.comparer import HelmComparer
        from safe_auto_updater.platforms.kubernetes.helm.releases import Releases

        releases = Releases(self._kubernetes.cluster(asset))
        return HelmComparer(releases, self.command(asset), self._charts(), self._resolvable(asset))

    def analyzer(self) -> DiffAnalyzer:
        """Who judges what another chart version means."""
        from safe_auto_updater.core.release_rules import RELEASE_RULES

        return DiffAnalyzer(RELEASE_RULES)

    def elsewhere(self, subject: Subject) -> str | None:
        """As of the pods of its cluster."""
        return self._kubernetes.elsewhere(subject)

    def not_permitted(self, step: Step) -> str | None:
        """The server itself says so, where a step is tried."""
        return None

    def updater(self, step: Step, health: HealthChecker) -> Updater:
        """Who carries a step out."""
        from safe_auto_updater.platforms.kubernetes.helm.forward import Return, Upgrade
        from safe_auto_updater.platforms.kubernetes.helm.releases import Releases
        from safe_auto_updater.platforms.kubernetes.helm.updater import HelmUpdater

        releases = Releases(self._kubernetes.cluster(step.asset))
        command = self.command(step.asset)
        forward: Forward = (
            Upgrade(self._charts(), command)
            if step.undoes is None
            else Return(self._undone, releases, command)
        )
        return HelmUpdater(
            releases, command, forward, self._settings, self._resolvable(step.asset), self._clock
        )

    def abandoned(self, asset: str, now: float) -> tuple[Step, Facts]:
        """What another client left half done, as an update of ours. Raises UsageError."""
        from safe_auto_updater.platforms.kubernetes.helm.abandoned import Abandoned
        from safe_auto_updater.platforms.kubernetes.helm.releases import Releases

        releases = Releases(self._kubernetes.cluster(asset))
        return Abandoned(releases, self._command.abandoned_s, now).adopted(asset)

    def command(self, asset: str) -> Command:
        """The helm that works on an asset's cluster, as whoever is to."""
        from safe_auto_updater.platforms.kubernetes.helm.command import Helm as Command

        users = (user for pattern, user in self._command.users if matches(pattern, asset))
        access = self._kubernetes.cluster(asset).access
        return Command(self._command.program, access, next(users, None))

    def _resolvable(self, asset: str) -> Callable[[str], None]:
        """What raises RegistryError where an image is not to be had."""
        lookup = self._kubernetes.lookup(asset)

        def resolvable(image: str) -> None:
            lookup.image(image)

        return resolvable

    def _undone(self, work: Work) -> Facts:
        """What is known of the update that a step takes back."""
        assert work.step.undoes is not None
        return self._record_of(work.step.undoes).facts
