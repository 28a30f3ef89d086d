"""Manifests and indexes, read and checked; and the one manifest that is for this platform."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.reference import is_digest
from safe_auto_updater.core.registries import Layer
from safe_auto_updater.platforms.registry.failures import malformed

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
    """A list of manifests, one for each platform; attestations and other artifacts are left out.

    `unsaid` are those that do not say for which platform they are: images and further indexes.
    """

    digest: str
    entries: tuple[Entry, ...]
    unsaid: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image. `config_digest` is the image's ID on engines with graph drivers."""

    digest: str
    config_digest: str
    config_type: str
    layers: tuple[Layer, ...] = ()


def read_manifest(what: str, content: Mapping[str, Any], digest: str) -> Index | Manifest:
    """Understand a manifest whose bytes were verified; raises RegistryError (malformed)."""
    refuse_schema_1(what, content)
    match content:
        case {"manifests": list(), "config": _}:
            raise malformed(what, "the manifest is both an index and an image")
        case {"manifests": list(lines)}:
            read = [_entry(what, line) for line in lines]
            entries = tuple(e for e in read if isinstance(e, Entry))
            return Index(digest, entries, tuple(e for e in read if isinstance(e, str)))
        case {"config": {"digest": str(config), "mediaType": str(kind)}} if is_digest(config):
            return Manifest(digest, config, kind, _layers(what, content.get("layers")))
        case _:
            raise malformed(what, "the manifest is neither an index nor an image")


def refuse_schema_1(what: str, content: Mapping[str, Any]) -> None:
    """Raise RegistryError (malformed) for the abandoned schema 1, which has no digest either."""
    if content.get("schemaVersion") == 1 or "fsLayers" in content:
        raise RegistryError(
            f"{what}: this is a Docker schema 1 manifest, which engines no longer run. "
            "Push the image again with a current Docker.",
            "malformed",
        )


def pick(index: Index, platform: Platform) -> str | None:
    """The digest of the entry that runs best on this platform; None where no entry says so."""
    fits = [(fit, e) for e in index.entries if (fit := platform.fit(e.platform)) is not None]
    return min(fits, key=lambda found: found[0])[1].digest if fits else None


def no_image(what: str, platform: Platform, index: Index) -> RegistryError:
    """The error for an index in which nothing runs here."""
    have = ", ".join(sorted({str(e.platform) for e in index.entries})) or "none"
    return wrong_platform(what, platform, have)


def wrong_platform(what: str, platform: Platform, have: str) -> RegistryError:
    """The error for an image that does not run here."""
    return RegistryError(
        f"{what}: there is no image for {platform}, only for {have}. "
        "Choose a tag that has one, or ask its publisher.",
        "platform",
    )


def matches(body: bytes, digest: str) -> bool:
    """Whether these bytes are what the digest names."""
    algorithm, _, expected = digest.partition(":")
    return hashlib.new(algorithm, body).hexdigest() == expected


def sha256_of(body: bytes) -> str:
    """The digest of these bytes."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


def verified(what: str, body: bytes, digest: str) -> None:
    """Raise RegistryError (malformed) unless the body is what the digest names."""
    if not matches(body, digest):
        raise malformed(what, f"the content does not match its digest {digest}")


def _entry(what: str, line: Any) -> Entry | str | None:
    """An entry, the digest of one that names no platform, or None for what never runs."""
    match line:
        case {"digest": str(digest)} if not is_digest(digest):
            raise malformed(what, "the index names a manifest without a valid digest")
        case {"annotations": {"vnd.docker.reference.type": _}} | {"artifactType": str()}:
            return None  # an attestation, or an artifact beside the images
        case {"digest": digest, "platform": {"os": str(os), "architecture": str(arch), **rest}}:
            if "unknown" in (os, arch):
                return None  # an attestation, as older builders mark it
            variant = rest.get("variant")
            return Entry(digest, Platform(os, arch, variant if isinstance(variant, str) else ""))
        case {"digest": str(digest), "mediaType": kind} if kind in _MANIFESTS:
            return digest
        case {"digest": str()}:
            return None
        case _:
            raise malformed(what, "the index has a line that names no manifest")


def _layers(what: str, lines: Any) -> tuple[Layer, ...]:
    """An artifact may have none; a layer without a digest or a size is no layer."""
    layers = []
    for line in lines if isinstance(lines, list) else ():
        match line:
            case {"digest": str(digest), "size": int(size)} if is_digest(digest) and size >= 0:
                kind = line.get("mediaType")
                layers.append(Layer(digest, size, kind if isinstance(kind, str) else ""))
            case _:
                raise malformed(what, "the manifest has a layer without a valid digest and size")
    return tuple(layers)


def _level(variant: str) -> int | None:
    return int(variant[1:]) if variant[:1] == "v" and variant[1:].isdecimal() else None
