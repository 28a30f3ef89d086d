"""How an update ended, in sentences that an operator understands at night. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from safe_auto_updater.cli import documents
from safe_auto_updater.cli.tables import arrow, milliseconds, when
from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.model import Image, UpdaterKind
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.engine.in_words import ending
from safe_auto_updater.engine.journal import Record

_BY_OTHERS = (UpdaterKind.SWARM, UpdaterKind.KUBERNETES, UpdaterKind.HELM)
"""Who replaces several containers in turn: how long each was down nobody tells us."""
_EQUAL = "a container equal to the old one"


def result(record: Record) -> str:
    """One finished (or unfinished) update."""
    facts = record.facts
    name = _names(record)
    what = _what(record)
    down = (
        ""
        if record.step.updater in _BY_OTHERS
        else f" Down for {milliseconds(facts.get('downtime_s'))}."
    )
    why = ending(facts)
    match record.outcome:
        case Outcome.SUCCEEDED:
            return f"{name}: {what}. {_seen(facts)}: {why}.{down}"
        case Outcome.UNVERIFIED:
            return f"{name}: {what}. Applied; nobody can say whether it is healthy: {why}."
        case Outcome.ROLLED_BACK:
            return f"{name}: {what} failed ({_cause(facts)}): {why}. {_again(record)}.{down}"
        case Outcome.ABORTED:
            ones = "old ones were" if record.step.members else "old one was"
            return f"{name}: {what} not done ({_cause(facts)}): {why}. The {ones} not touched."
        case Outcome.HALTED | Outcome.INCONSISTENT:
            return (
                f"{name}: {what} NEEDS A HUMAN: {why}. Nothing more is done to it. Look with "
                f"`sau show {record.id}`, repair it, then `sau release {short_name(record.asset)}`."
            )
        case _:
            return f"{name}: {what} was interrupted. Run `sau recover`."


def downtime(records: Sequence[Record]) -> str:
    """What several updates cost in all, and the one that cost most; empty for fewer than two.

    How long what others replace in turn was down nobody tells us.
    """
    ours = [record for record in records if record.step.updater not in _BY_OTHERS]
    if len(ours) < 2:
        return ""
    down = documents.downtime(ours)
    return (
        f"Down in all for {milliseconds(down['total_s'])}, the longest "
        f"{short_name(down['longest'])} for {milliseconds(down['longest_s'])}."
    )


def recovered(before: Record, after: Record) -> str:
    """What an interrupted update came to."""
    name = _names(after)
    at = datetime.fromtimestamp(before.rows[-1].at if before.rows else before.created_at)
    began = f"Stopped at {at:%H:%M} or later while updating {name}."
    facts = after.facts
    if "adopted" in facts:
        began = f"{name}: {facts['failure']['error']}."
    match after.outcome:
        case Outcome.SUCCEEDED:
            new = ", ".join(_version(c.candidate) for c in after.step.changes if c.candidate)
            return f"{began} {new}: {_seen(facts).lower()}: {ending(facts)}. {_left(facts)}"
        case Outcome.ROLLED_BACK:
            old = ", ".join(_version(change.current) for change in after.step.changes)
            if after.step.updater in _BY_OTHERS:
                return f"{began} {old} runs again: {_again(after)}. {_left(facts)}"
            which = "the same container" if _is_same(facts) else _EQUAL
            which = "the same containers" if after.step.members else which
            runs = "run" if after.step.members else "runs"
            ids = ", ".join(_old_ids(after))
            return f"{began} {old} {runs} again: {which} ({ids}), the same volumes. {_left(facts)}"
        case Outcome.ABORTED:
            ones = "old ones were" if after.step.members else "old one was"
            return f"{began} The {ones} never touched. {_left(facts)}"
        case _:
            return f"{began} {result(after)}"


def story(record: Record) -> list[str]:
    """Everything about one update, line by line."""
    facts = record.facts
    lines = [f"Update {record.id} of {record.asset}, {when(record.created_at)}"]
    for change in record.step.changes:
        if change.candidate:
            lines.append(f"  {change.container}: {arrow(change)} ({change.bump})")
    lines += [f"  because {reason}" for reason in record.step.reasons]
    for asset in record.step.assets:
        lines += _before(asset, record.facts_of(asset))
    lines.append("")
    start = record.rows[0].at if record.rows else record.created_at
    lines += [f"  +{row.at - start:8.3f} s  {row.name}" for row in record.rows]
    lines += ["", result(record)]
    for check in facts.get("failure", {}).get("evidence", {}).get("checks", ()):
        lines.append(f"  check {check['check']}: {check['state']}: {check['detail']}")
    lines += [f"  log: {line}" for line in facts.get("last_words", ())]
    lines += [f"  warning: {warning}" for warning in facts.get("warnings", ())]
    return lines


def _what(record: Record) -> str:
    """`1.0 -> 1.1`; of a group `api 1.0 -> 1.1, web 2.0 -> 2.1`."""
    changes = [change for change in record.step.changes if change.candidate]
    if not record.step.members:
        return ", ".join(arrow(change) for change in changes)
    return ", ".join(f"{short_name(change.asset)} {arrow(change)}" for change in changes)


def _names(record: Record) -> str:
    return " + ".join(short_name(asset) for asset in record.step.assets)


def _version(image: Image) -> str:
    return image.version or image.reference


def _old_ids(record: Record) -> list[str]:
    return [record.facts_of(asset).get("old_id", "?")[:12] for asset in record.step.assets]


def _again(record: Record) -> str:
    if record.step.updater is UpdaterKind.KUBERNETES:
        return "It has its old images again, and its pods run them"
    if "never_applied" in record.facts:
        return f"Nothing of it was applied: {record.facts['never_applied']}"
    if record.step.updater is UpdaterKind.HELM:
        return f"Revision {record.facts.get('revision')} is back, and its objects are as they were"
    if record.step.updater is UpdaterKind.SWARM:
        return "Its spec is what it was, and its tasks run the old image"
    if record.step.members:
        return f"The same old containers ({', '.join(_old_ids(record))}) are back"
    facts, (old,) = record.facts, _old_ids(record)
    ran = facts.get("snapshot", {}).get("container", {}).get("State", {}).get("Running", True)
    which = "The same old container" if _is_same(facts) else _EQUAL.capitalize()
    return f"{which} ({old}) " + ("runs again" if ran else "is back, not running, as before")


def _is_same(facts: Mapping[str, Any]) -> bool:
    """Not where Watchtower has removed it, and one made like it took its place."""
    before = facts.get("snapshot", {}).get("container", {})
    return bool(before.get("Id", facts.get("old_id")) == facts.get("old_id"))


def _seen(facts: Mapping[str, Any]) -> str:
    proven = facts.get("verdict", {}).get("proven", False)
    return "Runs and was seen healthy" if proven else "Runs"


def _left(facts: Mapping[str, Any]) -> str:
    """What is left to do for a person after a recovery."""
    return "; ".join(facts.get("warnings", ())) or "Nothing for you to do."


def _before(asset: str, facts: Mapping[str, Any]) -> list[str]:
    """What somebody who repairs by hand needs to know."""
    if "snapshot" not in facts:
        return []
    if "workload" in facts["snapshot"]:
        meta = facts["snapshot"]["workload"]["metadata"]
        images = ", ".join(f"{name}={image}" for name, image in facts["old_images"].items())
        before = f"at resourceVersion {meta['resourceVersion']}"
        return [f"  {meta['namespace']}/{meta['name']}, before {before}: {images}"]
    if "service" in facts["snapshot"]:
        service = facts["snapshot"]["service"]
        return [f"  service {service['ID'][:12]}, before at version {service['Version']['Index']}"]
    if "objects" in facts["snapshot"]:
        return [f"  release {asset.partition('/')[2]}, before at revision {facts['revision']}"]
    old = facts["snapshot"]["container"]
    policy = old["HostConfig"]["RestartPolicy"]
    tries = f":{policy['MaximumRetryCount']}" if policy.get("MaximumRetryCount") else ""
    lines = [f"  old container {old['Id'][:12]}, restart policy {policy['Name'] or 'no'}{tries}"]
    lines += [f"  new container {facts['new_id'][:12]}"] if "new_id" in facts else []
    edit = facts.get("compose", {}).get("edit")
    lines += [f"  file edited: {edit}"] if edit else []
    return lines + [f"  carried over: {path}" for path in facts.get("carried", ())]


def _cause(facts: Mapping[str, Any]) -> str:
    return str(facts.get("failure", {}).get("cause", "unknown"))
