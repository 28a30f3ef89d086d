"""Where the charts of releases come from: what is declared, and what the user has told Helm."""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from safe_auto_updater.config import Config
from safe_auto_updater.config.config import HelmSource
from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.platforms.charts.helm_settings import (
    own_repositories,
    registry_logins,
    repositories_file,
)
from safe_auto_updater.platforms.charts.ports import RepositoryAccess
from safe_auto_updater.platforms.charts.repository import ClassicRepository
from safe_auto_updater.platforms.charts.sources import ChartSources, Declared
from safe_auto_updater.platforms.registry import Credentials, RegistryClient
from safe_auto_updater.platforms.registry.authorities import system_authorities, trusting
from safe_auto_updater.platforms.registry.charts import ChartLookup
from safe_auto_updater.platforms.registry.web import WebServer
from safe_auto_updater.platforms.registry.wire import Wire
from safe_auto_updater.wiring.once import once
from safe_auto_updater.wiring.registries import Registries

TIMEOUT_S, DEADLINE_S = 15.0, 120.0  # for one wait, and for a whole index or archive


def chart_sources(
    config: Config,
    environ: Mapping[str, str],
    registries: Registries,
    clock: Clock,
    closing: ExitStack,
) -> ChartSources:
    """Every source, asked when it is needed. Registries know us by Helm's logins, then Docker's."""
    client = RegistryClient(
        registries.settings,
        Credentials(registries.settings, before=registry_logins(environ)),
        clock,
        random.random,
        deadline_s=DEADLINE_S,
        answers=registries.answers,
        observe=registries.observe,
    )
    closing.callback(client.close)
    wire = Wire(clock, random.random, DEADLINE_S, registries.observe)
    system = once(system_authorities)

    def repository(access: RepositoryAccess) -> ClassicRepository:
        server = WebServer(access.url, wire, lambda: _tls(access, system), TIMEOUT_S)
        closing.callback(server.close)
        return ClassicRepository(access, server, registries.answers)

    return ChartSources(
        [_declared(entry) for entry in config.helm_sources],
        once(lambda: own_repositories(repositories_file(environ))),
        repository,
        ChartLookup(client),
        registries.answers,
    )


def _declared(entry: HelmSource) -> Declared:
    def path(text: str | None) -> Path | None:
        return Path(text) if text else None

    access = RepositoryAccess(
        entry.repository,
        username=entry.username,
        password_file=path(entry.password_file),
        token_file=path(entry.token_file),
        ca_file=path(entry.ca_file),
        cert_file=path(entry.cert_file),
        key_file=path(entry.key_file),
        everywhere=entry.pass_credentials,
    )
    return Declared(entry.chart, entry.asset, access)


def _tls(access: RepositoryAccess, system: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Whom a repository's server is trusted by, and who we are to it."""
    if access.ca_file is None and access.cert_file is None:
        return system()
    who = access.url.partition("?")[0]
    context = trusting(who, access.ca_file) if access.ca_file else system_authorities()
    if access.cert_file is not None:
        try:
            context.load_cert_chain(access.cert_file, access.key_file, password=_no_password)
        except (OSError, ssl.SSLError) as error:
            fact = f"{who}: cert_file {access.cert_file} and its key cannot be used ({error})"
            raise RegistryError(f"{fact}. Name readable PEM files.", "unreachable") from error
    return context


def _no_password() -> str:
    """A key that asks for a password would else ask the terminal."""
    return ""
