"""Whose certificates are believed: as Docker, helm and curl do it, on every Python."""

from __future__ import annotations

import ssl
from pathlib import Path


def verifying(authorities: str | Path | None = None) -> ssl.SSLContext:
    """A context that verifies certificate and host name by the system's authorities, or a file's.

    Python from 3.13 on also asks for extensions that private authorities often lack, those made
    as Docker's own pages say among them; other clients of theirs do not. Raises OSError, SSLError.
    """
    context = ssl.create_default_context(cafile=authorities)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
