"""Helm charts as their sources list them, and what is asked about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


def chart_reference(name: str, version: str) -> str:
    """How a chart is written where an image has its reference: `web:1.2.0`."""
    return f"{name}:{version}"


def chart_name(reference: str) -> str:
    """The name in a chart's reference."""
    return reference.rpartition(":")[0]


@dataclass(frozen=True, slots=True)
class ListedChart:
    """One version of a chart as its source lists it.

    `digest` is that of the archive (`sha256:` and 64 hex digits), None where the source tells none.
    `location` is where the archive is had: a URL, or a reference of an OCI registry. `created` is
    in seconds since the epoch, by the source's own word.
    """

    version: str
    location: str
    digest: str | None = None
    app_version: str | None = None
    kube_version: str | None = None  # the constraint that the chart puts on its cluster
    deprecated: bool = False
    created: float | None = None


class Charts(Protocol):
    """What detection and updates ask about the charts of one cluster's releases."""

    def listed(self, asset: str, chart: str) -> Sequence[ListedChart]:
        """Every version that the source of a release's chart lists, in no order.

        Raises RegistryError: *unknown*, also where no source is declared or several would do.
        """
        ...

    def archive(self, asset: str, chart: str, version: str, digest: str | None) -> bytes:
        """The archive of one version (gzipped tar). RegistryError where it cannot be had, or where
        its digest is another one.
        """
        ...
