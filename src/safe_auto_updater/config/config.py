"""The configuration as the program uses it: values that are valid by construction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from safe_auto_updater.config.contexts import Address, context_address, usual_address
from safe_auto_updater.config.kubeconfig import current_context, usual_context
from safe_auto_updater.core.errors import ConfigError
from safe_auto_updater.core.policy import Settings
from safe_auto_updater.core.unattended import Unattended
from safe_auto_updater.core.windows import Window
from safe_auto_updater.core.wording import Wording

LOCAL = "local"
"""What the one engine is called where none is configured."""
RECEIVERS = ("webhook", "email", "apprise", "heartbeat")
"""The kinds of receiver that are built in; any other is a plugin's."""


@dataclass(frozen=True)
class DockerHost:
    """A Docker engine: the name in asset identities, and where it listens."""

    name: str
    at: Address


@dataclass(frozen=True)
class DockerContext:
    """A Docker engine by the name of the Docker context that knows where it listens."""

    name: str
    context: str


@dataclass(frozen=True)
class KubernetesCluster:
    """A cluster: its name in asset identities, and how it is reached.

    Without namespaces: all. One that no configuration names is only looked at. `helm`: whether its
    releases are looked at; None: where that is allowed. `pull_secrets`: the namespaces whose pull
    secrets are read to look up images.
    """

    name: str
    context: str | None = None
    kubeconfig: str | None = None
    namespaces: tuple[str, ...] = ()
    named: bool = True
    helm: bool | None = None
    pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegistryAccess:
    """How look-ups reach one registry. The password is in a file that the reader opens late.

    `plain_http` is None where the file does not say: then the host's address decides.
    """

    host: str
    plain_http: bool | None = None
    ca_file: str | None = None
    username: str | None = None
    password_file: str | None = None
    mirror: str | None = None


@dataclass(frozen=True)
class HelmSource:
    """Where charts come from: those of some names, of the releases that a pattern covers.

    `repository` is the URL of a classic repository, or `oci://host/path`; the other keys are for
    the first. Secrets are in files that the reader opens late.
    """

    chart: str
    repository: str
    asset: str = "*"
    username: str | None = None
    password_file: str | None = None
    token_file: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    pass_credentials: bool = False


@dataclass(frozen=True)
class WatchtowerAccess:
    """A running Watchtower's API. The token is in a file that the asker opens late."""

    url: str
    token_file: str
    timeout_s: float


@dataclass(frozen=True)
class HelmCommand:
    """The `helm` that is run, and as whom by which assets' pattern; the first that fits counts.

    `abandoned_s`: after how long without a sign of work another client's work counts as broken off.
    """

    program: str = "helm"
    users: tuple[tuple[str, str], ...] = ()
    abandoned_s: float = 3600.0


@dataclass(frozen=True)
class ServiceSettings:
    """How `sau run` goes about: with a schedule (five fields of cron, a zone) no interval counts.

    `stop_grace_s`: after how long an update under way is undone when the service is to end.
    `watch`: whether it learns between cycles of what changes.
    """

    interval_s: float = 6 * 3600.0
    schedule: tuple[str, ZoneInfo] | None = None
    unattended: Unattended = Unattended.LABELLED
    stop_grace_s: float = 20.0
    watch: bool = False


@dataclass(frozen=True)
class NotificationSpec:
    """Where notices go. `events` is empty for the default choice, `asset` a pattern over assets.

    Options of what is built in are the keys of its entry. Those of a plugin are its own.
    """

    kind: str
    events: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    asset: str | None = None
    quiet: tuple[Window, ...] = ()
    batch: bool = False
    wording: Wording = field(default_factory=Wording)


@dataclass(frozen=True)
class Config:
    """Everything a configuration file says. Without arguments: what holds without a file."""

    decisions: Settings = field(default_factory=Settings)
    engines: tuple[DockerHost | DockerContext, ...] = ()
    clusters: tuple[KubernetesCluster, ...] = ()
    registries: tuple[RegistryAccess, ...] = ()
    helm_sources: tuple[HelmSource, ...] = ()
    notifications: tuple[NotificationSpec, ...] = ()
    watchtower: WatchtowerAccess | None = None
    helm: HelmCommand = field(default_factory=HelmCommand)
    service: ServiceSettings = field(default_factory=ServiceSettings)

    def settings(self) -> Settings:
        """What decides about updates."""
        return self.decisions

    def kubernetes_clusters(self, environ: Mapping[str, str]) -> tuple[KubernetesCluster, ...]:
        """The clusters: those of the file; without any engine or cluster there, the current one."""
        if self.clusters or self.engines:
            return tuple(
                replace(one, context=one.context or usual_context(one.kubeconfig, environ))
                for one in self.clusters
            )
        context = current_context(environ)
        if context is None:
            return ()
        name = re.sub(r"[^a-z0-9_.-]+", "-", context.lower()).strip("-._")[:63] or "cluster"
        return (KubernetesCluster(name, context, named=False),)

    def docker_hosts(self, environ: Mapping[str, str]) -> tuple[DockerHost, ...]:
        """The engines: those of the file, else one `local`, the one that `docker` would ask.

        None where the file names clusters alone.

        Raises ConfigError when a Docker context or DOCKER_HOST is needed and cannot be used.
        """
        if not self.engines and self.clusters:
            return ()
        if not self.engines:
            try:
                return (DockerHost(LOCAL, usual_address(environ)),)
            except ValueError as error:
                raise ConfigError((f"environment:1:1: {error}",)) from error
        found, wrong = [], []
        for number, entry in enumerate(self.engines):
            try:
                if isinstance(entry, DockerContext):
                    entry = DockerHost(entry.name, context_address(entry.context, environ))
                found.append(entry)
            except ValueError as error:
                wrong.append(f"inventory.docker[{number}].context: {error}")
        if wrong:
            raise ConfigError(tuple(wrong))
        return tuple(found)
