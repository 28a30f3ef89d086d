"""The port `Registry`: what detection asks, answered for one platform."""

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.model import Image
from safe_auto_updater.core.ports import ImageAnswer
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.platforms.registry.client import RegistryClient
from safe_auto_updater.platforms.registry.manifests import Platform


class ImageLookup:
    """Answers for one host's platform; several may share a client.

    Raises RegistryError, and InvalidReference for a text that is no reference.
    """

    def __init__(self, client: RegistryClient, platform: Platform) -> None:
        self._client = client
        self._platform = platform

    def tags(self, reference: str) -> tuple[str, ...]:
        """Every tag of the reference's repository."""
        return self._client.tags(Reference.parse(reference))

    def image(self, reference: str) -> ImageAnswer:
        """What a reference resolves to on this platform."""
        return self._client.resolve(Reference.parse(reference), self._platform)

    def config(self, reference: str, answer: ImageAnswer) -> Mapping[str, Any]:
        """The image configuration behind an answer, verified. Do not change it: it is shared."""
        return self._client.image_config(Reference.parse(reference), answer.config_digest)

    def described(self, image: Image) -> Mapping[str, Any]:
        """The configuration of a resolved image, with the bytes of its layers: `layer_sizes`."""
        answer = self.image(image.reference)
        if image.digest is not None and answer.digest != image.digest:  # the tag has moved on
            pinned = Reference.parse(image.reference).with_digest(image.digest)
            answer = self.image(str(pinned))
        return {**self.config(image.reference, answer), "layer_sizes": answer.layer_sizes}

    def digest(self, reference: str) -> str:
        """What a reference points to now: one HEAD, free of Docker Hub's pull limit."""
        return self._client.head(Reference.parse(reference))
