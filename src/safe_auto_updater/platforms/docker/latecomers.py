"""Containers that the engine made after recovery had looked for them.

A create request goes on in the engine when its asker is killed, and may end after CLEAN has found
nothing to remove. Such a container was never started; the mark says whose it is, the journal that
this update has ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from safe_auto_updater.core.errors import SafeAutoUpdaterError
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.engine.journal import Record
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.marks import MARK, STAGED


def remove_latecomers(containers: Containers, records: Iterable[Record]) -> None:
    """Remove what aborted updates staged too late. Errors leave it: it serves nobody."""
    filters = json.dumps({"label": [MARK], "status": ["created"]})
    try:
        found = containers.engine.get("/containers/json", all="true", filters=filters)
        aborted = {r.id for r in records if r.outcome is Outcome.ABORTED} if found else set()
        for one in found:
            staged = any(name.endswith(STAGED) for name in one["Names"])
            if staged and one["Labels"][MARK] in aborted:
                containers.remove(one["Id"], volumes=True)
    except SafeAutoUpdaterError:
        return  # next time
