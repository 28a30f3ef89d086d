"""What one container has of another, whatever tells so."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.core.model import Bond, Need
from safe_auto_updater.platforms.docker.needs import Everyone

ID, OTHER_ID = "a" * 64, "b" * 64
COMPOSE = "com.docker.compose."


def container(name: str, id_: str, depends_on: str = "", **more: Any) -> dict[str, Any]:
    labels = {COMPOSE + "project": "shop", COMPOSE + "service": f"{name}-service"}
    labels[COMPOSE + "depends_on"] = depends_on
    return {
        "Id": id_,
        "Name": f"/{name}",
        "Config": {"Labels": labels},
        "HostConfig": more.pop("host", {}),
        "NetworkSettings": {"Networks": more},
    }


def needs(**more: Any) -> list[tuple[str, Bond]]:
    """What `app` needs, beside a container `web`."""
    app = container("app", OTHER_ID, **more)
    found = Everyone("local", [container("web", ID), app]).needs_of(app)
    return [(need.asset, need.bond) for need in found]


@pytest.mark.parametrize(
    ("host", "needed"),
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
        ({"VolumesFrom": ["app"]}, False),
    ],
)
def test_whoever_holds_a_part_of_a_container_must_be_made_again_with_it(
    host: dict[str, Any], needed: bool
) -> None:
    assert needs(host=host) == [("docker:local/web", Bond.RECREATE)] * needed


@pytest.mark.parametrize(
    ("depends_on", "found"),
    [
        ("web-service:service_healthy:true", [Bond.RESTART]),
        ("web-service:service_started:false", [Bond.ORDER]),
        ("web-service", [Bond.ORDER]),
        ("other:service_started:true", []),
    ],
)
def test_compose_says_who_comes_first_and_who_restarts(depends_on: str, found: list[Bond]) -> None:
    assert [bond for _, bond in needs(depends_on=depends_on)] == found


def test_link_on_a_network_of_the_users_is_only_an_order() -> None:
    assert needs(back={"Links": ["web:alias"]}) == [("docker:local/web", Bond.ORDER)]


def test_namespace_of_a_container_that_is_gone_stands_in_the_way() -> None:
    app = container("app", OTHER_ID, host={"NetworkMode": f"container:{ID}"})
    (gone,) = Everyone("local", [app]).gone(app)
    assert gone.rule == "gone"
    assert gone.reason.startswith(f"it uses the network of container {ID[:12]}, which is gone")
    assert Everyone("local", [app, container("web", ID)]).gone(app) == ()


def test_each_need_is_told_once() -> None:
    host = {"VolumesFrom": ["web", "web:ro"], "NetworkMode": f"container:{ID}"}
    app = container("app", OTHER_ID, host=host)
    assert Everyone("local", [app, container("web", ID)]).needs_of(app) == (
        Need("docker:local/web", Bond.RECREATE, "uses its network"),
        Need("docker:local/web", Bond.RECREATE, "uses its volumes"),
    )
