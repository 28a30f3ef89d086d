"""What was answered once counts for a whole run, except where it has to be so right now."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from safe_auto_updater.config import Config
from safe_auto_updater.config.config import RegistryAccess
from safe_auto_updater.wiring.registries import Registries
from tests.unit.registry.conftest import HandClock
from tests.unit.registry.fake import Fake, image_manifest


def test_where_a_tag_points_now_is_asked_anew(
    fake: Fake, clock: HandClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    config = Config(registries=(RegistryAccess(fake.host, plain_http=True),))
    with ExitStack() as closing:
        registries = Registries(config, tmp_path / "state", clock, closing)
        planned = fake.image()
        assert registries.client.head(fake.ref()) == planned
        moved = fake.manifest(image_manifest(fake.blob({"moved": "on"})), "1")
        assert registries.client.head(fake.ref()) == planned, "a run goes by one answer"
        assert registries.anew().head(fake.ref()) == moved
