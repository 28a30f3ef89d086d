"""Registries of images: what they answer, and what is asked about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Layer:
    """One layer as the manifest names it; `size` is that of the download, in bytes."""

    digest: str
    size: int
    kind: str = ""  # its media type


@dataclass(frozen=True)
class ImageAnswer:
    """A resolved reference: what the tag points to, this platform's manifest, its configuration."""

    digest: str
    content: str
    config_digest: str
    layers: tuple[Layer, ...] = ()

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Bytes to download for each layer, where nothing is there yet."""
        return tuple(layer.size for layer in self.layers)


class Registry(Protocol):
    """What detection asks about images; answers come from the registry or not at all."""

    def tags(self, reference: str) -> Sequence[str]:
        """Every tag of the reference's repository. Raises RegistryError: *unknown*."""
        ...

    def digest(self, reference: str) -> str:
        """What the reference points to: one HEAD. Raises RegistryError: *unknown*."""
        ...

    def image(self, reference: str) -> ImageAnswer:
        """What a reference resolves to for this host's platform. Raises RegistryError."""
        ...

    def config(self, reference: str, answer: ImageAnswer) -> Mapping[str, Any]:
        """The image configuration behind an answer, verified. Raises RegistryError."""
        ...


@dataclass(frozen=True)
class Asked:
    """One question put to a registry, or to a host that it sends us to, and what came of it.

    `outcome`: ok (a redirect too), unauthorized (401, which is how most begin), refused (any other
    4xx), or the reason of a RegistryError: rate_limited, server, unreachable, malformed, timeout.
    `pulls_left` of `pulls_granted` are what the host says it still grants; None: it does not say.
    """

    host: str
    method: str
    outcome: str
    pulls_left: int | None = None
    pulls_granted: int | None = None
