"""Docker's own configuration, config.json: what `docker login` leaves behind."""

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.reference import HUB
from safe_auto_updater.platforms.registry.helpers import HUB_KEY, ask_helper
from safe_auto_updater.platforms.registry.settings import canonical_host


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where Docker keeps it: $DOCKER_CONFIG, else ~/.docker."""
    folder = environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def login_for(path: Path, host: str) -> Mapping[str, str]:
    """`identitytoken`, or `username` and `password`, for a registry; empty where there is no login.

    Raises RegistryError (auth), which never holds what the file holds.
    """
    config = _load(path)
    name = _helper(path, config, host)
    if name is not None and (told := ask_helper(f"docker-credential-{name}", host)) is not None:
        return told
    auths = config.get("auths") or {}
    if not isinstance(auths, dict):
        raise _unusable(path)
    for key, entry in auths.items():
        if _host_of(key) == host:
            return _read(path, host, entry)
    return {}


def read_entry(entry: object) -> Mapping[str, str] | None:
    """One entry of `auths`, in the words of `login_for`; None where it gives no credentials."""
    match entry:
        case {"identitytoken": str(token)} if token:
            return {"identitytoken": token}
        case {"auth": str(auth)} if auth:
            try:
                pair = base64.b64decode(auth, validate=True).decode("utf-8")
            except ValueError:
                pair = ""
            username, colon, password = pair.partition(":")
            if username and colon:
                return {"username": username, "password": password.rstrip("\0")}
        case {"username": str(username), "password": str(password)} if username:
            return {"username": username, "password": password}
        case {}:
            return {}  # a logout, or a login that a helper keeps
    return None


def _load(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be read") from None
    except (ValueError, RecursionError):
        raise _unusable(path) from None  # not chained: the cause carries the text
    if not isinstance(config, dict):
        raise _unusable(path)
    return config


def _helper(path: Path, config: Mapping[str, Any], host: str) -> str | None:
    """The helper for one registry, else the one for all."""
    helpers = config.get("credHelpers") or {}
    if not isinstance(helpers, dict):
        raise _unusable(path)
    keys = (HUB_KEY, HUB) if host == HUB else (host,)
    name = next((helpers[key] for key in keys if helpers.get(key)), config.get("credsStore"))
    if name is None or name == "":
        return None
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum():
        raise _unusable(path, "it names a helper that cannot be one")
    return name


def _host_of(key: str) -> str:
    """Keys are hosts, or URLs as older programs wrote them."""
    return canonical_host(key.partition("://")[2].partition("/")[0] if "://" in key else key)


def _read(path: Path, host: str, entry: object) -> Mapping[str, str]:
    found = read_entry(entry)
    if found is not None:
        return found
    raise RegistryError(
        f"{host}: {path} holds an entry that gives no credentials. "
        f"Run docker login {host}, or configure username and password_file for it.",
        "auth",
    )


def _unusable(path: Path, fact: str = "it is no valid configuration") -> RegistryError:
    return RegistryError(
        f"{path}: these logins cannot be used ({fact}). Repair the file, or name a good one: "
        "its folder in DOCKER_CONFIG, Helm's own in HELM_REGISTRY_CONFIG.",
        "auth",
    )
