"""Containers that the engine made after recovery had looked for them.

A create request goes on in the engine when its asker is killed, and may end after CLEAN has found
nothing to remove. Such a container was never started; the mark says whose it is, the journal that
this update has ended.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from safe_auto_updater.core.errors import SafeAutoUpdaterError
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.engine.journal import Record
from safe_auto_updater.platforms.docker.containers import Containers
from safe_auto_updater.platforms.docker.images import Images
from safe_auto_updater.platforms.docker.marks import MARK, STAGED


def remove_latecomers(containers: Containers, images: Images, records: Sequence[Record]) -> None:
    """Remove what aborted updates staged too late; `records` are all, newest first.

    The tag that such a container held goes back too, unless a newer update has decided about it.
    Errors leave it for the next time: it serves nobody.
    """
    filters = json.dumps({"label": [MARK], "status": ["created"]})
    aborted = {r.id: r for r in records if r.outcome is Outcome.ABORTED}
    newest = {asset: r.id for r in reversed(records) for asset in r.step.assets}
    try:
        for one in containers.engine.get("/containers/json", all="true", filters=filters):
            record = aborted.get(one["Labels"][MARK])
            asset = None if record is None else _staged_for(record, one["Names"])
            if record is None or asset is None:
                continue
            containers.remove(one["Id"], volumes=True)
            if newest[asset] == record.id:
                facts = record.facts_of(asset)
                for reference, previous in facts["snapshot"]["tags"].items():
                    images.restore_tag(reference, facts["prepared"]["image_id"], previous)
    except SafeAutoUpdaterError:
        return


def _staged_for(record: Record, names: Sequence[str]) -> str | None:
    """Which asset of an update a container of these names was staged for."""
    members = [(change.asset, change.container) for change in record.step.changes]
    members += [(one.asset, one.container) for one in record.step.followers]
    fits = (asset for asset, container in members if f"/{container}{STAGED}" in names)
    return next(fits, None)
