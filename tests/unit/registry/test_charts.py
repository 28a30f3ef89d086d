"""Charts in a registry that answers otherwise than helm pushes."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.registry.charts import ChartLookup
from tests.unit.registry.conftest import MakeClient
from tests.unit.registry.fake import INDEX, MANIFEST, Fake, Reply, digest_of, image_manifest

CONFIG = "application/vnd.cncf.helm.config.v1+json"
CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
PROVENANCE = "application/vnd.cncf.helm.chart.provenance.v1.prov"
ARCHIVE = gzip.compress(b"a chart")


def layer(kind: str, body: bytes = ARCHIVE) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest_of(body), "size": len(body)}


def push(fake: Fake, *layers: dict[str, Any], config_type: str = CONFIG) -> None:
    config = fake.blob({"name": "web", "version": "1.0.0"})
    fake.manifest(image_manifest(config, config_type) | {"layers": list(layers)})
    fake.routes[f"/v2/app/blobs/{digest_of(ARCHIVE)}"] = Reply(200, ARCHIVE)


@pytest.mark.parametrize("kind", [CONTENT, "application/tar+gzip"])
def test_the_archive_is_the_layer_of_that_kind(
    fake: Fake, make_client: MakeClient, kind: str
) -> None:
    push(fake, layer(PROVENANCE, b"signed"), layer(kind))
    asked = ChartLookup(make_client())
    digest, said = asked.chart(f"{fake.host}/app:1")
    assert (digest, dict(said)) == (digest_of(ARCHIVE), {"name": "web", "version": "1.0.0"})
    assert asked.archive(f"{fake.host}/app", digest, 1000) == ARCHIVE


@pytest.mark.parametrize(
    ("layers", "config_type", "told"),
    [
        ((layer(CONTENT),), "application/vnd.oci.image.config.v1+json", "this is no chart"),
        ((), CONFIG, "it has 0 archives"),
        ((layer(PROVENANCE),), CONFIG, "it has 0 archives"),
        ((layer(CONTENT), layer(CONTENT, b"other")), CONFIG, "it has 2 archives"),
    ],
)
def test_what_is_no_chart_is_refused(
    fake: Fake,
    make_client: MakeClient,
    layers: tuple[dict[str, Any], ...],
    config_type: str,
    told: str,
) -> None:
    push(fake, *layers, config_type=config_type)
    with pytest.raises(RegistryError, match=told) as refused:
        ChartLookup(make_client()).chart(f"{fake.host}/app:1")
    assert refused.value.reason == "malformed"


def test_an_index_of_several_is_no_chart(fake: Fake, make_client: MakeClient) -> None:
    fake.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}, media_type=INDEX)
    with pytest.raises(RegistryError, match="an index of several"):
        ChartLookup(make_client()).chart(f"{fake.host}/app:1")


def test_an_archive_is_bounded_and_verified(fake: Fake, make_client: MakeClient) -> None:
    push(fake, layer(CONTENT))
    asked = ChartLookup(make_client())
    with pytest.raises(RegistryError, match="larger than 10 bytes"):
        asked.archive(f"{fake.host}/app", digest_of(ARCHIVE), 10)
    fake.routes[f"/v2/app/blobs/{digest_of(ARCHIVE)}"] = Reply(200, b"another")
    with pytest.raises(RegistryError, match="does not match its digest"):
        asked.archive(f"{fake.host}/app", digest_of(ARCHIVE), 1000)


def test_a_manifest_says_of_what_kind_its_layers_are(fake: Fake, make_client: MakeClient) -> None:
    body = json.dumps(image_manifest(digest_of(b"x"), CONFIG) | {"layers": [layer(CONTENT)]})
    fake.routes["/v2/app/manifests/1"] = Reply(200, body.encode(), {"Content-Type": MANIFEST})
    fake.routes[f"/v2/app/manifests/{digest_of(body.encode())}"] = Reply(200, body.encode())
    (only,) = make_client().artifact(fake.ref()).layers
    assert (only.kind, only.digest) == (CONTENT, digest_of(ARCHIVE))
