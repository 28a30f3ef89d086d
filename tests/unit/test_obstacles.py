"""Who would lose something with a container, whatever tells that it shares with it."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.platforms.docker.obstacles import dependents_in, obstacles_of

ID, OTHER_ID = "a" * 64, "b" * 64


def container(name: str, id_: str, **host: Any) -> dict[str, Any]:
    return {"Id": id_, "Name": f"/{name}", "Config": {"Labels": None}, "HostConfig": host}


@pytest.mark.parametrize(
    ("host", "depends"),
    [
        ({"NetworkMode": f"container:{ID}"}, True),
        ({"PidMode": f"container:{ID}"}, True),
        ({"IpcMode": "container:web"}, True),
        ({"VolumesFrom": ["web:ro"]}, True),
        ({"VolumesFrom": [ID[:12]]}, True),
        ({"Links": ["/web:/app/alias"]}, True),
        ({"NetworkMode": "web", "PidMode": "host", "IpcMode": "shareable"}, False),
        ({"VolumesFrom": ["web2"], "Links": None}, False),
        ({"Links": ["/other:/app/web"]}, False),
    ],
)
def test_whoever_shares_with_a_container_stands_in_its_way(
    host: dict[str, Any], depends: bool
) -> None:
    everyone = [container("web", ID), container("app", OTHER_ID, **host)]
    found = obstacles_of(everyone[0], dependents_in(everyone), own_id=None)
    assert [one.rule for one in found] == ["dependents"] * depends
    assert all("app would lose" in one.reason for one in found)
    assert obstacles_of(everyone[1], dependents_in(everyone), own_id=None) == ()


def test_a_container_is_no_dependent_of_itself() -> None:
    alone = container("web", ID, VolumesFrom=["web"])
    assert obstacles_of(alone, dependents_in([alone]), own_id=None) == ()


def test_all_dependents_are_named_in_order() -> None:
    web = container("web", ID)
    others = [
        container(name, name * 64, PidMode="container:web", Links=["/web:/x/web"])
        for name in ("c", "a", "b")
    ]
    (found,) = obstacles_of(web, dependents_in([web, *others]), own_id=None)
    assert found.reason.startswith("a, b, c would lose")
