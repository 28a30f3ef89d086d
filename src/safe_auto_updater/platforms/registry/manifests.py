"""Manifests and indexes, read and checked; and the one manifest that is for this platform."""

import hashlib
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.ports import Layer
from safe_auto_updater.core.reference import is_digest
from safe_auto_updater.platforms.registry.failures import Answer, json_object, malformed

_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT = ", ".join(_MANIFESTS)
IMAGE_CONFIGS = frozenset(
    {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    }
)
# The variant that is meant where none is written.
_USUAL_VARIANTS = {"arm64": "v8", "arm": "v7", "amd64": "v1"}


@dataclass(frozen=True, slots=True)
class Platform:
    """What a host can run, in the words of image indexes: linux/amd64, linux/arm/v7."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    def fit(self, other: "Platform") -> int | None:
        """How well an image of another platform runs here: 0 exactly, more is older; None never."""
        if (self.os, self.architecture) != (other.os, other.architecture):
            return None
        usual = _USUAL_VARIANTS.get(self.architecture, "")
        here, there = _level(self.variant or usual), _level(other.variant or usual)
        if here is None or there is None:
            return 0 if self.variant == other.variant else None
        return here - there if there <= here else None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an index."""

    digest: str
    platform: Platform


@dataclass(frozen=True, slots=True)
class Index:
    """A list of manifests, one for each platform; attestations are left out."""

    digest: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image. `config_digest` is the image's ID on engines with graph drivers."""

    digest: str
    config_digest: str
    config_type: str
    layers: tuple[Layer, ...] = ()


def read_manifest(what: str, answer: Answer, wanted: str | None) -> Index | Manifest:
    """Parse and verify a manifest; `wanted` is the digest it was asked by.

    Raises RegistryError (malformed), also for the abandoned schema 1.
    """
    content = json_object(what, answer)
    digest = _digest_of(what, answer, wanted)
    if content.get("schemaVersion") == 1 or "fsLayers" in content:
        raise RegistryError(
            f"{what}: this is a Docker schema 1 manifest, which engines no longer run. "
            "Push the image again with a current Docker.",
            "malformed",
        )
    match content:
        case {"manifests": list(), "config": _}:
            raise malformed(what, "the manifest is both an index and an image")
        case {"manifests": list(lines)}:
            entries = tuple(_entry(what, line) for line in lines)
            return Index(digest, tuple(e for e in entries if e is not None))
        case {"config": {"digest": str(config), "mediaType": str(kind)}} if is_digest(config):
            return Manifest(digest, config, kind, _layers(what, content.get("layers")))
        case _:
            raise malformed(what, "the manifest is neither an index nor an image")


def pick(what: str, index: Index, platform: Platform) -> Entry:
    """The entry that runs best on this platform; raises RegistryError (platform)."""
    fits = [(fit, e) for e in index.entries if (fit := platform.fit(e.platform)) is not None]
    if not fits:
        have = ", ".join(sorted({str(e.platform) for e in index.entries})) or "none"
        raise wrong_platform(what, platform, have)
    return min(fits, key=lambda found: found[0])[1]


def wrong_platform(what: str, platform: Platform, have: str) -> RegistryError:
    """The error for an image that does not run here."""
    return RegistryError(
        f"{what}: there is no image for {platform}, only for {have}. "
        "Choose a tag that has one, or ask its publisher.",
        "platform",
    )


def verified(what: str, body: bytes, digest: str) -> None:
    """Raise RegistryError (malformed) unless the body is what the digest names."""
    algorithm, _, expected = digest.partition(":")
    if hashlib.new(algorithm, body).hexdigest() != expected:
        raise malformed(what, f"the content does not match its digest {digest}")


def _digest_of(what: str, answer: Answer, wanted: str | None) -> str:
    header = answer.headers.get("docker-content-digest")
    if header is not None:
        if not is_digest(header):
            raise malformed(what, "the Docker-Content-Digest header is no digest")
        verified(what, answer.body, header)
    if wanted is not None:
        verified(what, answer.body, wanted)
    return wanted or header or "sha256:" + hashlib.sha256(answer.body).hexdigest()


def _entry(what: str, line: Any) -> Entry | None:
    match line:
        case {
            "digest": str(digest),
            "platform": {"os": str(os), "architecture": str(arch), **rest},
        }:
            if not is_digest(digest):
                raise malformed(what, "the index names a manifest without a valid digest")
            if "unknown" in (os, arch):
                return None  # an attestation
            variant = rest.get("variant")
            return Entry(digest, Platform(os, arch, variant if isinstance(variant, str) else ""))
        case {"digest": str()}:
            return None  # an artifact beside the images, or a nested index: nothing that runs
        case _:
            raise malformed(what, "the index has a line that names no manifest")


def _layers(what: str, lines: Any) -> tuple[Layer, ...]:
    """An artifact may have none; a layer without a digest or a size is no layer."""
    layers = []
    for line in lines if isinstance(lines, list) else ():
        match line:
            case {"digest": str(digest), "size": int(size)} if is_digest(digest) and size >= 0:
                layers.append(Layer(digest, size))
            case _:
                raise malformed(what, "the manifest has a layer without a valid digest and size")
    return tuple(layers)


def _level(variant: str) -> int | None:
    return int(variant[1:]) if variant[:1] == "v" and variant[1:].isdecimal() else None
