"""What an index says of one version, in our words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from safe_auto_updater.core.charts import ListedChart
from safe_auto_updater.engine.chart import is_true, text

_HEX = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.IGNORECASE)


def listed_chart(said: Mapping[str, Any], chart: str, repository: str) -> ListedChart | None:
    """One entry; None where it is of another chart, or without version or place.

    `repository` is the URL that relative places are relative to.
    """
    version, name = text(said, "version"), text(said, "name")
    urls = said.get("urls")
    first = urls[0] if isinstance(urls, list) and urls else None
    if not version or name not in ("", chart) or not isinstance(first, str):
        return None
    location = archive_url(repository, first.strip())
    if location is None:
        return None
    digest = _HEX.fullmatch(text(said, "digest"))
    return ListedChart(
        version,
        location,
        f"sha256:{digest[1].lower()}" if digest else None,
        text(said, "appVersion") or None,
        text(said, "kubeVersion") or None,
        is_true(said.get("deprecated")),
        _seconds(text(said, "created")),
    )


def archive_url(repository: str, place: str) -> str | None:
    """Where an archive is had; None where that cannot be asked for.

    As Helm has it, a repository's own query (`?token=...`) goes along with relative places.
    """
    try:
        base = urlsplit(repository)
        folder = urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + "/", "", ""))
        parts = urlsplit(urljoin(folder, place))
        if not urlsplit(place).scheme:
            parts = parts._replace(query=base.query)
        usable = parts.scheme in ("http", "https", "oci") and bool(parts.hostname)
        usable = usable and "@" not in parts.netloc
        url = urlunsplit(parts._replace(fragment=""))
    except ValueError:
        return None
    return url if usable and url.isascii() and url.isprintable() and " " not in url else None


def _seconds(created: str) -> float | None:
    """Go writes nanoseconds, of which Python reads six digits."""
    try:
        return datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", created)).timestamp()
    except (ValueError, OverflowError):
        return None
