"""The registry client, its credentials, and what it remembers between runs."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from safe_auto_updater.config import Config
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.engine.answers import Answers, open_answers
from safe_auto_updater.platforms.docker.images import auth_header
from safe_auto_updater.platforms.registry import (
    Credential,
    Credentials,
    HostSettings,
    ImageLookup,
    Platform,
    RegistryClient,
    credential_for,
)
from safe_auto_updater.platforms.registry.credentials import IdentityToken, Password
from safe_auto_updater.platforms.registry.observed import Observe, by_nobody

Known = Callable[[], Iterable[tuple[str, Mapping[str, Any]]]]


class Registries:
    """How registries are asked by ourselves, and by engines in our name."""

    def __init__(
        self,
        config: Config,
        state: Path,
        clock: Clock,
        closing: ExitStack,
        observe: Observe = by_nobody,
    ) -> None:
        self.observe = observe
        self.settings = settings = {
            entry.host: HostSettings(
                entry.host,
                entry.plain_http,
                Path(entry.ca_file) if entry.ca_file else None,
                entry.username,
                Path(entry.password_file) if entry.password_file else None,
                entry.mirror,
            )
            for entry in config.registries
        }
        self._credentials = Credentials(settings)
        kept = open_answers(state)
        closing.callback(kept.close)
        self.answers = Answers(kept, clock.now)
        closing.callback(self.answers.keep)
        self._clock, self._closing = clock, closing
        self._lock = threading.Lock()
        self._signed_in: dict[tuple[str, Credential], RegistryClient] = {}
        self.client = self._client(self._credentials)

    def lookup(self, *platforms: tuple[str, str], known: Known | None = None) -> ImageLookup:
        """What detection asks, for these platforms (operating system and architecture).

        `known` is asked with the first question: what an image's nodes sign in with, which goes
        before what is configured. It raises SafeAutoUpdaterError.
        """
        of = [Platform(system, architecture) for system, architecture in platforms]
        if known is None:
            return ImageLookup(lambda _: self.client, *of)
        logins = cache(known)
        return ImageLookup(lambda ref: self._as(ref.host, credential_for(ref, logins())), *of)

    def anew(self) -> RegistryClient:
        """A client that goes by nothing that was answered earlier in this run."""
        return self._client(self._credentials)

    def _as(self, host: str, credential: Credential | None) -> RegistryClient:
        """A client that is this for a host: what one was told is kept from the others."""
        if credential is None:
            return self.client
        with self._lock:
            if (host, credential) not in self._signed_in:
                known = Credentials(self.settings, given={host: credential})
                self._signed_in[host, credential] = self._client(known)
            return self._signed_in[host, credential]

    def _client(self, credentials: Credentials) -> RegistryClient:
        made = RegistryClient(
            self.settings,
            credentials,
            self._clock,
            random.random,
            answers=self.answers,
            observe=self.observe,
        )
        self._closing.callback(made.close)
        return made

    def pull_headers(self, host: str) -> Mapping[str, str]:
        """What an engine needs to pull from a registry in our name."""
        match self._credentials.for_host(host):
            case Password() as known:
                return auth_header({"username": known.username, "password": known.password})
            case IdentityToken() as known:
                return auth_header({"identitytoken": known.token})
            case None:
                return {}
