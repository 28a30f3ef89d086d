"""Which asset or step a person means, also when no engine is there to ask; and who they are."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence

from safe_auto_updater.app import App
from safe_auto_updater.core.errors import PlatformUnreachable, UsageError
from safe_auto_updater.core.model import Step
from safe_auto_updater.engine.decisions import ALL

_SHORTEST_ID = 4


def asset_meant(app: App, name: str | None, everything: bool) -> str:
    """One identity, or `*` for all. UsageError where it is neither or both."""
    if everything == (name is not None):
        raise UsageError("name one asset, or give --all")
    if name is None:
        return ALL
    return seen_or_remembered(app, name)


def seen_or_remembered(app: App, name: str) -> str:
    """The asset that a name means, among those that run and those of which there is a memory.

    Both count: `web` is not `web-old`, of which alone there is a memory.
    """
    known = {asset for record in app.journal.history() for asset in record.step.assets}
    known |= {asset for step in app.decisions.proposals() for asset in step.assets}
    known |= {word.asset for word in app.decisions.words()} - {ALL}
    if name in known:
        return name
    return app.cycle.scan().meant(name, known)


def step_meant(app: App, name: str) -> Step:
    """The planned step that an id, its beginning, or an asset's name means; else UsageError.

    PlatformUnreachable where it is no id, and not everything could be seen.
    """
    planned = app.decisions.proposals()
    by_id = [step for step in planned if len(name) >= _SHORTEST_ID and step.id.startswith(name)]
    try:
        asset = seen_or_remembered(app, name)
    except (UsageError, PlatformUnreachable) as error:
        if len(by_id) == 1:
            return by_id[0]
        if isinstance(error, PlatformUnreachable) and not by_id:
            raise
        fact = "more than one step begins so" if by_id else "no step of the last plan"
        raise UsageError(f"{name}: {fact}; `sau plan` shows them") from error
    if by_id:
        raise UsageError(f"{name} is {asset} and begins the step {by_id[0].id}; write more of it")
    return _step_of(asset, planned)


def _step_of(asset: str, planned: Sequence[Step]) -> Step:
    """The step that moves an asset's own image, else the one that it only follows in."""
    moving = [step for step in planned if asset in step.movers]
    found = moving or [step for step in planned if asset in step.assets]
    if not found:
        raise UsageError(f"{asset}: no step of the last plan; `sau plan` shows what there is")
    if len(found) > 1:
        ids = ", ".join(f"{step.id} of {step.asset}" for step in found)
        raise UsageError(f"{asset} follows in several steps: name one of them by its ID ({ids})")
    return found[0]


def whoever(environ: Mapping[str, str]) -> str:
    """The person at the keyboard, as the machine knows them."""
    try:
        return environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # a container without a user database
        return "unknown"
