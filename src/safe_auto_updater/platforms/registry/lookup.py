"""The port `Registry`: what detection asks, answered for the platforms that an image must have."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from safe_auto_updater.core.model import Image
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.registries import ImageAnswer
from safe_auto_updater.platforms.registry.client import RegistryClient
from safe_auto_updater.platforms.registry.manifests import Platform


class ImageLookup:
    """Answers for the platforms of one host or cluster; several may share a client.

    `client_for` is whom a reference is asked of. Raises RegistryError, and InvalidReference for a
    text that is no reference.
    """

    def __init__(
        self, client_for: Callable[[Reference], RegistryClient], *platforms: Platform
    ) -> None:
        self._client_for = client_for
        self._platforms: Sequence[Platform] = platforms

    def tags(self, reference: str) -> tuple[str, ...]:
        """Every tag of the reference's repository."""
        ref = Reference.parse(reference)
        return self._client_for(ref).tags(ref)

    def image(self, reference: str) -> ImageAnswer:
        """What a reference resolves to on the first platform; on each it must be had."""
        ref = Reference.parse(reference)
        client = self._client_for(ref)
        first, *_ = [client.resolve(ref, platform) for platform in self._platforms]
        return first

    def config(self, reference: str, answer: ImageAnswer) -> Mapping[str, Any]:
        """The image configuration behind an answer, verified. Do not change it: it is shared."""
        ref = Reference.parse(reference)
        return self._client_for(ref).image_config(ref, answer.config_digest)

    def described(self, image: Image) -> Mapping[str, Any]:
        """The configuration of a resolved image, with the bytes of its layers: `layer_sizes`."""
        answer = self.image(image.reference)
        if image.digest is not None and answer.digest != image.digest:  # the tag has moved on
            pinned = Reference.parse(image.reference).with_digest(image.digest)
            answer = self.image(str(pinned))
        return {**self.config(image.reference, answer), "layer_sizes": answer.layer_sizes}

    def digest(self, reference: str) -> str:
        """What a reference points to now: one HEAD, free of Docker Hub's pull limit."""
        ref = Reference.parse(reference)
        return self._client_for(ref).head(ref)
