"""Indexes as builders really make them: nested, silent about platforms, with attestations."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.registry import Platform, RegistryClient
from tests.unit.registry.fake import INDEX, MANIFEST, Fake, image_manifest

AMD64 = Platform("linux", "amd64")
HERE = {"os": "linux", "architecture": "amd64"}
THERE = {"os": "linux", "architecture": "arm64"}


def image(fake: Fake, **config: str) -> str:
    """An image with this configuration; its digest."""
    return fake.manifest(image_manifest(fake.blob(config)), "part")


def index(fake: Fake, *lines: dict[str, Any], tag: str = "1") -> str:
    """An index of these lines; its digest."""
    content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(lines)}
    return fake.manifest(content, tag, INDEX)


def line(digest: str, kind: str = MANIFEST, **more: Any) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest, "size": 2, **more}


def test_an_index_inside_an_index_is_walked(client: RegistryClient, fake: Fake) -> None:
    wanted = image(fake, **HERE)
    inner = index(fake, line(image(fake, **THERE), platform=THERE), line(wanted, platform=HERE))
    index(fake, line(inner, INDEX))
    assert client.resolve(fake.ref(), AMD64).content == wanted


def test_an_inner_index_that_names_a_platform_is_walked(client: RegistryClient, fake: Fake) -> None:
    wanted = image(fake, **HERE)
    inner = index(fake, line(wanted, platform=HERE | {"variant": "v2"}), line(wanted))
    index(fake, line(inner, INDEX, platform=HERE))
    found = client.resolve(fake.ref(), Platform("linux", "amd64", "v3"))
    assert found.content == wanted


def test_images_that_name_no_platform_are_looked_into(client: RegistryClient, fake: Fake) -> None:
    wanted = image(fake, **HERE)
    index(fake, line(image(fake, **THERE)), line(wanted))
    assert client.resolve(fake.ref(), AMD64).content == wanted


def test_one_that_names_the_platform_is_preferred(client: RegistryClient, fake: Fake) -> None:
    wanted = image(fake, **HERE, named="yes")
    index(fake, line(image(fake, **HERE)), line(wanted, platform=HERE))
    assert client.resolve(fake.ref(), AMD64).content == wanted


@pytest.mark.parametrize(
    "more",
    [
        {"platform": {"os": "unknown", "architecture": "unknown"}},
        {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
        {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}, "platform": HERE},
        {"artifactType": "application/vnd.example.sbom"},
    ],
)
def test_what_stands_beside_the_images_is_no_image(
    client: RegistryClient, fake: Fake, more: dict[str, Any]
) -> None:
    wanted = image(fake, **HERE)
    index(fake, line(image(fake, **HERE, sbom="yes"), **more), line(wanted, platform=HERE))
    assert client.resolve(fake.ref(), AMD64).content == wanted


def test_an_index_with_nothing_for_us_names_what_it_has(client: RegistryClient, fake: Fake) -> None:
    index(fake, line(image(fake, **THERE)), line(image(fake, **THERE), platform=THERE))
    with pytest.raises(RegistryError, match="only for linux/arm64") as caught:
        client.resolve(fake.ref(), AMD64)
    assert caught.value.reason == "platform"


def test_many_silent_images_are_not_all_looked_into(client: RegistryClient, fake: Fake) -> None:
    index(fake, *(line(image(fake, **THERE, number=str(number))) for number in range(50)))
    with pytest.raises(RegistryError):
        client.resolve(fake.ref(), AMD64)
    assert len(fake.asked) < 20


def test_indexes_that_multiply_are_not_all_looked_into(client: RegistryClient, fake: Fake) -> None:
    def silent(number: int) -> str:
        images = (image(fake, **THERE, number=f"{number}.{other}") for other in range(8))
        return index(fake, *map(line, images), tag="part")

    index(fake, *(line(silent(number), INDEX) for number in range(8)))
    with pytest.raises(RegistryError, match="no image found") as caught:
        client.resolve(fake.ref(), AMD64)
    assert caught.value.reason == "malformed"
    assert len(fake.asked) < 50
