"""Which asset or step a person means, also when no engine is there to ask; and who they are."""

from __future__ import annotations

import getpass
from collections.abc import Mapping

from safe_auto_updater.app import App
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.model import Step
from safe_auto_updater.engine.decisions import ALL
from safe_auto_updater.engine.inventory import pick


def asset_meant(app: App, name: str | None, everything: bool) -> str:
    """One identity, or `*` for all. UsageError where it is neither or both."""
    if everything == (name is not None):
        raise UsageError("name one asset, or give --all")
    if name is None:
        return ALL
    known = {asset for record in app.journal.history() for asset in record.step.assets}
    known |= {hold.asset for hold in app.decisions.standing().holds} - {ALL}
    if name in known:
        return name
    # What runs now counts as much: `web` is not `web-old`, of which alone there is a memory.
    return app.cycle.scan().meant(name, known)


def step_meant(app: App, name: str) -> Step:
    """The planned step that an id, its beginning, or an asset's name means; else UsageError."""
    planned = app.decisions.proposals()
    by_id = [step for step in planned if step.id.startswith(name)]
    if len(by_id) == 1:
        return by_id[0]
    by_asset = {asset: step for step in planned for asset in step.assets}
    try:
        return by_asset[pick(name, by_asset)]
    except UsageError as error:
        if by_id:
            raise UsageError(f"{name}: more than one step begins so; write more of it") from error
        raise UsageError(f"{name}: no step of the last plan; `sau plan` shows them") from error


def whoever(environ: Mapping[str, str]) -> str:
    """The person at the keyboard, as the machine knows them."""
    try:
        return environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # a container without a user database
        return "unknown"
