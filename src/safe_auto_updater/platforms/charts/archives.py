"""Archives that are what their source lists: had once, verified, and kept by their digest."""

from __future__ import annotations

import hashlib

from safe_auto_updater.core.answers import Answers
from safe_auto_updater.core.chart_archive import NotAChart
from safe_auto_updater.core.charts import ListedChart
from safe_auto_updater.engine.chart import read_chart
from safe_auto_updater.platforms.charts.errors import malformed
from safe_auto_updater.platforms.charts.source import Source


class Archives:
    """Verified archives. `answers` keeps them between runs."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def had(self, source: Source, chart: str, listed: ListedChart) -> bytes:
        """The archive of one version. Raises RegistryError (malformed) where it is another."""
        what = f"{source.name} {listed.version}"
        content = self.kept(listed.digest)
        if content is None:
            content = source.archive(listed)
            digest = sha256_of(content)
            if listed.digest not in (None, digest):
                raise malformed(
                    what, f"has the digest {digest}, and is listed with {listed.digest}"
                )
            self._answers.put(_key(digest), None, content)
        refuse_other(what, content, chart, listed.version)
        return content

    def kept(self, digest: str | None) -> bytes | None:
        """What was had before under this digest."""
        stored = self._answers.get(_key(digest)) if digest is not None else None
        return stored.body if stored is not None and sha256_of(stored.body) == digest else None


def refuse_other(what: str, archive: bytes, chart: str, version: str) -> None:
    """Raise RegistryError (malformed) unless this is the archive of this chart and version."""
    try:
        there = read_chart(archive)
    except NotAChart as error:
        raise malformed(what, str(error)) from error
    if (there.name, there.version) != (chart, version):
        raise malformed(what, f"is the chart {there.name} {there.version}, not {chart} {version}")


def sha256_of(content: bytes) -> str:
    """The digest of an archive."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _key(digest: str) -> str:
    return f"archive {digest}"
