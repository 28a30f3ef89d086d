"""Why something about a Compose project cannot be told."""

from __future__ import annotations

from safe_auto_updater.core.errors import SafeAutoUpdaterError


class Unclear(SafeAutoUpdaterError):
    """The files do not say it in one place, or not in a way that may be touched."""
