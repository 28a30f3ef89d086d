"""From a tag to the image of this platform, every step verified."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.registries import ImageAnswer
from safe_auto_updater.platforms.registry import ImageLookup, Platform, RegistryClient
from tests.unit.registry.fake import INDEX, MANIFEST, Fake, Reply, digest_of, image_manifest

AMD64 = Platform("linux", "amd64")
ARM_V7 = Platform("linux", "arm", "v7")


def index_of(fake: Fake, *platforms: tuple[str, str, str]) -> dict[tuple[str, str, str], str]:
    """Serve an index under tag 1 with one image for each (os, architecture, variant)."""
    digests = {}
    lines: list[dict[str, Any]] = []
    for number, (os, architecture, variant) in enumerate(platforms):
        config = fake.blob({"os": os, "architecture": architecture, "number": number})
        digest = fake.manifest(image_manifest(config), f"part{number}")
        digests[os, architecture, variant] = digest
        platform = {"os": os, "architecture": architecture}
        lines.append(
            {
                "mediaType": MANIFEST,
                "digest": digest,
                "size": 2,
                "platform": platform | ({"variant": variant} if variant else {}),
            }
        )
    fake.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": lines}, "1", INDEX)
    return digests


def error_of(client: RegistryClient, fake: Fake, platform: Platform = AMD64) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        client.resolve(fake.ref(), platform)
    return caught.value


def test_an_index_is_walked_to_the_platform(client: RegistryClient, fake: Fake) -> None:
    digests = index_of(fake, ("linux", "arm64", "v8"), ("linux", "amd64", ""))
    found = client.resolve(fake.ref(), AMD64)
    assert found.content == digests["linux", "amd64", ""]
    assert found.digest == client.head(fake.ref()) != found.content
    config = client.image_config(fake.ref(), found.config_digest)
    assert config["architecture"] == "amd64"


def test_a_single_manifest_is_tag_and_content(client: RegistryClient, fake: Fake) -> None:
    digest = fake.image()
    found = client.resolve(fake.ref(), AMD64)
    assert (found.digest, found.content) == (digest, digest)
    answer = ImageLookup(lambda _: client, AMD64).image(str(fake.ref()))
    assert answer == ImageAnswer(digest, digest, found.config_digest)
    pinned = fake.ref().with_digest(digest)
    assert client.resolve(pinned, AMD64) == found


@pytest.mark.parametrize(
    ("here", "offered", "picked"),
    [
        (ARM_V7, ["v6", "v7", "v5"], "v7"),
        (ARM_V7, ["v5", "v6"], "v6"),
        (ARM_V7, ["v8", ""], ""),
        (Platform("linux", "arm", "v6"), ["v7", "v5"], "v5"),
        (Platform("linux", "arm64"), ["v8"], "v8"),
        (Platform("linux", "arm64", "v8"), [""], ""),
        (AMD64, ["v3", ""], ""),
        (Platform("linux", "amd64", "v3"), ["", "v2"], "v2"),
    ],
)
def test_the_best_variant_is_picked(
    client: RegistryClient, fake: Fake, here: Platform, offered: list[str], picked: str
) -> None:
    digests = index_of(fake, *[(here.os, here.architecture, variant) for variant in offered])
    found = client.resolve(fake.ref(), here)
    assert found.content == digests[here.os, here.architecture, picked]


def test_attestations_are_no_images(client: RegistryClient, fake: Fake) -> None:
    index_of(fake, ("unknown", "unknown", ""))
    error = error_of(client, fake, Platform("unknown", "unknown"))
    assert error.reason == "platform"
    assert "only for none" in str(error)


def test_an_index_without_this_platform_names_those_it_has(
    client: RegistryClient, fake: Fake
) -> None:
    index_of(fake, ("linux", "arm64", ""), ("windows", "amd64", ""))
    error = error_of(client, fake)
    assert error.reason == "platform"
    assert "linux/arm64, windows/amd64" in str(error)


def test_a_single_manifest_for_another_machine_is_no_candidate(
    client: RegistryClient, fake: Fake
) -> None:
    fake.image("arm64")
    error = error_of(client, fake)
    assert error.reason == "platform"
    assert "linux/arm64" in str(error)


def test_layers_and_their_sizes_come_with_the_answer(client: RegistryClient, fake: Fake) -> None:
    layers = [{"digest": digest_of(b"1"), "size": 7}, {"digest": digest_of(b"2"), "size": 5}]
    config = fake.blob({"os": "linux", "architecture": "amd64"})
    fake.manifest(image_manifest(config) | {"layers": layers})
    lookup = ImageLookup(lambda _: client, AMD64)
    answer = lookup.image(str(fake.ref()))
    assert [layer.digest for layer in answer.layers] == [layer["digest"] for layer in layers]
    assert answer.layer_sizes == (7, 5)
    asked = len(fake.asked)
    assert lookup.config(str(fake.ref()), answer)["architecture"] == "amd64"
    assert len(fake.asked) == asked  # known already from checking the platform


def test_an_artifact_has_no_platform(client: RegistryClient, fake: Fake) -> None:
    config = fake.blob({"name": "chart"})
    digest = fake.manifest(image_manifest(config, "application/vnd.cncf.helm.config.v1+json"))
    assert client.resolve(fake.ref(), AMD64).content == digest


@pytest.mark.parametrize(
    "content",
    [
        {"schemaVersion": 1, "name": "app", "fsLayers": []},
        {"schemaVersion": 2},
        {"schemaVersion": 2, "manifests": [], "config": {}},
        {"schemaVersion": 2, "manifests": [{"digest": "sha256:1", "platform": {"os": "linux",
         "architecture": "amd64"}}]},
        {"schemaVersion": 2, "manifests": ["x"]},
        {"schemaVersion": 2, "config": {"digest": "../../etc", "mediaType": "x"}},
        {"schemaVersion": 2, "config": []},
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_refused(
    client: RegistryClient, fake: Fake, content: dict[str, Any]
) -> None:
    fake.manifest(content)
    assert error_of(client, fake).reason == "malformed"


def test_schema_1_is_named(client: RegistryClient, fake: Fake) -> None:
    fake.manifest({"schemaVersion": 1, "fsLayers": []})
    assert "schema 1" in str(error_of(client, fake))


def test_a_body_that_is_not_its_digest_is_refused(client: RegistryClient, fake: Fake) -> None:
    body = json.dumps(image_manifest(fake.blob({}))).encode()
    wrong = digest_of(b"other")
    fake.routes["/v2/app/manifests/1"] = Reply(200, body, {"Docker-Content-Digest": wrong})
    fake.routes[f"/v2/app/manifests/{wrong}"] = Reply(200, body)
    assert error_of(client, fake).reason == "malformed"
    with pytest.raises(RegistryError, match="does not match"):
        client.resolve(fake.ref().with_digest(wrong), AMD64)


def test_a_configuration_that_is_not_its_digest_is_refused(
    client: RegistryClient, fake: Fake
) -> None:
    digest = digest_of(b"{}")
    fake.routes[f"/v2/app/blobs/{digest}"] = Reply(200, b'{"evil": true}')
    with pytest.raises(RegistryError, match="does not match"):
        client.image_config(fake.ref(), digest)


def test_head_asks_without_a_pull(client: RegistryClient, fake: Fake) -> None:
    digest = fake.image()
    assert client.head(fake.ref()) == digest
    assert [request.method for request in fake.asked] == ["HEAD"]
    assert INDEX in fake.asked[0].headers["accept"]


def test_head_without_a_digest_falls_back_to_get(client: RegistryClient, fake: Fake) -> None:
    body = json.dumps(image_manifest(fake.blob({}))).encode()
    fake.routes["/v2/app/manifests/1"] = Reply(200, body)
    assert client.head(fake.ref()) == digest_of(body)
    assert [request.method for request in fake.asked] == ["HEAD", "GET"]


def test_a_manifest_beyond_measure_is_refused(client: RegistryClient, fake: Fake) -> None:
    fake.routes["/v2/app/manifests/1"] = Reply(200, b" " * (5 << 20))
    assert "larger" in str(error_of(client, fake))


def test_a_redirected_blob_is_fetched_from_where_it_is(
    client: RegistryClient, fake: Fake, other: Fake
) -> None:
    digest = other.blob({"os": "linux"})
    target = f"{other.url}/v2/app/blobs/{digest}?signature=abc"
    fake.routes[f"/v2/app/blobs/{digest}"] = Reply(307, headers={"Location": target})
    assert client.image_config(fake.ref(), digest) == {"os": "linux"}


@pytest.mark.parametrize("location", ["", "ftp://127.0.0.1/x", "http://[", "/v2/app/manifests/1"])
def test_redirects_to_nowhere_end(client: RegistryClient, fake: Fake, location: str) -> None:
    fake.routes["/v2/app/manifests/1"] = Reply(307, headers={"Location": location})
    assert error_of(client, fake).reason == "malformed"
    assert len(fake.asked) <= 6


def test_many_containers_of_one_image_make_one_look_up(client: RegistryClient, fake: Fake) -> None:
    index_of(fake, ("linux", "amd64", ""))
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: client.resolve(fake.ref(), AMD64), range(50)))
    assert len(found) == 1
    assert [request.method for request in fake.asked] == ["HEAD", "GET", "GET"]


def test_refusals_are_remembered(client: RegistryClient, fake: Fake) -> None:
    for _ in range(3):
        assert error_of(client, fake).reason == "not_found"
    assert len(fake.asked) == 1
