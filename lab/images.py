"""Images made from a recipe and put straight into a registry: no build, no engine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import layers
from lab.behaviours import OWN_HEALTHCHECK, Behaviour
from lab.push import MANIFEST, MANIFEST_LIST, OCI_INDEX, OCI_MANIFEST, Push


@dataclass(frozen=True)
class Recipe:
    """What an image is. ``version`` is the text it serves; the rest is the image's config."""

    behaviour: Behaviour = "good"
    version: str = "1.0.0"
    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ("/lab/start",)
    cmd: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ("8080/tcp",)
    healthcheck: Mapping[str, object] | None = None
    """As in an image's config; None: the behaviour's own, which most have not."""
    stop_signal: str = ""
    config: Mapping[str, object] = field(default_factory=dict)
    """More of the image's config, as it is."""
    architecture: str = "amd64"
    created: str = "2024-01-01T00:00:00Z"
    maker: str = "lab"
    """Told in the image's history only: another maker, another digest."""
    oci: bool = False
    """Media types of OCI instead of Docker's."""


@dataclass(frozen=True)
class Published:
    """A manifest or an index in a registry."""

    registry: str
    name: str
    tag: str
    digest: str
    config: str
    """Digest of the image's config (for an index, of its first image)."""
    media_type: str
    size: int
    platform: str = "linux/amd64"

    @property
    def repository(self) -> str:
        """``registry/name``."""
        return f"{self.registry}/{self.name}"

    @property
    def reference(self) -> str:
        """``registry/name:tag``."""
        return f"{self.repository}:{self.tag}"

    @property
    def pinned(self) -> str:
        """``registry/name@digest``."""
        return f"{self.repository}@{self.digest}"


def _config(recipe: Recipe, parts: Sequence[layers.Layer]) -> dict[str, Any]:
    env = {"PATH": "/bin"} | dict(recipe.env)
    config: dict[str, Any] = {
        "Env": [f"{key}={value}" for key, value in env.items()],
        "Entrypoint": list(recipe.entrypoint) or None,
        "Cmd": list(recipe.cmd) or None,
        "User": recipe.user,
        "WorkingDir": recipe.workdir,
        "Labels": dict(recipe.labels) or None,
        "Volumes": {path: {} for path in recipe.volumes} or None,
        "ExposedPorts": {port: {} for port in recipe.exposed_ports} or None,
        "Healthcheck": recipe.healthcheck or OWN_HEALTHCHECK.get(recipe.behaviour),
        "StopSignal": recipe.stop_signal,
    }
    return {
        "architecture": recipe.architecture,
        "os": "linux",
        "created": recipe.created,
        "config": {key: value for key, value in config.items() if value} | dict(recipe.config),
        "rootfs": {"type": "layers", "diff_ids": [part.diff_id for part in parts]},
        "history": [{"created": recipe.created, "created_by": recipe.maker} for _ in parts],
    }


def _manifest(oci: bool, config: bytes, parts: Sequence[tuple[str, int]]) -> dict[str, object]:
    flavour = "vnd.oci.image" if oci else "vnd.docker"
    image = f"application/{flavour}.config.v1+json"
    layer = f"application/{flavour}.layer.v1.tar+gzip"
    if not oci:
        image = "application/vnd.docker.container.image.v1+json"
        layer = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST if oci else MANIFEST,
        "config": _descriptor(image, layers.digest_of(config), len(config)),
        "layers": [_descriptor(layer, digest, size) for digest, size in parts],
    }


def _descriptor(kind: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": kind, "digest": digest, "size": size}


def publish(registry: str, name: str, tag: str, recipe: Recipe | None = None) -> Published:
    """Put the image of a recipe into the registry. Idempotent: the same gives the same digest.

    With an empty tag it can be had by digest only, as the members of an index are.
    """
    recipe = recipe or Recipe()
    parts = (layers.base(), layers.version(recipe.behaviour, recipe.version))
    return publish_layers(registry, name, tag, recipe, parts)


def publish_layers(
    registry: str, name: str, tag: str, recipe: Recipe, parts: Sequence[layers.Layer]
) -> Published:
    """Put an image of these layers into the registry; its behaviour and version are theirs."""
    config = json.dumps(_config(recipe, parts)).encode()
    document = _manifest(recipe.oci, config, [(part.digest, len(part.blob)) for part in parts])
    kind = OCI_MANIFEST if recipe.oci else MANIFEST
    with Push(registry, name) as push:
        for part in parts:
            push.blob(part.blob)
        config_digest = push.blob(config)
        stored = push.manifest(tag, document, kind)
    return Published(
        registry,
        name,
        tag,
        layers.digest_of(stored),
        config_digest,
        kind,
        len(stored),
        f"linux/{recipe.architecture}",
    )


def _member(kind: str, digest: str, size: int, platform: str) -> dict[str, object]:
    system, architecture, *variant = platform.split("/")
    said = {"os": system, "architecture": architecture}
    if variant:
        said["variant"] = variant[0]
    return _descriptor(kind, digest, size) | {"platform": said}


def _attestation(push: Push, member: Published) -> dict[str, object]:
    """A build record beside an image, listed as buildx lists it: platform unknown/unknown."""
    statement = json.dumps({"subject": [{"digest": member.digest}], "predicate": {}}).encode()
    record = push.blob(statement)
    config = b'{"architecture":"unknown","os":"unknown","config":{},"rootfs":{"type":"layers"}}'
    push.blob(config)
    document = _manifest(True, config, [])
    document["layers"] = [_descriptor("application/vnd.in-toto+json", record, len(statement))]
    stored = push.manifest("", document, OCI_MANIFEST)
    listed = _member(OCI_MANIFEST, layers.digest_of(stored), len(stored), "unknown/unknown")
    return listed | {
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": member.digest,
        }
    }


def publish_index(
    registry: str,
    name: str,
    tag: str,
    members: Sequence[Published | tuple[Published, str]],
    attestation: bool = False,
) -> Published:
    """Put an image index over published images; a platform given beside one overrides its own."""
    pairs = [one if isinstance(one, tuple) else (one, one.platform) for one in members]
    first = pairs[0][0]
    oci = attestation or any(one.media_type == OCI_MANIFEST for one, _ in pairs)
    kind = OCI_INDEX if oci else MANIFEST_LIST
    with Push(registry, name) as push:
        listed = [_member(one.media_type, one.digest, one.size, where) for one, where in pairs]
        if attestation:
            listed += [_attestation(push, one) for one, _ in pairs]
        document: dict[str, object] = {"schemaVersion": 2, "mediaType": kind, "manifests": listed}
        stored = push.manifest(tag, document, kind)
    return Published(registry, name, tag, layers.digest_of(stored), first.config, kind, len(stored))


def tag(registry: str, name: str, reference: str, new_tag: str) -> str:
    """Let a tag point to what a digest (or another tag) names; the digest."""
    with Push(registry, name) as push:
        content, kind = push.read(reference)
        return layers.digest_of(push.manifest(new_tag, content, kind))


def delete(registry: str, name: str, reference: str) -> None:
    """Delete what a tag or digest names, and with it every tag that points to the same."""
    with Push(registry, name) as push:
        content, _ = push.read(reference)
        push.delete(layers.digest_of(content))


def lose_config(published: Published) -> None:
    """Take an image's configuration away; its tag is still listed, and cannot be run."""
    with Push(published.registry, published.name) as push:
        push.delete_blob(published.config)


def lose_manifest(storage: Path, published: Published) -> None:
    """Damage the registry: a tag is still listed, and what it points to is gone.

    A registry deletes the tags too when it is asked to delete what they point to.
    """
    revisions = (
        storage / "docker/registry/v2/repositories" / published.name / "_manifests/revisions"
    )
    (revisions / published.digest.replace(":", "/") / "link").unlink()
