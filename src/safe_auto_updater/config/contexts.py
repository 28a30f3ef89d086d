"""Which engine is meant by a Docker context, or by nothing at all: as the `docker` command decides.

Source: the Docker command's reference, "docker context" and "Environment variables"; the files are
those that `docker context create` writes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safe_auto_updater.config.addresses import docker_host

USUAL = "/var/run/docker.sock"
_FILES = {"ca_file": "ca.pem", "cert_file": "cert.pem", "key_file": "key.pem"}


@dataclass(frozen=True)
class Address:
    """Where an engine listens; over `tcp://` with any of the files set, by TLS."""

    host: str
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


def context_address(name: str, environ: Mapping[str, str]) -> Address:
    """The engine of a Docker context. ValueError names the fact and the remedy."""
    if name == "default":
        return _of_environment(environ)
    folder = _folder(environ) / "contexts"
    hashed = hashlib.sha256(name.encode()).hexdigest()
    file = folder / "meta" / hashed / "meta.json"
    try:
        said = json.loads(file.read_text())["Endpoints"]["docker"]
        host, unverified = str(said["Host"]), bool(said.get("SkipTLSVerify"))
    except FileNotFoundError:
        raise ValueError(
            f"there is no Docker context {name} in {folder.parent}; `docker context ls` lists them"
        ) from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        why = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        raise ValueError(f"Docker context {name}: {file} cannot be used: {why}") from None
    try:
        host = docker_host(host)
    except ValueError as error:
        raise ValueError(f"Docker context {name}: {host}: {error}") from None
    if not host.startswith("tcp://"):
        return Address(host)
    if unverified:
        raise ValueError(
            f"Docker context {name} does not verify its engine (SkipTLSVerify), which this program "
            "always does; create the context anew with a ca file"
        )
    tls = folder / "tls" / hashed / "docker"
    return Address(host, **_existing(tls, _FILES))


def usual_address(environ: Mapping[str, str]) -> Address:
    """The engine that `docker` without a word talks to. ValueError names what is wrong.

    DOCKER_HOST decides, else DOCKER_CONTEXT, else the current context of Docker's config.json, else
    the usual socket; where that may not be opened or is not there, one's own rootless engine.
    """
    if environ.get("DOCKER_HOST"):
        return _of_environment(environ)
    source, name = "DOCKER_CONTEXT", environ.get("DOCKER_CONTEXT")
    if not name:
        source = str(_folder(environ) / "config.json")
        name = _current(Path(source))
    if not name:
        return _of_environment(environ)
    try:
        return context_address(name, environ)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


def _of_environment(environ: Mapping[str, str]) -> Address:
    text = environ.get("DOCKER_HOST")
    if not text:
        return Address(f"unix://{_socket(_sockets(environ))}")
    try:
        host = docker_host(text)
    except ValueError as error:
        raise ValueError(f"DOCKER_HOST: {error}") from None
    asked = environ.get("DOCKER_TLS_VERIFY") or environ.get("DOCKER_TLS")
    if not (asked and host.startswith("tcp://")):
        return Address(host)
    folder = Path(environ.get("DOCKER_CERT_PATH") or _folder(environ))
    ours = {key: _FILES[key] for key in ("cert_file", "key_file")}
    return Address(host, str(folder / _FILES["ca_file"]), **_existing(folder, ours))


def _current(file: Path) -> str | None:
    """The current context; of a file that cannot be read `docker` too knows none."""
    try:
        said: Any = json.loads(file.read_text())
        return str(said.get("currentContext") or "") or None
    except (OSError, ValueError, AttributeError):
        return None


def _sockets(environ: Mapping[str, str]) -> list[str]:
    runtime = environ.get("XDG_RUNTIME_DIR")
    own = [f"{runtime}/docker.sock"] if runtime else []
    return [USUAL, *own, f"/run/user/{os.getuid()}/docker.sock"]


def _socket(candidates: Iterable[str]) -> str:
    usable = (path for path in candidates if os.access(path, os.R_OK | os.W_OK))
    return next(usable, USUAL)


def _folder(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _existing(folder: Path, names: Mapping[str, str]) -> dict[str, str]:
    return {key: str(folder / name) for key, name in names.items() if (folder / name).exists()}
