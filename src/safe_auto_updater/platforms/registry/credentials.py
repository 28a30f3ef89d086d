"""Who we are to a registry: from the configuration, else from Docker's own configuration."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker import auth as docker_auth
from docker.errors import DockerException
from docker.utils.config import find_config_file

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.registry.helpers import ask_helper
from safe_auto_updater.platforms.registry.once import KeyedLocks
from safe_auto_updater.platforms.registry.settings import HostSettings, canonical_host


@dataclass(frozen=True, slots=True)
class Password:
    """A user name and a password; printing it shows neither."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """A refresh token, which a token service exchanges; printing it does not show it."""

    token: str = field(repr=False)


Credential = Password | IdentityToken


class Credentials:
    """Credentials by registry host, looked up when a registry first asks. Thread-safe.

    `docker_config` is the file to read; by default $DOCKER_CONFIG/config.json or
    ~/.docker/config.json. Error texts and reprs never hold a secret.
    """

    def __init__(
        self, settings: Mapping[str, HostSettings], docker_config: Path | None = None
    ) -> None:
        self._settings = {canonical_host(host): one for host, one in settings.items()}
        self._docker_config = docker_config
        self._locks = KeyedLocks()  # a helper that is slow for one host delays no other
        self._found: dict[str, Credential | None] = {}

    def for_host(self, host: str) -> Credential | None:
        """The credential for a registry host as references spell it; None means anonymous.

        Raises RegistryError (auth) where one is configured and cannot be had.
        """
        host = canonical_host(host)
        with self._locks(host):
            if host not in self._found:
                configured = self._settings.get(host)
                if configured is not None and configured.username is not None:
                    self._found[host] = _from_settings(configured, configured.username)
                else:
                    self._found[host] = self._from_docker(host)
            return self._found[host]

    def _from_docker(self, host: str) -> Credential | None:
        path = self._docker_config or _docker_config()
        if path is None or not path.exists():
            return None
        config = _load(path)
        name = config.get_credential_store(host)
        if name:
            return _credential(ask_helper(f"docker-credential-{name}", host))
        try:
            return _credential(docker_auth.resolve_authconfig(config, host))
        except (DockerException, ValueError, KeyError, TypeError, OSError):
            # The cause is not chained: it can quote the secret.
            raise _trouble(
                f"{host}: {path} gives no credentials. "
                f"Run docker login {host}, or configure username and password_file for it."
            ) from None


def _docker_config() -> Path | None:
    found = find_config_file()
    return None if found is None else Path(str(found))


def _load(path: Path) -> docker_auth.AuthConfig:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise TypeError("not an object")
        return docker_auth.load_config(config_dict=content or {"auths": {}})
    except (DockerException, ValueError, TypeError, AttributeError, OSError) as error:
        fact = error.strerror if isinstance(error, OSError) else "it is no valid configuration"
        # Not chained: a parser's exception carries the text that it failed on.
        raise _trouble(
            f"{path}: Docker's configuration cannot be used ({fact}). "
            "Repair it, or point DOCKER_CONFIG at a folder with a good one."
        ) from None


def _credential(entry: Mapping[str, Any] | None) -> Credential | None:
    # Entries from auths have lower-case keys, those from helpers capitals.
    values = {key.lower(): value for key, value in (entry or {}).items()}
    if token := values.get("identitytoken"):
        return IdentityToken(str(token))
    if username := values.get("username"):
        return Password(str(username), str(values.get("password") or ""))
    return None


def _from_settings(settings: HostSettings, username: str) -> Password:
    path = settings.password_file
    if path is None:
        raise _trouble(
            f"{settings.host}: a username is configured without a password_file. Configure both."
        )
    try:
        return Password(username, path.read_text(encoding="utf-8").rstrip("\r\n"))
    except OSError as error:
        raise _trouble(
            f"{settings.host}: password_file {path} cannot be read ({error.strerror}). "
            "Create it, readable for this user."
        ) from error
    except UnicodeDecodeError:
        raise _trouble(f"{settings.host}: password_file {path} is not UTF-8 text.") from None


def _trouble(message: str) -> RegistryError:
    return RegistryError(message, "auth")
