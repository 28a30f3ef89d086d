"""What asking for charts needs of others; wiring/ brings it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class Answered(Protocol):
    """What a web server said, redirects followed."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def body(self) -> bytes:
        """All of it."""
        ...

    def header(self, name: str) -> str | None:
        """The first value of this name."""
        ...


class Web(Protocol):
    """Asks web servers: bounded in time and size, retried. Raises RegistryError: no answer."""

    def get(
        self, url: str, headers: Mapping[str, str], limit: int, authorization: str | None
    ) -> Answered:
        """The answer, whatever its status; `authorization` goes to the URL's own server only."""
        ...


class OciCharts(Protocol):
    """Asks registries, by references such as `host/charts/web`. Raises RegistryError."""

    def tags(self, repository: str) -> Sequence[str]:
        """Every tag."""
        ...

    def chart(self, reference: str) -> tuple[str, Mapping[str, Any]]:
        """The digest of the archive behind a tag, and the chart's metadata."""
        ...

    def archive(self, repository: str, digest: str, limit: int) -> bytes:
        """The archive of this digest, verified."""
        ...


@dataclass(frozen=True, slots=True)
class RepositoryAccess:
    """How a classic repository is reached. Secrets in files are read when they are needed.

    `name` is what people call it, empty where nobody named it. `everywhere`: its user and password
    go to other hosts too where archives are there (`pass_credentials`).
    """

    url: str
    name: str = ""
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    everywhere: bool = False
    unverified: bool = False  # its settings ask for TLS that verifies nobody, which is not done
