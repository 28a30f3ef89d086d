"""Whether one container is what it was, in whatever words its engine tells it."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.platforms.docker.compare import changes


def container(mode: str = "default", policy: str = "", **host: Any) -> dict[str, Any]:
    return {
        "Name": "/web",
        "Config": {"Image": "web:1"},
        "HostConfig": {"NetworkMode": mode, "RestartPolicy": {"Name": policy}} | host,
        "NetworkSettings": {"Networks": {}},
        "Mounts": [],
    }


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (container(), container("bridge", "no"), ()),  # an engine that was upgraded meanwhile
        (container(), container("host"), ("HostConfig.NetworkMode",)),
        (container(), container(policy="always"), ("HostConfig.RestartPolicy",)),
        (container(), container(CpuShares=512), ("HostConfig.CpuShares",)),
    ],
)
def test_words_that_engines_replaced_are_no_change(
    before: dict[str, Any], now: dict[str, Any], found: tuple[str, ...]
) -> None:
    assert changes(before, now) == found
