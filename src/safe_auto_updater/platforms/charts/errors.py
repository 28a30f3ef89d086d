"""What can go wrong with a repository of charts, in words for an operator."""

from __future__ import annotations

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.charts.ports import RepositoryAccess

REMEDY = "detection.helm_sources"


def malformed(what: str, fact: str) -> RegistryError:
    """What came is not what it should be."""
    return RegistryError(f"{what} {fact}. It is not used; ask whoever keeps it.", "malformed")


def unusable(fact: str) -> RegistryError:
    """How we are told to ask cannot be done."""
    return RegistryError(f"{fact}.", "auth")


def refused(what: str, status: int, access: RepositoryAccess) -> RegistryError:
    """A status other than success."""
    fact = f"{what}: answered {status}"
    match status:
        case 401 | 403:
            known = access.username is not None or access.token_file is not None
            remedy = f"say who asks in {REMEDY} (username and password_file, or token_file)"
            if known:
                remedy = "check the user, and that it may read"
            return RegistryError(f"{fact}; {remedy}.", "auth" if status == 401 else "denied")
        case 404 | 410:
            return RegistryError(f"{fact}; it does not exist (any more).", "not_found")
        case _:
            return RegistryError(f"{fact}; it cannot answer this now.", "server")
