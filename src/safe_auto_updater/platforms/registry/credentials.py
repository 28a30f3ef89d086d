"""Who we are to a registry: from the configuration, else from Docker's own configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.registry.docker_config import default_path, login_for
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
    ~/.docker/config.json. `given` go before both, and `before`, one of the same form, before that
    file. Error texts and reprs never hold a secret.
    """

    def __init__(
        self,
        settings: Mapping[str, HostSettings],
        docker_config: Path | None = None,
        before: Path | None = None,
        given: Mapping[str, Credential] | None = None,
    ) -> None:
        self._settings = {canonical_host(host): one for host, one in settings.items()}
        self._docker_config = docker_config
        self._before = before
        self._locks = KeyedLocks()  # a helper that is slow for one host delays no other
        self._found: dict[str, Credential | None] = dict(given or {})

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
        login = login_for(self._before, host) if self._before is not None else {}
        return credential_of(login or login_for(self._docker_config or default_path(), host))


def credential_of(login: Mapping[str, str]) -> Credential | None:
    """What one login of a configuration is; None where it is none."""
    if "identitytoken" in login:
        return IdentityToken(login["identitytoken"])
    if "username" in login:
        return Password(login["username"], login["password"])
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
