"""Images that updates replaced: kept for the way back, removed by the retention rule.

Only images that the journal says we replaced or pulled are ever considered, only by references
that we gave them, never by force, and never while any container uses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from safe_auto_updater.core.errors import InvalidReference, SafeAutoUpdaterError
from safe_auto_updater.core.model import UpdaterKind
from safe_auto_updater.core.outcome import Outcome
from safe_auto_updater.core.policy import Keep
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.updater import Facts
from safe_auto_updater.engine.journal import Record
from safe_auto_updater.platforms.docker.engine import DockerEngine
from safe_auto_updater.platforms.docker.images import Images

DAY_S = 86400.0
_FAILED = (Outcome.ROLLED_BACK, Outcome.ABORTED)


@dataclass(frozen=True)
class Expired:
    """An image that may go, and the references by which we know it."""

    image_id: str
    references: frozenset[str]


def expired(records: Sequence[Record], keep: Keep, now: float) -> tuple[Expired, ...]:
    """What the rule lets go: replaced images beyond `keep`, and what failed updates pulled. Pure.

    `records` are one engine's updates, newest first. An image that any asset still keeps stays.
    What a Swarm pulled is on many nodes, and none of ours.
    """
    kept: set[str] = set()
    over: dict[str, set[str]] = {}
    counted: dict[str, list[str]] = {}
    here = [record for record in records if record.step.updater is not UpdaterKind.SWARM]
    for record, asset in [(r, asset) for r in here for asset in r.step.movers]:
        facts = record.facts_of(asset)
        if record.outcome is None:
            kept |= {facts.get("prepared", {}).get("image_id", ""), _replaced(facts)[0]}
        elif record.outcome is Outcome.SUCCEEDED and "snapshot" in facts:
            image_id, references = _replaced(facts)
            if asset not in counted:  # what it was left with, running or away for a moment
                kept.add(facts.get("prepared", {}).get("image_id", ""))
            mine = counted.setdefault(asset, [])
            if image_id not in mine:
                mine.append(image_id)
            young = now - record.rows[-1].at < keep.days * DAY_S
            if young and mine.index(image_id) < keep.versions:
                kept.add(image_id)
            else:
                over.setdefault(image_id, set()).update(references)
        elif record.outcome in _FAILED and facts.get("prepared", {}).get("pulled"):
            over.setdefault(facts["prepared"]["image_id"], set())
    return tuple(Expired(id_, frozenset(refs)) for id_, refs in over.items() if id_ not in kept)


def _replaced(facts: Facts) -> tuple[str, set[str]]:
    snapshot = facts.get("snapshot")
    if snapshot is None:
        return "", set()
    written = snapshot["container"]["Config"]["Image"]
    return snapshot["image"]["Id"], {written, *_as_told(written)}


def _as_told(written: str) -> tuple[str, ...]:
    """How an engine calls it: `nginx:1` where `docker.io/library/nginx:1` was written."""
    try:
        return (Reference.parse(written).familiar,)
    except InvalidReference:
        return ()


def sweep(engine: DockerEngine, images: Images, gone: Iterable[Expired]) -> list[str]:
    """Remove expired images that nothing uses; the references that went. Errors leave the image."""
    removed: list[str] = []
    try:
        used = {c["ImageID"] for c in engine.get("/containers/json", all="true")}
        for item in gone:
            image = None if item.image_id in used else images.find(item.image_id)
            names = (image or {}).get("RepoTags") or ()  # containerd's store tells digests here too
            tags = {name for name in names if "@" not in name and name != "<none>:<none>"}
            if image is None or not tags <= item.references:
                continue  # in use, gone already, or somebody gave it a name of their own
            names = sorted(tags) + sorted(image.get("RepoDigests") or ())
            removed += [name for name in names or [item.image_id] if images.untag(name)]
    except SafeAutoUpdaterError:
        return removed  # next time; an image that stays harms nobody
    return removed
