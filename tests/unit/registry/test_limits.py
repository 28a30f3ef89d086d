"""Pull limits: read from every answer, and the last pulls are left to the updates."""

from __future__ import annotations

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.registry import Limit, Platform, RegistryClient
from tests.unit.registry.conftest import HandClock
from tests.unit.registry.fake import Fake, Reply, image_manifest

AMD64 = Platform("linux", "amd64")


def grant(fake: Fake, tag: str, remaining: str, limit: str | None = "100;w=21600") -> None:
    """Serve an image whose tag tells the limit, as a HEAD does."""
    config = fake.blob({"os": "linux", "architecture": "amd64", "tag": tag})
    fake.manifest(image_manifest(config), tag)
    honest = fake.routes[f"/v2/app/manifests/{tag}"]
    assert isinstance(honest, Reply)
    headers = {**honest.headers, "RateLimit-Remaining": remaining}
    if limit is not None:
        headers["RateLimit-Limit"] = limit
    fake.routes[f"/v2/app/manifests/{tag}"] = Reply(200, honest.body, headers)


@pytest.mark.parametrize(
    ("remaining", "limit", "read"),
    [
        ("76;w=21600", "100;w=21600", Limit(76, 100, 21600.0)),
        ("76", "100", Limit(76, 100, None)),
        ("5", None, Limit(5, None, None)),
        ("many", "100;w=21600", None),
        ("-1", "100", None),
    ],
)
def test_what_is_left_is_told(
    client: RegistryClient, fake: Fake, remaining: str, limit: str | None, read: Limit | None
) -> None:
    grant(fake, "1", remaining, limit)
    client.head(fake.ref())
    assert client.limits() == ({} if read is None else {fake.host: read})


def test_the_last_pulls_are_kept_and_a_head_is_free(client: RegistryClient, fake: Fake) -> None:
    grant(fake, "1", "2;w=21600")
    with pytest.raises(RegistryError) as caught:
        client.resolve(fake.ref(), AMD64)
    assert caught.value.reason == "rate_limited"
    assert f"{fake.host} grants 2 of 100 more pulls" in str(caught.value)
    assert "360 min" in str(caught.value)
    assert [request.method for request in fake.asked] == ["HEAD"]
    grant(fake, "2", "50;w=21600")  # a HEAD that tells of more room opens the way again
    assert client.resolve(fake.ref("app:2"), AMD64)


def test_the_window_ends(client: RegistryClient, fake: Fake, clock: HandClock) -> None:
    grant(fake, "1", "0;w=60")
    client.head(fake.ref())
    clock.time += 61
    fake.image(tag="2")
    assert client.resolve(fake.ref("app:2"), AMD64)


def test_a_limit_of_very_few_is_no_wall(client: RegistryClient, fake: Fake) -> None:
    grant(fake, "1", "1;w=60", "1;w=60")
    assert client.resolve(fake.ref(), AMD64)
