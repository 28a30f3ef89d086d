"""Asking ChangeDetector about one container, in one place."""

from __future__ import annotations

from pathlib import Path

from safe_auto_updater.core.model import Asset, Change, Health, Image, ImageUse, Status
from safe_auto_updater.core.policy import Settings, resolve
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.registries import Registry
from safe_auto_updater.core.semver import SemVerEvaluator
from safe_auto_updater.engine.detection import ChangeDetector
from safe_auto_updater.engine.past import Past
from safe_auto_updater.engine.state import open_state

WEB = "docker:local/web"


def detect(registry: Registry, state: Path, reference: str, digest: str) -> Change:
    """What detection says of a container that runs this digest of this reference."""
    connection = open_state(state)
    try:
        past = Past(connection, (), (), lambda: 1_000_000.0)
        tag = Reference.parse(reference).tag
        use = ImageUse("web", Image(reference, tag, digest), (digest,))
        asset = Asset(WEB, "docker", "container", "web", (use,), Status.RUNNING, Health.HEALTHY)
        detector = ChangeDetector(registry, SemVerEvaluator(), past)
        (change,) = detector.check(asset, resolve(Settings(), WEB, {}))
        return change
    finally:
        connection.close()
