"""From where an image came, as far as its engine tells. Pure.

An engine's own image store keeps for each image the digests under which it was pulled. In
containerd's store an image's ID is such a digest itself, and everything that bears a name has
"a digest at the registry", whether it was pulled from there or built here; an image that has
lost its name has none. Where it came from is told from API 1.53 on, though not always all of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.errors import InvalidReference
from safe_auto_updater.core.reference import Reference

Json = Mapping[str, Any]
TELLS_ORIGINS = (1, 53)


@dataclass(frozen=True)
class Origin:
    """Digests that an image has at the repository that it was written with.

    `digests` are known; `claimed` are so if the registry says that it has them.
    """

    digests: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()


def in_containerd(container: Json) -> bool:
    """Whether a container's image is kept by containerd (told from API 1.48 on)."""
    return bool(container.get("ImageManifestDescriptor"))


def origin(reference: Reference, container: Json, image: Json, api: tuple[int, int]) -> Origin:
    """By a container's and its image's inspect JSON, and the API that they were asked with.

    Nothing where it was never pulled from there: it was built here, or merely tagged so.
    """
    told, own = _digests(reference, image), container["Image"]
    # An engine's own store never has the image's ID among its digests.
    if not in_containerd(container) and own not in told:
        return Origin(told)
    content = (container.get("ImageManifestDescriptor") or {"digest": own})["digest"]
    found = tuple(dict.fromkeys((*told, own, content)))
    if api >= TELLS_ORIGINS:
        pulled = (image.get("Identity") or {}).get("Pull") or ()
        host = re.sub(r":\d+$", "", reference.host)  # ports are not kept
        sources = {str(one["Repository"]) for one in pulled}
        if f"{host}/{reference.repository}" in sources:
            return Origin(found)
        # Of two names pulled at once with the same content it may remember only one.
        nearby = any(source.startswith(f"{host}/") for source in sources)
        return Origin(claimed=found if nearby and told else ())
    nameless = not image.get("RepoTags") and not image.get("RepoDigests")
    return Origin(claimed=found if told or nameless else ())


def _digests(reference: Reference, image: Json) -> tuple[str, ...]:
    digests = []
    for known in image.get("RepoDigests") or ():
        try:
            other = Reference.parse(known)
        except InvalidReference:
            continue  # "<none>@<none>"
        if other.canonical_name == reference.canonical_name and other.digest is not None:
            digests.append(other.digest)
    return tuple(digests)
