"""A release that another client left pending: whether that client is gone, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from safe_auto_updater.core.errors import UsageError
from safe_auto_updater.core.model import Action, Change, Image, Step, UpdaterKind
from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.core.updater import Facts
from safe_auto_updater.platforms.kubernetes.helm.forward import ADOPTED
from safe_auto_updater.platforms.kubernetes.helm.hooks import running
from safe_auto_updater.platforms.kubernetes.helm.objects import Objects
from safe_auto_updater.platforms.kubernetes.helm.pieces import pieces
from safe_auto_updater.platforms.kubernetes.helm.release import Release
from safe_auto_updater.platforms.kubernetes.helm.releases import Releases, Stored
from safe_auto_updater.platforms.kubernetes.helm.standing import moment
from safe_auto_updater.platforms.kubernetes.helm.target import (
    DEPLOYED,
    PENDING,
    SUPERSEDED,
    Target,
)

_CONTROLLERS = ("kube-controller-manager", "kubelet", "kube-scheduler")
"""Who goes on writing after a client has died."""


class Abandoned:
    """Looks at one release. Nothing is changed here."""

    def __init__(self, releases: Releases, quiet_s: float, now: float) -> None:
        self._releases = releases
        self._objects = Objects(releases.cluster)
        self._quiet_s = quiet_s  # for how long nobody may have worked on it
        self._now = now

    def adopted(self, asset: str) -> tuple[Step, Facts]:
        """The broken-off work as an update of ours that died while it was applied.

        UsageError where it is not pending, somebody may be at work, or nothing was there before;
        PlatformError where an object of it cannot be looked at, for then nobody can say.
        """
        target = Target.of(asset)
        history = self._releases.history(target.namespace, target.name)
        if not history:
            raise UsageError(f"{asset}: there is no such release (any more)")
        newest = history[-1]
        if newest.status not in PENDING:
            fact = f"revision {newest.revision} is {newest.status or 'without a status'}"
            raise UsageError(f"{asset}: {fact}, which nobody left half done")
        before = _before(history)
        if before is None:
            remedy = f"`helm uninstall {target.name} --namespace {target.namespace}`"
            raise UsageError(f"{asset}: no revision of it was ever deployed: {remedy}")
        left, old = self._releases.read(newest.storage), self._releases.read(before.storage)
        at_work = next(self._signs_of_work(left), None)
        if at_work is not None:
            quiet = f"{self._quiet_s:g} s without a sign of work"
            raise UsageError(
                f"{asset}: somebody may be at work: {at_work}. Try again after {quiet}"
            )
        return _step(asset, old, left), _facts(old, left)

    def _signs_of_work(self, left: Release) -> Iterator[str]:
        began = left.info.last_deployed
        if began is None:
            yield "Helm does not say when it began"
        elif self._is_late(began):
            yield f"it began at {moment(began)}"
        for hook in left.hooks:
            for piece in pieces(hook.manifest, left.namespace):
                live = self._objects.get_if_served(piece)
                if live is not None and running(live):
                    yield f"hook {piece.label} runs"
        for piece in pieces(left.manifest, left.namespace):
            for who, at in _writers(self._objects.get_if_served(piece)):
                if self._is_late(at):
                    yield f"{who} changed {piece.label} at {moment(at)}"

    def _is_late(self, at: datetime) -> bool:
        return self._now - at.timestamp() < self._quiet_s


def _writers(live: dict[str, Any] | None) -> Iterator[tuple[str, datetime]]:
    """Who wrote an object last and when, but for those who go on by themselves."""
    for entry in () if live is None else live["metadata"].get("managedFields") or ():
        who, when = str(entry.get("manager")), entry.get("time")
        if when and not entry.get("subresource") and who not in _CONTROLLERS:
            yield who, datetime.fromisoformat(when)


def _before(history: tuple[Stored, ...]) -> Stored | None:
    """What was deployed when the work began, else what was before."""
    for status in (DEPLOYED, SUPERSEDED):
        for one in reversed(history):
            if one.status == status:
                return one
    return None


def _step(asset: str, old: Release, left: Release) -> Step:
    change = Change(asset, old.chart.name, _image(old), _image(left), "unknown")
    return Step(asset, Action.UPDATE, (_why(left),), (change,), updater=UpdaterKind.HELM)


def _facts(old: Release, left: Release) -> Facts:
    failure = {"cause": Cause.PLATFORM.value, "error": _why(left), "evidence": {}}
    return {"revision": old.revision, ADOPTED: left.revision, "failure": failure}


def _why(left: Release) -> str:
    what = left.status.removeprefix("pending-")
    at = left.info.last_deployed
    began = moment(at) if at is None else f"at {moment(at)}"
    return f"another client began revision {left.revision} ({what}) {began} and did not end it"


def _image(release: Release) -> Image:
    chart = release.chart
    return Image(f"{chart.name}:{chart.version}", chart.version)
