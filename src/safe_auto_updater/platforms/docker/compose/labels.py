"""What Compose wrote on a container when it made it, read back. Pure.

Compose decides by two of its labels whether `up` re-creates a container: the hash of the service's
configuration, and the ID of the image that the service's reference pointed to.
Source: docker/compose, pkg/api/labels.go and pkg/compose/create.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Json = Mapping[str, Any]
PREFIX = "com.docker.compose."
PROJECT, SERVICE = PREFIX + "project", PREFIX + "service"
CONFIG_HASH, IMAGE = PREFIX + "config-hash", PREFIX + "image"
NUMBER, ONE_OFF, REPLACE = PREFIX + "container-number", PREFIX + "oneoff", PREFIX + "replace"
DEPENDS_ON, VERSION = PREFIX + "depends_on", PREFIX + "version"
WORKING_DIR, CONFIG_FILES = PROJECT + ".working_dir", PROJECT + ".config_files"
ENVIRONMENT_FILE = PROJECT + ".environment_file"


class Dependency(NamedTuple):
    """One entry of a service's `depends_on`.

    `restart` says that the one who depends is restarted after Compose changed the other.
    """

    service: str
    condition: str
    restart: bool


@dataclass(frozen=True)
class ComposeService:
    """Which service of which project a container is, and where its files are."""

    project: str
    service: str
    number: str
    config_hash: str | None
    working_dir: str | None
    config_files: tuple[str, ...]
    environment_files: tuple[str, ...]


def compose_service(container: Json) -> ComposeService | None:
    """The service that a container is, by its labels; None for one that Compose does not manage.

    Containers of `docker compose run` belong to nobody: `up` never looks at them.
    """
    labels = container["Config"].get("Labels") or {}
    if not (labels.get(PROJECT) and labels.get(SERVICE)) or labels.get(ONE_OFF) == "True":
        return None
    return ComposeService(
        labels[PROJECT],
        labels[SERVICE],
        labels.get(NUMBER, "1"),
        labels.get(CONFIG_HASH),
        labels.get(WORKING_DIR) or None,
        _parts(labels.get(CONFIG_FILES)),
        _parts(labels.get(ENVIRONMENT_FILE)),
    )


def depends_on(labels: Mapping[str, str]) -> tuple[Dependency, ...]:
    """The services that this one depends on, as `service:condition:restart` parted by commas.

    A Compose that does not write `restart` did not know that key yet: no file could ask for it.
    """
    found = []
    for part in _parts(labels.get(DEPENDS_ON)):
        service, _, rest = part.partition(":")
        condition, _, restart = rest.partition(":")
        if service:
            found.append(Dependency(service, condition or "service_started", restart == "true"))
    return tuple(sorted(found))


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def labels_after(old: Json, image_id: str, config_hash: str | None = None) -> dict[str, str]:
    """What Compose would have written on a container that it made in place of this one.

    `image_id` is what the engine says of the new reference, in the words of its image store. Only
    labels that the old one has are renewed: another Compose did not write the others.
    """
    labels = old["Config"].get("Labels") or {}
    if PROJECT not in labels:
        return {}
    known = {IMAGE: image_id, CONFIG_HASH: config_hash}
    found = {key: value for key, value in known.items() if key in labels and value is not None}
    service = compose_service(old)
    replaced = None if service is None else _replaced(service, old)
    return {**found, REPLACE: replaced} if replaced else found


def _replaced(service: ComposeService, old: Json) -> str | None:
    """Who was replaced, for an `up` that is attached: by ID since 2.17, by name since 2.39."""
    digits = re.findall(r"\d+", old["Config"]["Labels"].get(VERSION, ""))
    version = tuple(int(part) for part in digits[:2])
    if version < (2, 17):
        return None
    if version < (2, 39):
        return str(old["Id"])
    name = str(old["Name"]).lstrip("/")
    usual = f"{service.project}-{service.service}-{service.number}"
    return f"{service.service}-{service.number}" if name == usual else name
