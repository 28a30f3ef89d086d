"""What the status of a release means for whoever would upgrade it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from safe_auto_updater.core.model import Obstacle, Status
from safe_auto_updater.platforms.kubernetes.helm.release import Info
from safe_auto_updater.platforms.kubernetes.helm.releases import Stored

_STATUS = {
    "deployed": Status.RUNNING,
    "failed": Status.RUNNING,  # what is left of it; its health says more
    "pending-install": Status.CREATED,
    "pending-upgrade": Status.RUNNING,
    "pending-rollback": Status.RUNNING,
    "uninstalling": Status.EXITED,
    "uninstalled": Status.EXITED,
}
_MOST = 300  # characters of what Helm noted


def status_of(word: str) -> Status:
    """Helm's word in ours; the obstacles tell what that leaves out."""
    return _STATUS.get(word, Status.UNKNOWN)


def in_the_way(word: str, info: Info, revisions: Sequence[Stored]) -> list[Obstacle]:
    """Why a release of this status is not upgraded. `revisions` are all, the newest first."""
    newest = revisions[0]
    name, number, namespace = newest.release, newest.revision, newest.storage.namespace
    told = " ".join(info.description.split())[:_MOST]
    since = moment(info.last_deployed)
    match word:
        case "deployed":
            return []
        case "failed":
            fact = f"revision {number} has failed ({told or 'Helm notes no reason'})"
            remedy = "mend it (`helm rollback`, `helm upgrade`)"
            return [Obstacle("failed", f"{fact}: {remedy}")]
        case "pending-install" | "pending-upgrade" | "pending-rollback":
            what = word.removeprefix("pending-")
            fact = (
                f"{_article(what)} that began {since} has not ended (revision {number} is {word}): "
                "another client may be at work"
            )
            return [Obstacle("pending", f"{fact}. If none is: {_way_out(revisions)}")]
        case "uninstalling":
            fact = f"it is being uninstalled, or that was broken off (revision {number})"
            remedy = f"`helm uninstall {name} --namespace {namespace}` ends it"
            return [Obstacle("uninstalled", f"{fact}: {remedy}")]
        case "uninstalled":
            fact = "it was uninstalled, and only its history is kept"
            return [Obstacle("uninstalled", f"{fact}: nothing of it is to run")]
        case "superseded":
            fact = f"none of its revisions is deployed, and the newest ({number}) is superseded"
            remedy = f"`helm rollback {name} {number} --namespace {namespace}` deploys it"
            return [Obstacle("lost", f"{fact}: the record of what runs was lost; {remedy}")]
        case _:
            fact = f"Helm calls revision {number} {word or 'nothing'}: what runs cannot be known"
            return [Obstacle("lost", f"{fact}; look at `helm history {name}`")]


def _way_out(revisions: Sequence[Stored]) -> str:
    name, namespace = revisions[0].release, revisions[0].storage.namespace
    before = [one.revision for one in revisions[1:] if one.status in ("deployed", "superseded")]
    if not before:
        return f"`helm uninstall {name} --namespace {namespace}`"
    by_hand = f"`helm rollback {name} {before[0]} --namespace {namespace}`"
    return f"`sau recover {namespace}/{name}`, or {by_hand}"


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def moment(at: datetime | None) -> str:
    """A time as people read it."""
    return "at an unknown time" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
