"""How to reach one registry."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from safe_auto_updater.core.reference import HUB, HUB_API


@dataclass(frozen=True, slots=True)
class HostSettings:
    """One registry as configured; `host` is spelled as in references, with the port.

    `plain_http` None means: plain HTTP on a loopback address, unless there is a `ca_file`; HTTPS
    elsewhere. The password is read from `password_file` when it is needed, never kept here.
    `mirror` is a URL that also has this registry's content; its path goes before the repository.
    """

    host: str
    plain_http: bool | None = None
    ca_file: Path | None = None
    username: str | None = None
    password_file: Path | None = field(default=None, repr=False)
    mirror: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether this registry is spoken to without TLS."""
        if self.plain_http is None:
            return is_loopback(self.host) and self.ca_file is None
        return self.plain_http

    @property
    def base_url(self) -> str:
        """Scheme, host and port of the registry's API."""
        scheme = "http" if self.is_plain else "https"
        return f"{scheme}://{HUB_API if self.host == HUB else self.host}"


def canonical_host(host: str) -> str:
    """One name for one registry: Docker Hub is called by several."""
    return HUB if host in (HUB_API, f"index.{HUB}") else host


def is_loopback(host: str) -> bool:
    """Whether a host (with or without a port) is this machine itself."""
    name = host[: host.rfind("]") + 1] if host.startswith("[") else host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
