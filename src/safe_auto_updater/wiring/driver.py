"""What the program asks of each platform that it drives: Docker, Kubernetes, Helm."""

from __future__ import annotations

from typing import Protocol

from safe_auto_updater.core.diff import DiffAnalyzer
from safe_auto_updater.core.model import Step
from safe_auto_updater.core.ports import Comparer, Subject
from safe_auto_updater.core.semver import SemVerEvaluator
from safe_auto_updater.core.updater import Updater
from safe_auto_updater.engine.cycle import Detector
from safe_auto_updater.engine.detection import ChangeDetector
from safe_auto_updater.engine.health import HealthChecker
from safe_auto_updater.engine.past import Past
from safe_auto_updater.platforms.registry import ImageLookup


class Driver(Protocol):
    """One platform. Assets are told apart by how their identities begin."""

    def detector(self, asset: str, past: Past) -> Detector:
        """Who knows what is newer."""
        ...

    def comparer(self, asset: str) -> Comparer:
        """Who looks at both sides of a change."""
        ...

    def analyzer(self) -> DiffAnalyzer:
        """Who judges the difference."""
        ...

    def updater(self, step: Step, health: HealthChecker) -> Updater:
        """Who carries a step out."""
        ...

    def elsewhere(self, subject: Subject) -> str | None:
        """Why its addresses may be those of something else from here; None where they are its."""
        ...

    def not_permitted(self, step: Step) -> str | None:
        """Why a step may not be made, by what is allowed to us; None where nothing speaks so."""
        ...


def of_images(lookup: ImageLookup, past: Past) -> ChangeDetector:
    """Who knows the newer images of an asset."""
    return ChangeDetector(lookup, SemVerEvaluator(), past)
