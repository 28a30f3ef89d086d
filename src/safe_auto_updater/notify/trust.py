"""Whose certificates are believed."""

from __future__ import annotations

import ssl

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.engine.trust import verifying


def trust(who: str, ca_file: str | None) -> ssl.SSLContext:
    """The system's authorities, or those of the file alone. PlatformError names the file."""
    try:
        return verifying(ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or "it holds no certificates in PEM"
        raise PlatformError(f"{who}: ca_file {ca_file} cannot be used: {reason}") from None
