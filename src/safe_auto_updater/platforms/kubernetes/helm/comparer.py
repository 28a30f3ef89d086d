"""HelmComparer: what a chart version would make of a release, rendered and asked of the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from safe_auto_updater.core.charts import Charts, chart_name
from safe_auto_updater.core.errors import NotFound, PlatformError, RegistryError
from safe_auto_updater.core.model import Asset, Change
from safe_auto_updater.core.ports import Trees
from safe_auto_updater.platforms.kubernetes.cluster import Refused
from safe_auto_updater.platforms.kubernetes.helm.command import Helm
from safe_auto_updater.platforms.kubernetes.helm.objects import Objects, Unserved
from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece, pieces
from safe_auto_updater.platforms.kubernetes.helm.release import Release, rendered_release
from safe_auto_updater.platforms.kubernetes.helm.releases import Releases
from safe_auto_updater.platforms.kubernetes.helm.sides import (
    Seen,
    Side,
    run_by,
    scaled_twice,
    trees,
)
from safe_auto_updater.platforms.kubernetes.helm.target import Target

Json = Mapping[str, Any]
_AUTOSCALERS = "/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"


class HelmComparer:
    """Nothing is changed: helm renders, and the server says what it would make of each object."""

    def __init__(
        self,
        releases: Releases,
        helm: Helm,
        charts: Charts,
        resolvable: Callable[[str], None],
    ) -> None:
        self._resolvable = resolvable  # raises RegistryError where an image is not to be had
        self._releases = releases
        self._objects = Objects(releases.cluster)
        self._helm = helm
        self._charts = charts

    def trees(self, asset: Asset, change: Change) -> Trees:
        """Both sides of one change. RegistryError, PlatformError, StepFailed: *unknown*."""
        assert change.candidate is not None and change.candidate.version is not None
        target = Target.of(asset.id)
        history = self._releases.history(target.namespace, target.name)
        if not history:
            raise NotFound(f"{target} is gone")
        old = self._releases.read(history[-1].storage)
        name = chart_name(change.candidate.reference)
        archive = self._charts.archive(
            asset.id, name, change.candidate.version, change.candidate.digest
        )
        told = self._helm.rendered(target.named(history[-1]), archive, old.config_text)
        try:
            before, after, seen = self._sides(old, rendered_release(told, old))
            return Trees(*trees(before, after, seen))
        except (KeyError, TypeError, AttributeError) as error:  # whatever a template may write
            fact = f"chart {change.candidate.reference} makes something that is no object"
            raise PlatformError(f"{fact}: {type(error).__name__}: {error}") from error

    def _sides(self, old: Release, new: Release) -> tuple[Side, Side, Seen]:
        mine, theirs = (pieces(one.manifest, one.namespace) for one in (old, new))
        there = self._objects.get_if_served
        live = {piece.key: found for piece in mine if (found := there(piece))}
        would: dict[str, Json] = {}
        refused: dict[str, str] = {}
        for piece in theirs:
            try:
                would[piece.key] = self._objects.tried(piece)
            except Refused as error:
                refused[piece.label] = str(error)
            except (NotFound, Unserved):
                continue  # told by `unserved`, or its namespace comes with it
        unserved = self._objects.unserved(theirs)  # of mine helm told when it rendered
        lost, unseen = self._not_had(run_by(mine))
        twice = scaled_twice(theirs, live, *self._autoscaled(theirs))
        seen = Seen(refused, unserved, twice, lost, unseen)
        return (
            Side(old.chart, old.config, old.hooks, mine, live),
            Side(new.chart, new.config, new.hooks, theirs, would),
            seen,
        )

    def _not_had(self, images: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Images that are gone, and those of which nobody can say, each with the reason."""
        lost: dict[str, str] = {}
        unseen: dict[str, str] = {}
        for image in images:
            try:
                self._resolvable(image)
            except RegistryError as error:
                (lost if error.reason == "not_found" else unseen)[image] = str(error)
        return lost, unseen

    def _autoscaled(self, all_of_it: Sequence[Piece]) -> tuple[set[tuple[str, str, str]], set[str]]:
        """What autoscalers scale, by namespace, kind and name; and where they cannot be seen."""
        scaled: set[tuple[str, str, str]] = set()
        unseen: set[str] = set()
        for namespace in {piece.namespace for piece in all_of_it}:
            path = _AUTOSCALERS.format(namespace=namespace)
            try:
                found = list(self._releases.cluster.listed(path))
            except PlatformError:
                unseen.add(namespace)  # not served, or not ours to see
                continue
            for one in found:
                what = one["spec"]["scaleTargetRef"]
                scaled.add((namespace, what["kind"], what["name"]))
        return scaled, unseen
