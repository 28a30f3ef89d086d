"""Which asset a person means, also when its engine is not there to ask."""

from __future__ import annotations

from safe_auto_updater.app import App
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.engine.inventory import pick
from safe_auto_updater.engine.memory import ALL


def asset_meant(app: App, name: str | None, everything: bool) -> str:
    """One identity, or `*` for all. UsageError where it is neither or both."""
    if everything == (name is not None):
        raise UsageError("name one asset, or give --all")
    if name is None:
        return ALL
    known = {record.asset for record in app.journal.history()}
    known |= {hold.asset for hold in app.decisions.memory().holds} - {ALL}
    if name in known:
        return name
    try:
        return pick(name, known)
    except UsageError:
        (asset,) = app.cycle.scan().named([name])
    return asset.id
