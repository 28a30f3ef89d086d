"""One chart at one place: in a classic repository, or in a registry."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from safe_auto_updater.core.chart_archive import LARGEST_ARCHIVE
from safe_auto_updater.core.chart_choice import read_version
from safe_auto_updater.core.charts import ListedChart
from safe_auto_updater.core.errors import InvalidReference, RegistryError
from safe_auto_updater.engine.chart import text
from safe_auto_updater.platforms.charts.errors import REMEDY, malformed
from safe_auto_updater.platforms.charts.ports import OciCharts
from safe_auto_updater.platforms.charts.repository import ClassicRepository


class Source(Protocol):
    """One place that may have one chart. All raise RegistryError."""

    @property
    def name(self) -> str:
        """What people call the chart there."""
        ...

    def listed(self) -> tuple[ListedChart, ...]:
        """Every version, none where there is no such chart."""
        ...

    def described(self, chart: ListedChart) -> ListedChart:
        """The same version, with what only a closer look tells."""
        ...

    def archive(self, chart: ListedChart) -> bytes:
        """What is there, unverified."""
        ...


class InRegistry:
    """A chart in a registry: its versions are tags, in which `_` stands for `+`."""

    def __init__(self, repository: str, chart: str, oci: OciCharts) -> None:
        self._repository = f"{repository.removeprefix('oci://').rstrip('/')}/{chart}"
        self._chart = chart
        self._oci = oci

    @property
    def name(self) -> str:
        """What people call the chart there."""
        return f"oci://{self._repository}"

    def listed(self) -> tuple[ListedChart, ...]:
        """Every version, none where there is no such chart."""
        try:
            tags = self._oci.tags(self._repository)
        except InvalidReference as error:
            raise malformed(self.name, f"cannot be asked for: {error}") from error
        except RegistryError as error:
            if error.reason != "not_found":
                raise
            remedy = f"{REMEDY} names the repository without the chart, as `helm push` does"
            raise RegistryError(f"{error} {remedy}.", "not_found") from error
        return tuple(
            ListedChart(version, f"{self.name}:{tag}")
            for tag in tags
            if read_version(version := tag.replace("_", "+")) is not None
        )

    def described(self, chart: ListedChart) -> ListedChart:
        """The same version, with what only a closer look tells."""
        digest, said = self._oci.chart(chart.location.removeprefix("oci://"))
        if (said.get("name"), said.get("version")) != (self._chart, chart.version):
            raise malformed(chart.location, f"is {text(said, 'name')} {text(said, 'version')}")
        return replace(
            chart,
            digest=digest,
            app_version=text(said, "appVersion") or None,
            kube_version=text(said, "kubeVersion") or None,
            deprecated=said.get("deprecated") is True,
        )

    def archive(self, chart: ListedChart) -> bytes:
        """What is there, unverified."""
        digest = chart.digest or self.described(chart).digest
        assert digest is not None, "a manifest names its layers by digest"
        return self._oci.archive(self._repository, digest, LARGEST_ARCHIVE)


class InRepository:
    """A chart in a classic repository, some of which list archives that are in a registry."""

    def __init__(self, repository: ClassicRepository, chart: str, oci: OciCharts) -> None:
        self._repository = repository
        self._chart = chart
        self._oci = oci

    @property
    def place(self) -> str:
        """What people call the repository."""
        return self._repository.what

    @property
    def name(self) -> str:
        """What people call the chart there."""
        return f"{self._repository.url}: {self._chart}"

    def listed(self) -> tuple[ListedChart, ...]:
        """Every version, none where there is no such chart."""
        return self._repository.listed(self._chart)

    def described(self, chart: ListedChart) -> ListedChart:
        """The same version, with what only a closer look tells."""
        return chart

    def archive(self, chart: ListedChart) -> bytes:
        """What is there, unverified."""
        scheme = urlsplit(chart.location).scheme
        if scheme != "oci":
            secure = self._repository.access.url.startswith("https:")
            if chart.digest is None and scheme == "http" and secure:
                fact = "is listed without a digest, and had by plain HTTP: anybody may have made it"
                raise malformed(f"{self.name} {chart.version}", fact)
            return self._repository.archive(chart.location)
        reference = chart.location.removeprefix("oci://")
        try:
            digest, _ = self._oci.chart(reference)
            return self._oci.archive(reference, digest, LARGEST_ARCHIVE)
        except InvalidReference as error:
            raise malformed(chart.location, f"cannot be asked for: {error}") from error
