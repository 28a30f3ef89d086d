"""Charts in registries: tags are versions, the configuration is Chart.yaml, a layer the archive."""

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.registry.client import RegistryClient
from safe_auto_updater.platforms.registry.failures import malformed

_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_ARCHIVES = (
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    "application/tar+gzip",  # what Helm pushed while this was an experiment
)


class ChartLookup:
    """What is asked about charts; repositories are written as in `host/charts/web`.

    Raises RegistryError, and InvalidReference for a text that is no reference.
    """

    def __init__(self, client: RegistryClient) -> None:
        self._client = client

    def tags(self, repository: str) -> tuple[str, ...]:
        """Every tag of a repository."""
        return self._client.tags(Reference.parse(repository))

    def chart(self, reference: str) -> tuple[str, Mapping[str, Any]]:
        """The digest of the archive behind a tag, and the chart's metadata as JSON."""
        ref = Reference.parse(reference)
        manifest = self._client.artifact(ref)
        if manifest.config_type != _CONFIG:
            fact = f"this is no chart, its configuration is of type {manifest.config_type[:100]!r}"
            raise malformed(f"manifest of {ref}", fact)
        archives = [layer.digest for layer in manifest.layers if layer.kind in _ARCHIVES]
        if len(archives) != 1:
            raise malformed(f"manifest of {ref}", f"it has {len(archives)} archives of a chart")
        return archives[0], self._client.image_config(ref, manifest.config_digest)

    def archive(self, repository: str, digest: str, limit: int) -> bytes:
        """The archive of this digest, verified, of at most so many bytes."""
        return self._client.blob(Reference.parse(repository), digest, limit)
