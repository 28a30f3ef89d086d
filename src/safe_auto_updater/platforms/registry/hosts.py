"""One session for each registry host, made when it is first asked."""

import ssl
import threading
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from safe_auto_updater.core.ports import Clock
from safe_auto_updater.platforms.registry.authorities import system_authorities, trusting
from safe_auto_updater.platforms.registry.credentials import Credentials
from safe_auto_updater.platforms.registry.limits import Limits
from safe_auto_updater.platforms.registry.session import Session
from safe_auto_updater.platforms.registry.settings import (
    HostSettings,
    canonical_host,
    is_loopback,
)
from safe_auto_updater.platforms.registry.tokens import Authorizer
from safe_auto_updater.platforms.registry.transport import Transport
from safe_auto_updater.platforms.registry.wire import Wire


class Hosts:
    """The sessions of one client. Thread-safe."""

    def __init__(
        self,
        settings: Mapping[str, HostSettings],
        credentials: Credentials,
        clock: Clock,
        wire: Wire,
        limits: Limits,
        timeout_s: float,
    ) -> None:
        self._settings = {canonical_host(host): one for host, one in settings.items()}
        self._credentials = credentials
        self._clock = clock
        self._wire = wire
        self._limits = limits
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._tls_lock = threading.Lock()
        self._system_tls: ssl.SSLContext | None = None

    def __call__(self, host: str) -> Session:
        """The session of a host as references spell it. Raises RegistryError."""
        with self._lock:
            name = canonical_host(host)
            if name not in self._sessions:
                self._sessions[name] = self._connect(self._settings_of(name))
            return self._sessions[name]

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            session.close()

    def _settings_of(self, host: str) -> HostSettings:
        settings = replace(self._settings.get(host) or HostSettings(host), host=host)
        if settings.plain_http is not None:
            return settings
        # The URL of a mirror says how its host is spoken to, unless that is configured.
        schemes = {
            parts.scheme
            for one in self._settings.values()
            if (parts := urlsplit(one.mirror or "")).netloc == host
        }
        return replace(settings, plain_http=schemes == {"http"}) if schemes else settings

    def _connect(self, settings: HostSettings) -> Session:
        # As Docker: no proxy to this machine itself.
        use_proxy = not is_loopback(settings.host)
        transport = Transport(lambda: self._tls(settings), use_proxy, self._timeout_s)
        authorizer = Authorizer(settings, transport, self._wire, self._credentials, self._clock)
        return Session(settings, transport, self._wire, authorizer, self._limits)

    def _tls(self, settings: HostSettings) -> ssl.SSLContext:
        if settings.ca_file is None:
            with self._tls_lock:
                if self._system_tls is None:
                    self._system_tls = system_authorities()
                return self._system_tls
        return trusting(settings.host, settings.ca_file)
