"""What the user has told Helm: `helm repo add`, and where `helm registry login` keeps its words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.engine.chart import is_true, text
from safe_auto_updater.engine.texts import NoTexts, read_texts
from safe_auto_updater.platforms.charts.ports import RepositoryAccess

_LARGEST = 1 << 20


def registry_logins(environ: Mapping[str, str]) -> Path:
    """The file that `helm registry login` writes, in the form of Docker's own."""
    said = environ.get("HELM_REGISTRY_CONFIG")
    return Path(said) if said else _home(environ) / "registry" / "config.json"


def repositories_file(environ: Mapping[str, str]) -> Path:
    """The file that `helm repo add` writes."""
    said = environ.get("HELM_REPOSITORY_CONFIG")
    return Path(said) if said else _home(environ) / "repositories.yaml"


def own_repositories(file: Path) -> tuple[RepositoryAccess, ...]:
    """The repositories that the user has added; none where there is no such file.

    Two names for one URL are one repository. Raises RegistryError where the file cannot be used.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _unusable(file, error.strerror or "it cannot be read") from None
    if len(content) > _LARGEST:
        raise _unusable(file, f"it is larger than {_LARGEST >> 20} MiB")
    try:
        said = read_texts(content, unique=False)
    except NoTexts:
        raise _unusable(file, "it is no YAML") from None  # not chained: the cause carries the text
    match said:
        case {"repositories": list(entries)}:
            found = [_repository(file, entry) for entry in entries]
        case dict() | None:
            found = []
        case _:
            raise _unusable(file, "it holds no repositories")
    return tuple({one.url.rstrip("/"): one for one in reversed(found)}.values())[::-1]


def _repository(file: Path, entry: Any) -> RepositoryAccess:
    if not isinstance(entry, dict):
        raise _unusable(file, "it holds an entry that is no repository")
    name, url = text(entry, "name"), text(entry, "url")
    if "://" not in url or not url.isprintable():
        raise _unusable(file, f"its repository {name!r} has no URL")

    def path(key: str) -> Path | None:
        return Path(said) if (said := text(entry, key)) else None

    return RepositoryAccess(
        url,
        name,
        text(entry, "username") or None,
        text(entry, "password") or None,
        ca_file=path("caFile"),
        cert_file=path("certFile"),
        key_file=path("keyFile"),
        everywhere=is_true(entry.get("pass_credentials_all")),
        unverified=is_true(entry.get("insecure_skip_tls_verify")),
    )


def _home(environ: Mapping[str, str]) -> Path:
    if said := environ.get("HELM_CONFIG_HOME"):
        return Path(said)
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "helm"


def _unusable(file: Path, fact: str) -> RegistryError:
    return RegistryError(
        f"{file}: Helm's repositories cannot be used ({fact}). Repair it, or say in "
        "detection.helm_sources where charts come from.",
        "auth",
    )
