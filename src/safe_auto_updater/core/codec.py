"""Frozen words to JSON and back: what the journal stores and `plan --save` writes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.model import (
    Action,
    Bond,
    Change,
    Follower,
    Image,
    Plan,
    Rejection,
    Step,
    UpdaterKind,
)
from safe_auto_updater.core.risk import Finding, Reversibility, Risk, Severity


def to_json(value: Any) -> Any:
    """Any frozen word as plain JSON values, field by field."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    return value


def hash_of(value: Any) -> str:
    """Plain JSON as a short text, the same for the same values and no other."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def step_from_json(data: Mapping[str, Any]) -> Step:
    """The step that `to_json` wrote. ValueError where it is not one."""
    try:
        changes = tuple(_change(item) for item in data["changes"])
        return Step(
            asset=_text(data["asset"]),
            action=Action(data["action"]),
            reasons=tuple(_text(reason) for reason in data["reasons"]),
            changes=changes,
            hold_rules=tuple(_text(rule) for rule in data.get("hold_rules", ())),
            undoes=data.get("undoes"),
            members=tuple(_text(member) for member in data.get("members", ())),
            risk=_risk(data.get("risk")),
            updater=UpdaterKind(data.get("updater", UpdaterKind.NATIVE)),
            followers=tuple(_follower(item) for item in data.get("followers", ())),
            needs=tuple((_text(one), _text(other)) for one, other in data.get("needs", ())),
            joins=tuple(_text(step) for step in data.get("joins", ())),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a plan step: {error!r}") from error


def plan_from_json(data: Mapping[str, Any]) -> Plan:
    """The plan that `plan_to_json` wrote. ValueError where it was altered or is no plan."""
    try:
        plan = Plan(tuple(step_from_json(item) for item in data["steps"]))
        written = [item["id"] for item in data["steps"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a plan: {error!r}") from error
    altered = [s.asset for s, id_ in zip(plan.steps, written, strict=True) if s.id != id_]
    if altered or plan.id != data.get("plan_id"):
        raise ValueError(f"altered after it was saved: {', '.join(altered) or 'its steps'}")
    return plan


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """`plan_id` and `steps[]`, each with its `id`."""
    steps = [{"id": step.id, **to_json(step)} for step in plan.steps]
    return {"plan_id": plan.id, "steps": steps}


def _change(data: Mapping[str, Any]) -> Change:
    candidate = data.get("candidate")
    return Change(
        asset=_text(data["asset"]),
        container=_text(data["container"]),
        current=_image(data["current"]),
        candidate=None if candidate is None else _image(candidate),
        bump=data.get("bump"),
        rejected=tuple(
            Rejection(_text(item["tag"]), _text(item["reason"]))
            for item in data.get("rejected", ())
        ),
        error=data.get("error"),
        note=data.get("note"),
        behind=data.get("behind"),
        first_seen=data.get("first_seen"),
        path=tuple(_text(tag) for tag in data.get("path", ())),
        remarks=tuple(_text(told) for told in data.get("remarks", ())),
        link=data.get("link"),
    )


def _follower(data: Mapping[str, Any]) -> Follower:
    return Follower(
        asset=_text(data["asset"]),
        container=_text(data["container"]),
        image=_image(data["image"]),
        bond=Bond(data["bond"]),
        what=_text(data["what"]),
    )


def _risk(data: Mapping[str, Any] | None) -> Risk | None:
    if data is None:
        return None
    findings = tuple(
        Finding(
            path=_text(item["path"]),
            before=item["before"],
            after=item["after"],
            rule=_text(item["rule"]),
            severity=Severity(item["severity"]),
            why=_text(item["why"]),
            points=int(item["points"]),
            reversibility=Reversibility(item["reversibility"]),
        )
        for item in data["findings"]
    )
    blockers = tuple(_text(blocker) for blocker in data["blockers"])
    return Risk(int(data["score"]), blockers, findings, Reversibility(data["reversibility"]))


def _image(data: Mapping[str, Any]) -> Image:
    known: dict[str, Any] = {f.name: data.get(f.name) for f in dataclasses.fields(Image)}
    for name, value in known.items():
        if value is not None and not isinstance(value, str):
            raise TypeError(f"image {name} is not a text")
    return Image(_text(known.pop("reference")), **known)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value
