"""Saved plans: written whole or not at all, and refused when the world has moved on."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from safe_auto_updater.core.codec import plan_from_json, plan_to_json
from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.model import Action, Plan, Step

SCHEMA = "safe-auto-updater/plan-file/v1"
_LARGEST = 64 << 20


def write(file: Path, plan: Plan) -> None:
    """Save a plan. UsageError where the file cannot be written."""
    text = json.dumps({"schema": SCHEMA, **plan_to_json(plan)}, indent=2) + "\n"
    try:
        file = file.resolve()
        if file.exists() and not file.is_file():
            raise UsageError(f"{file}: not a regular file, and left as it is; give another --save")
        handle, name = tempfile.mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "w") as stream:
                stream.write(text)
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink()
            raise
    except (OSError, RuntimeError) as error:  # the latter where links lead in a circle
        raise UsageError(f"{file}: the plan cannot be saved: {error}") from error


def read(file: Path) -> Plan:
    """A saved plan. UsageError where it is none, or was altered."""
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST:
            raise UsageError(f"{file}: no regular file, or too large for a plan")
        data = json.loads(file.read_text())
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise ValueError(f"no {SCHEMA} document")
        return plan_from_json(data)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{file}: cannot be used as a plan: {error}. Save it again with `sau plan --save`."
        ) from error


def still_holds(file: Path, saved: Plan, now: Plan) -> Plan:
    """The saved plan's steps as they were planned just now: a file is compared, never carried out.

    UsageError with every difference, if one step of the saved plan is not what now holds.
    """
    current = {step.asset: step for step in now.steps}
    stale = [
        f"  {step.asset}: {_said(step)} was planned; now: {_said(current.get(step.asset))}"
        for step in saved.updates
        if step.asset not in current
        or not current[step.asset].same_unit(step)
        or current[step.asset].action is not Action.UPDATE
    ]
    if stale:
        lines = "\n".join(stale)
        raise UsageError(
            f"{file}: the world has changed since this plan was saved:\n{lines}\n"
            "Nothing was done. Make a new plan with `sau plan --save`."
        )
    return Plan(tuple(current[step.asset] for step in saved.updates))


def _said(step: Step | None) -> str:
    if step is None:
        return "it is gone"
    changes = [
        f"{c.current.reference} ({(c.current.image_id or c.current.key())[:19]}) -> "
        f"{c.candidate.reference} ({c.candidate.key()[:19]})"
        for c in step.changes
        if c.candidate is not None
    ]
    if step.action is Action.UPDATE:
        following = ", ".join(f"{one.container} {one.bond.value}" for one in step.followers)
        return ", ".join(changes) + (f" (with it: {following})" if following else "")
    return f"{step.action.value}: {'; '.join(step.reasons)}"
