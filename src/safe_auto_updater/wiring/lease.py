"""The Lease that a service holds, by its name on the command line."""

from __future__ import annotations

import os
import re
import secrets
import socket
from pathlib import Path

from safe_auto_updater.config.kubeconfig import usual_context
from safe_auto_updater.core.errors import JournalError, UsageError
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.platforms.kubernetes.access import Access
from safe_auto_updater.platforms.kubernetes.cluster import Cluster
from safe_auto_updater.platforms.kubernetes.lease import ANSWER_S, Lease

_NAME = re.compile(r"([a-z0-9]([-a-z0-9]*[a-z0-9])?)/([a-z0-9]([-a-z0-9.]*[a-z0-9])?)")


def lease(named: str, folder: Path, clock: Clock) -> Lease:
    """The Lease `NAMESPACE/NAME` of the cluster that we run in, else of the current context.

    UsageError where the name is none.
    """
    found = _NAME.fullmatch(named)
    if found is None:
        raise UsageError(f"{named!r} names no Lease: write NAMESPACE/NAME, as in shop/updates")
    access = Access(context=usual_context(None, os.environ))
    cluster = Cluster("of the Lease", access, ANSWER_S)
    return Lease(cluster, found[1], found[3], identity(folder), clock)


def identity(folder: Path) -> str:
    """Who we are to others: this machine, or pod, with this state folder.

    After a kill it is the same again, so that recovery waits for nobody. A copy of the folder on
    another machine is somebody else, and so is another folder here.
    """
    file = folder / "identity"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            new = folder / "identity.new"
            new.write_text(secrets.token_hex(4))
            new.replace(file)
        return f"{socket.gethostname()}_{file.read_text()}"
    except OSError as error:
        fact = f"{file}: cannot be read or made: {error}"
        raise JournalError(f"{fact}. Make it so, or give another folder with --state.") from error
