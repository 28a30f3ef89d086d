"""The JSON that others rely on: from the program's words to the stable documents. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from safe_auto_updater.core.codec import to_json
from safe_auto_updater.core.model import Asset, Change, Image, Plan, Step
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.core.risk import Bands
from safe_auto_updater.engine.cycle import Checked
from safe_auto_updater.engine.in_words import ending
from safe_auto_updater.engine.inventory import AssetInventory
from safe_auto_updater.engine.journal import Record

Json = dict[str, Any]


def scan(inventory: AssetInventory) -> Json:
    """`assets[]`, `images[]`, `failures[]`."""
    return {
        "assets": [asset(item) for item in inventory.assets],
        "images": to_json(inventory.images),
        "failures": failures(inventory),
    }


def failures(inventory: AssetInventory) -> list[Json]:
    """Parts that could not be seen."""
    return [{"source": source, "error": error} for source, error in inventory.failures]


def asset(item: Asset) -> Json:
    """One asset."""
    return {
        "id": item.id,
        "platform": item.platform,
        "kind": item.kind,
        "name": item.name,
        "images": [
            {
                "container": use.container,
                "reference": use.image.reference,
                "digest": use.image.digest,
                "image_id": use.image.image_id,
                "version": use.image.version,
                "declared": use.declared,
            }
            for use in item.images
        ],
        "status": item.status.value,
        "health": item.health.value,
        "managed_by": item.managed_by,
        "obstacles": [{"rule": o.rule, "reason": o.reason} for o in item.obstacles],
    }


def check(checked: Checked) -> Json:
    """`changes[]`, one per container."""
    changes = [change(item) for found in checked.changes.values() for item in found]
    return {"changes": changes, "failures": failures(checked.inventory)}


def change(item: Change) -> Json:
    """One change: what runs, what could run, what was rejected and why."""
    return {
        "asset": item.asset,
        "container": item.container,
        "current": image(item.current),
        "candidate": None if item.candidate is None else image(item.candidate),
        "bump": item.bump,
        "rejected": to_json(item.rejected),
        "error": item.error,
        "note": item.note,
        "behind": item.behind,
        "first_seen": item.first_seen,
        "path": list(item.path),
        "remarks": list(item.remarks),
        "link": item.link,
    }


def image(item: Image) -> Json:
    """`{reference, version, digest}` and what else is known."""
    return {
        "reference": item.reference,
        "version": item.version,
        "digest": item.digest,
        "content": item.content,
    }


def plan(item: Plan, checked: Checked, bands: Bands) -> Json:
    """`plan_id` and `steps[]`."""
    return {
        "plan_id": item.id,
        "steps": [step(s, bands) for s in item.steps],
        "failures": failures(checked.inventory),
    }


def step(item: Step, bands: Bands) -> Json:
    """One step of a plan."""
    return {
        "id": item.id,
        "asset": item.asset,
        "action": item.action.value,
        "reasons": list(item.reasons),
        "hold_rules": list(item.hold_rules),
        "changes": [change(c) for c in item.changes],
        "members": [{"asset": asset} for asset in item.members],
        **risk(item, bands),
    }


def risk(item: Step, bands: Bands) -> Json:
    """`risk` and `reversibility`, both null where there is nothing to judge."""
    judged = item.risk
    if judged is None:
        return {"risk": None, "reversibility": None}
    return {
        "risk": {
            "level": bands.band(judged).value,
            "score": judged.score,
            "blockers": list(judged.blockers),
            "findings": to_json(judged.findings),
        },
        "reversibility": judged.reversibility.value,
    }


def update(record: Record) -> Json:
    """One update as the journal tells it."""
    facts = record.facts
    return {
        "id": record.id,
        "asset": record.asset,
        "outcome": outcome(record).value,
        "changes": [change(c) for c in record.step.changes],
        "members": [
            {
                "asset": member,
                "old_id": record.facts_of(member).get("old_id"),
                "new_id": record.facts_of(member).get("new_id"),
            }
            for member in record.step.members
        ],
        "old_id": facts.get("old_id"),
        "new_id": facts.get("new_id"),
        "undoes": record.step.undoes,
        "cause": record.cause.value if record.cause else None,
        "error": ending(facts) if record.cause else None,
        "evidence": evidence(facts),
        "warnings": [*facts.get("warnings", ()), *facts.get("remarks", ())],
        "phases": phases(record),
        "downtime_s": facts.get("downtime_s"),
    }


def downtime(records: Sequence[Record]) -> Json:
    """What several updates cost in all, and the one that cost most; what is unknown counts none."""
    down = {record.asset: record.facts.get("downtime_s") or 0.0 for record in records}
    longest = max(down, key=lambda asset: down[asset], default=None)
    return {
        "total_s": round(sum(down.values()), 6),
        "longest_s": down[longest] if longest else None,
        "longest": longest,
    }


def outcome(record: Record) -> Outcome:
    """How it ended; an update without an end is unfinished."""
    return record.outcome or Outcome.UNFINISHED


def evidence(facts: Json) -> list[Json]:
    """What was seen: each check's word, differences, the end of the new container's log."""
    found: list[Json] = []
    for word in ("failure", "trouble"):
        seen = facts.get(word, {}).get("evidence", {})
        found += seen.get("checks", [])
        found += [{"difference": line} for line in seen.get("differences", ())]
    found += [{"log": line} for line in facts.get("last_words", ())]
    return found


def phases(record: Record) -> list[Json]:
    """Every phase entered, with its begin and end (seconds since the epoch)."""
    ends = [*(row.at for row in record.rows), None][1:]  # nothing where nothing was entered
    return [
        {"name": row.name, "started": row.at, "ended": end}
        for row, end in zip(record.rows, ends, strict=True)
    ]
