"""The port `Charts`: which source a release's chart comes from, and what it says.

Helm keeps no source in a release. So it is declared, or it is the one repository of the user's own
that lists the chart; two that do are never chosen from.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from safe_auto_updater.core.answers import Answers
from safe_auto_updater.core.charts import ListedChart, Listing
from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.identity import matches, short_name
from safe_auto_updater.platforms.charts.archives import Archives, refuse_other, sha256_of
from safe_auto_updater.platforms.charts.errors import REMEDY, malformed
from safe_auto_updater.platforms.charts.ports import OciCharts, RepositoryAccess
from safe_auto_updater.platforms.charts.repository import ClassicRepository
from safe_auto_updater.platforms.charts.source import InRegistry, InRepository, Source


@dataclass(frozen=True, slots=True)
class Declared:
    """Where charts of some names, of some releases, come from: a URL, or `oci://host/path`."""

    chart: str  # a pattern
    asset: str  # a pattern
    access: RepositoryAccess

    def covers(self, asset: str, chart: str) -> bool:
        """Whether it says where this chart of this release comes from."""
        return fnmatchcase(chart, self.chart) and matches(self.asset, asset)


class ChartSources:
    """Every source of every chart. Thread-safe; each source is asked once in a run.

    `own` are the user's own repositories, which are read where nothing is declared.
    """

    def __init__(
        self,
        declared: Sequence[Declared],
        own: Callable[[], Sequence[RepositoryAccess]],
        repository: Callable[[RepositoryAccess], ClassicRepository],
        oci: OciCharts,
        answers: Answers,
    ) -> None:
        self._declared = declared
        self._own = own
        self._new_repository = repository
        self._oci = oci
        self._archives = Archives(answers)
        self._lock = threading.Lock()
        self._repositories: dict[RepositoryAccess, ClassicRepository] = {}

    def listed(self, asset: str, chart: str) -> Listing:
        """What the source of a release's chart lists."""
        source, declared = self._source(asset, chart)
        charts = source.listed()
        if not charts:
            fact = f"{source.name}: no version of such a chart is listed there"
            raise RegistryError(f"{fact}. Correct {REMEDY}.", "not_found")
        return Listing(source.name, charts, declared)

    def described(self, asset: str, chart: str, version: str) -> ListedChart:
        """One version with all that its source tells of it, always with its digest."""
        source, _ = self._source(asset, chart)
        found = source.described(_one(source, version))
        if found.digest is not None:
            return found
        return replace(found, digest=sha256_of(self._archives.had(source, chart, found)))

    def archive(self, asset: str, chart: str, version: str, digest: str | None) -> bytes:
        """The archive of one version: a chart of this name and version, with this digest."""
        kept = self._archives.kept(digest)
        if kept is not None:
            refuse_other(f"the archive {digest}", kept, chart, version)
            return kept
        source, _ = self._source(asset, chart)
        found = source.described(_one(source, version))
        if digest is not None and found.digest not in (None, digest):
            fact = f"was published anew: its digest is {found.digest}, not {digest}"
            raise malformed(f"{source.name} {version}", fact)
        return self._archives.had(source, chart, replace(found, digest=digest or found.digest))

    def questions(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Each source that can be asked without a release: what it is called, and the question."""
        for one in self._declared:
            if not _is_oci(one.access):
                opened = self._repository(one.access)
                yield opened.what, opened.reachable
            elif not set("*?[") & set(one.chart):
                there = InRegistry(one.access.url, one.chart, self._oci)
                yield there.name, there.listed
        for access in self._own():
            opened = self._repository(access)
            yield opened.what, opened.reachable

    def _source(self, asset: str, chart: str) -> tuple[Source, bool]:
        """Where a release's chart comes from, and whether anybody said so."""
        for one in self._declared:
            if one.covers(asset, chart):
                if _is_oci(one.access):
                    return InRegistry(one.access.url, chart, self._oci), True
                return InRepository(self._repository(one.access), chart, self._oci), True
        return self._only_one(asset, chart), False

    def _only_one(self, asset: str, chart: str) -> Source:
        own = [InRepository(self._repository(one), chart, self._oci) for one in self._own()]
        having = [one for one in own if one.listed()]
        if len(having) == 1:
            return having[0]
        release = short_name(asset)
        if having:
            places = " and ".join(one.place for one in having)
            fact = f"the chart {chart} of {release} is listed by {places}: none is guessed"
        elif own:
            places = ", ".join(one.place for one in own)
            fact = f"the chart {chart} of {release} is listed by none of {places}"
        else:
            fact = f"nobody said where the chart {chart} of {release} comes from"
        remedy = f'Say it: {REMEDY}: [{{chart: {chart}, repository: "https://..."}}]'
        raise RegistryError(f"{fact}. {remedy}.", "not_found")

    def _repository(self, access: RepositoryAccess) -> ClassicRepository:
        with self._lock:
            if access not in self._repositories:
                self._repositories[access] = self._new_repository(access)
            return self._repositories[access]


def _one(source: Source, version: str) -> ListedChart:
    found = next((one for one in source.listed() if one.version == version), None)
    if found is None:
        raise RegistryError(f"{source.name} does not list {version}.", "not_found")
    return found


def _is_oci(access: RepositoryAccess) -> bool:
    return access.url.startswith("oci://")
