"""Our keys on a workload: `safe-auto-updater/<key>`, or with a dot as on Docker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.policy import ANNOTATION_PREFIX, LABEL_PREFIX


def labels_of(workload: Mapping[str, Any]) -> dict[str, str]:
    """What its annotations say, in the spelling of labels; the one with a slash counts first."""
    annotations = workload["metadata"].get("annotations") or {}
    found = {k: v for k, v in annotations.items() if k.startswith(LABEL_PREFIX)}
    for key, value in annotations.items():
        if key.startswith(ANNOTATION_PREFIX):
            found[LABEL_PREFIX + key.removeprefix(ANNOTATION_PREFIX)] = value
    return found
