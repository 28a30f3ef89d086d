"""What publishers write into an image's configuration: read as it should be, or refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.image_tree import from_config
from safe_auto_updater.core.model import Image
from safe_auto_updater.platforms.registry import ImageLookup, Platform, RegistryClient
from tests.unit.registry.fake import Fake, image_manifest

HERE = {"os": "linux", "architecture": "amd64"}


def described(client: RegistryClient, fake: Fake, content: dict[str, Any]) -> Any:
    fake.manifest(image_manifest(fake.blob(HERE | content)))
    return ImageLookup(lambda _: client, Platform("linux", "amd64")).described(
        Image(str(fake.ref()))
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config", {"config": ["Env"]}),
        ("rootfs", {"rootfs": "layers"}),
        ("diff_ids", {"rootfs": {"diff_ids": [1]}}),
        ("created", {"created": 5}),
        ("Labels", {"config": {"Labels": {"half": "\ud83d"}}}),
        ("Volumes", {"config": {"Volumes": {"/half\ud83d": {}}}}),
        *(
            (name, {"config": {name: wrong}})
            for name, wrong in {
                "Env": [1],
                "Labels": ["a"],
                "Volumes": ["/data"],
                "ExposedPorts": [80, "81"],
                "Entrypoint": 5,
                "Cmd": [["sh"]],
                "WorkingDir": 5,
                "User": {"name": "app"},
                "StopSignal": [15],
                "Healthcheck": {"Test": "curl", "Interval": {"deep": {}}},
            }.items()
        ),
    ],
)
def test_a_configuration_of_another_form_is_unknown_and_the_field_is_named(
    client: RegistryClient, fake: Fake, name: str, content: dict[str, Any]
) -> None:
    with pytest.raises(RegistryError, match=f"'{name}' in the image's configuration") as caught:
        described(client, fake, content)
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"config": None, "rootfs": None, "created": None},
        {"config": dict.fromkeys(("Env", "Labels", "Volumes", "Cmd", "Healthcheck", "User"))},
        {
            "config": {
                "Env": ["A=b"],
                "Labels": {"a": "b", "c": None},
                "Volumes": {"/data": {}},
                "Healthcheck": {"Test": ["CMD", "true"], "Interval": 30_000_000_000},
                "OnBuild": [{"unknown": 1}],
            }
        },
    ],
)
def test_what_is_absent_null_or_unknown_to_us_is_no_fault(
    client: RegistryClient, fake: Fake, content: dict[str, Any]
) -> None:
    assert from_config(described(client, fake, content))["architecture"] == "amd64"
