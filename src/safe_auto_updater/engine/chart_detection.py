"""ChartDetector: is there a newer version of a release's chart. Never on half an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from safe_auto_updater.core.chart_choice import choose_chart, read_version
from safe_auto_updater.core.chart_constraint import UnreadableConstraint, kubernetes_fits
from safe_auto_updater.core.charts import (
    Charts,
    ListedChart,
    Listing,
    chart_name,
    chart_reference,
    chart_version_of,
)
from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable, RegistryError
from safe_auto_updater.core.model import Asset, Change, Image, ImageUse, Rejection
from safe_auto_updater.core.policy import AssetPolicy
from safe_auto_updater.core.versions import PolicyLevel
from safe_auto_updater.engine.candidates import Candidates, Doubted, Found
from safe_auto_updater.engine.past import Past

_NOT_A_CANDIDATE = ("not_found", "malformed")  # this version cannot be had; another may be


@dataclass(frozen=True)
class _Question:
    """One release, the chart that it runs, and what its source lists."""

    asset: str
    use: ImageUse
    policy: AssetPolicy
    name: str
    running: str
    listing: Listing
    current: ListedChart | None  # what runs, as the source tells of it

    def seen_as(self, version: str) -> str:
        """What first sights of a version are remembered under."""
        return f"{self.listing.source}:{version}"


class ChartDetector:
    """The newest allowed version that is old enough, and that this cluster may run."""

    def __init__(self, charts: Charts, past: Past, kubernetes: Callable[[], str]) -> None:
        self._charts = charts
        self._past = past
        self._kubernetes = kubernetes  # the cluster's version; asked where a chart minds

    def check(self, asset: Asset, policy: AssetPolicy) -> tuple[Change, ...]:
        """One Change: with a candidate, without, or with the error that hides it."""
        return tuple(self._check(asset.id, use, policy) for use in asset.images)

    def _check(self, asset: str, use: ImageUse, policy: AssetPolicy) -> Change:
        nothing = Change(asset, use.container, use.image)
        name, running = chart_name(use.image.reference), chart_version_of(use.image.reference)
        if policy.level is PolicyLevel.NONE:
            return replace(nothing, note="policy none: not looked up")
        if policy.level is PolicyLevel.DIGEST:
            why = f"policy digest ({policy.source('policy')}): newer versions are not looked for"
            return replace(nothing, note=why)
        if read_version(running) is None:
            why = f"{running} is no Semantic Version of three numbers: nothing is newer"
            return replace(nothing, note=why)
        try:
            listing = self._charts.listed(asset, name)
            current = self._running(asset, name, running, listing)
            asked = _Question(asset, use, policy, name, running, listing, current)
            return self._newer(nothing, asked)
        except Doubted as error:
            return replace(nothing, error=str(error))
        except RegistryError as error:
            return replace(nothing, error=f"unknown: {error}")
        except (PlatformError, PlatformUnreachable) as error:
            why = f"unknown, the cluster did not tell its version: {error}"
            return replace(nothing, error=why)

    def _newer(self, nothing: Change, asked: _Question) -> Change:
        self._refuse_half(asked)
        _refuse_another(asked)
        choice = choose_chart(
            asked.running,
            asked.listing.charts,
            asked.policy.wanted,
            lambda chart: self._unfit(asked, chart),
        )
        known = replace(nothing, remarks=tuple(self._of_what_runs(asked)))
        return Candidates(self._past, asked.policy, "versions").best(
            known, choice, lambda version: self._candidate(asked, version)
        )

    def _running(self, asset: str, name: str, running: str, listing: Listing) -> ListedChart | None:
        """What runs, as its source tells of it. Registries tell more only when they are asked."""
        found = next((one for one in listing.charts if one.version == running), None)
        if found is None or found.digest or not found.location.startswith("oci://"):
            return found
        try:
            return self._charts.described(asset, name, running)
        except RegistryError as error:
            if error.reason not in _NOT_A_CANDIDATE:
                raise
            return found

    def _refuse_half(self, asked: _Question) -> None:
        """Prereleases come and go; a list that has lost others is doubted."""
        read = [(one.version, read_version(one.version)) for one in asked.listing.charts]
        releases = [text for text, version in read if version and not version.prerelease]
        listed = releases or [text for text, version in read if version]
        # A tag has no +, and what is asked about is written as a tag everywhere else.
        tags = [text.replace("+", "_") for text in listed]
        doubt = self._past.doubt(f"chart {asked.listing.source}", tags, "versions")
        if doubt is not None:
            raise Doubted(doubt, "malformed")

    def _candidate(self, asked: _Question, version: str) -> Found | Rejection | None:
        try:
            chart = self._charts.described(asked.asset, asked.name, version)
            rejection = self._rejected(asked, chart)
            if rejection is not None:
                return rejection
            first_seen = self._past.first_seen(asked.seen_as(version), _digest(chart))
            if first_seen + asked.policy.minimum_age_s <= self._past.now():
                self._charts.archive(asked.asset, asked.name, version, chart.digest)
        except RegistryError as error:
            if error.reason not in _NOT_A_CANDIDATE:
                raise
            return Rejection(version, f"listed, but not to be had: {error}")
        reference = chart_reference(asked.name, version)
        image = Image(reference, version, chart.digest, chart.digest)
        remarks = [*self._published_anew(asked, chart), *_of_its_app(asked, chart)]
        return Found(image, first_seen, tuple(remarks))

    def _rejected(self, asked: _Question, chart: ListedChart) -> Rejection | None:
        why = self._unfit(asked, chart)
        reference = chart_reference(asked.name, chart.version)
        who = asked.asset, asked.use.container
        denied = self._past.denied(*who, _digest(chart), reference)
        if denied is not None:
            why = f"denied by {denied.who or 'a human'}"
        return None if why is None else Rejection(chart.version, why)

    def _unfit(self, asked: _Question, chart: ListedChart) -> str | None:
        """Why a version may not be taken for what it says of itself."""
        if chart.deprecated and not (asked.current and asked.current.deprecated):
            return "deprecated by its publisher: look for what follows it"
        if not chart.kube_version:
            return None
        cluster = self._kubernetes()
        try:
            fits = kubernetes_fits(chart.kube_version, cluster)
        except UnreadableConstraint as error:
            return f"its kubeVersion {error}"
        except ValueError as error:
            raise RegistryError(
                f"the cluster's version cannot be read: {error}", "malformed"
            ) from (error)
        return None if fits else f"for Kubernetes {chart.kube_version}, and this is {cluster}"

    def _of_what_runs(self, asked: _Question) -> Iterator[str]:
        current = asked.current
        if current is None:
            yield f"{asked.running}, which runs, is not listed by {asked.listing.source}"
            return
        if current.deprecated:
            yield f"{asked.running}, which runs, is deprecated by its publisher"
        if current.digest is not None:
            yield from self._published_anew(asked, current)

    def _published_anew(self, asked: _Question, chart: ListedChart) -> Iterator[str]:
        """Versions are published once. Of one that was changed it is told since when."""
        seen_as, digest = asked.seen_as(chart.version), _digest(chart)
        self._past.points_to(seen_as, digest)
        before = self._past.seen_before(seen_as, digest)
        if before is not None:
            yield (
                f"{chart.version} was published anew: its archive was {_short(before)} and is "
                f"{_short(digest)}"
            )


def _refuse_another(asked: _Question) -> None:
    """Where nobody said where a chart comes from, the list must have what runs, as it runs."""
    if asked.listing.declared:
        return
    current = asked.current
    if current is None:
        fact = f"does not list {asked.running}, which runs"
    elif asked.use.declared and current.app_version not in (None, asked.use.declared):
        fact = (
            f"lists {asked.running} with the app version {current.app_version}, and what runs has "
            f"{asked.use.declared}"
        )
    else:
        return
    raise RegistryError(
        f"{asked.listing.source} {fact}: it may be another chart of this name. Say where it comes "
        "from: detection.helm_sources",
        "not_found",
    )


def _of_its_app(asked: _Question, chart: ListedChart) -> Iterator[str]:
    old, new = asked.use.declared, chart.app_version
    if old and new and old != new:
        yield f"app version {old} -> {new}"


def _digest(chart: ListedChart) -> str:
    assert chart.digest is not None, "what is described has a digest"
    return chart.digest


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
