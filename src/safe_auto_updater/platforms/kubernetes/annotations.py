"""Our keys on an object: `safe-auto-updater/<key>`, or with a dot as on Docker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.policy import ANNOTATION_PREFIX, LABEL_PREFIX


def labels_of(workload: Mapping[str, Any]) -> dict[str, str]:
    """What its annotations say, in the spelling of labels."""
    return spelled(workload["metadata"].get("annotations") or {})


def spelled(notes: Mapping[str, str]) -> dict[str, str]:
    """Our keys among these, in the spelling of labels; the one with a slash counts first."""
    found = {k: v for k, v in notes.items() if k.startswith(LABEL_PREFIX)}
    for key, value in notes.items():
        if key.startswith(ANNOTATION_PREFIX):
            found[LABEL_PREFIX + key.removeprefix(ANNOTATION_PREFIX)] = value
    return found
