"""Helm charts as their sources list them, and what is asked about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


def chart_reference(name: str, version: str) -> str:
    """How a chart is written where an image has its reference: `web:1.2.0`."""
    return f"{name}:{version}"


def chart_name(reference: str) -> str:
    """The name in a chart's reference."""
    return reference.rpartition(":")[0]


def chart_version_of(reference: str) -> str:
    """The version in a chart's reference."""
    return reference.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class ListedChart:
    """One version of a chart as its source lists it.

    `digest` is that of the archive (`sha256:` and 64 hex digits), None where the source tells none.
    `location` is where the archive is had: a URL, or `oci://` and a reference. `created` is in
    seconds since the epoch, by the source's own word. Registries list no more than versions.
    """

    version: str
    location: str
    digest: str | None = None
    app_version: str | None = None
    kube_version: str | None = None  # the constraint that the chart puts on its cluster
    deprecated: bool = False
    created: float | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Every version of a chart that its source lists, in no order.

    `source` names the chart there for people and for memory: `oci://host/charts/web`, or a
    repository's URL and the name. `declared` is false where nobody said that the chart comes from
    there, and it is only the one repository that lists a chart of this name.
    """

    source: str
    charts: tuple[ListedChart, ...]
    declared: bool = True


class Charts(Protocol):
    """What detection and updates ask about the charts of releases.

    All raise RegistryError: *unknown*, also where no source is declared or several would do.
    """

    def listed(self, asset: str, chart: str) -> Listing:
        """What the source of a release's chart lists."""
        ...

    def described(self, asset: str, chart: str, version: str) -> ListedChart:
        """One version with all that its source tells of it, always with its digest."""
        ...

    def archive(self, asset: str, chart: str, version: str, digest: str | None) -> bytes:
        """The archive of one version (gzipped tar), a chart of this name and version.

        RegistryError (malformed) where it is something else, or its digest is another one.
        """
        ...
