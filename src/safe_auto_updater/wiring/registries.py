"""The registry client, its credentials, and what it remembers between runs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from safe_auto_updater.config import Config
from safe_auto_updater.core.ports import Clock
from safe_auto_updater.engine.answers import Answers, open_answers
from safe_auto_updater.platforms.docker.images import auth_header
from safe_auto_updater.platforms.registry import (
    Credentials,
    HostSettings,
    ImageLookup,
    Platform,
    RegistryClient,
)
from safe_auto_updater.platforms.registry.credentials import IdentityToken, Password


class Registries:
    """How registries are asked by ourselves, and by engines in our name."""

    def __init__(self, config: Config, state: Path, clock: Clock, closing: ExitStack) -> None:
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
        self.answers = answers = Answers(kept, clock.now)
        closing.callback(answers.keep)
        self.client = RegistryClient(
            settings, self._credentials, clock, random.random, answers=answers
        )
        closing.callback(self.client.close)

    def lookup(self, operating_system: str, architecture: str) -> ImageLookup:
        """What detection asks, for one platform."""
        return ImageLookup(self.client, Platform(operating_system, architecture))

    def pull_headers(self, host: str) -> Mapping[str, str]:
        """What an engine needs to pull from a registry in our name."""
        match self._credentials.for_host(host):
            case Password() as known:
                return auth_header({"username": known.username, "password": known.password})
            case IdentityToken() as known:
                return auth_header({"identitytoken": known.token})
            case None:
                return {}
