"""Which entry of several `auths` is for one reference, as a cluster's nodes choose among them.

Source: Kubernetes, "Images": keys may name a path, and hold `*` within a part of the host's name.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.registry.credentials import Credential, credential_of
from safe_auto_updater.platforms.registry.docker_config import read_entry
from safe_auto_updater.platforms.registry.settings import canonical_host

_API_VERSIONS = ("v1", "v2")  # as `docker login` writes them behind a host


def credential_for(
    ref: Reference, known: Iterable[tuple[str, Mapping[str, Any]]]
) -> Credential | None:
    """The entry with the most exact key, of the first that have it; None where none is for it.

    `known`: what each is called, and its entries. Raises RegistryError (auth), which holds no word
    of an entry, where the one that is chosen gives no credentials.
    """
    fitting = [
        (len(path), "*" not in host, len(host), name, entry)
        for name, auths in known
        for key, entry in auths.items()
        for host, path in [_parts(key)]
        if _is_for(host, path, ref)
    ]
    if not fitting:
        return None
    *_, name, entry = max(fitting, key=lambda one: one[:3])
    login = read_entry(entry)
    if login is None:
        fact = f"{ref.host}: {name} has an entry for it that gives no credentials"
        raise RegistryError(f"{fact}. Make it anew with a user name and a password.", "auth")
    return credential_of(login)


def _parts(key: str) -> tuple[str, str]:
    """Host and path of a key, which may be a URL."""
    host, _, path = (key.partition("://")[2] or key).partition("/")
    path = path.strip("/")
    return canonical_host(host), "" if path in _API_VERSIONS else path


def _is_for(host: str, path: str, ref: Reference) -> bool:
    return _names(host, ref.host) and f"{ref.repository}/".startswith(f"{path}/" if path else "")


def _names(pattern: str, host: str) -> bool:
    """`*` stands for something within one part of the name, never for a dot."""
    wanted, has = pattern.split("."), host.split(".")
    return len(wanted) == len(has) and all(map(fnmatchcase, has, wanted))
