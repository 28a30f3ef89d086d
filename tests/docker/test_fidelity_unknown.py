"""What newer engines tell and this program never heard of survives; what gets lost is noticed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from safe_auto_updater.platforms.docker.compare import differences
from safe_auto_updater.platforms.docker.networks import endpoints
from safe_auto_updater.platforms.docker.recreate import create_body

Json = dict[str, Any]
NEW_IMAGE: Json = {"Id": "sha256:new", "Config": {}}
FUTURE = {"Some": {"Nested": ["value", {"Deep": 1}]}}


def container(**config: Any) -> Json:
    """An inspect answer of tomorrow's engine."""
    return {
        "Id": "dbcafe" + "0" * 58,
        "Name": "/web",
        "Image": "sha256:old",
        "Config": {"Image": "app:1", "Hostname": "dbcafe000000", "Future": FUTURE} | config,
        "HostConfig": {"NetworkMode": "net", "Future": FUTURE},
        "Mounts": [],
        "NetworkSettings": {
            "Networks": {
                "net": {"NetworkID": "n", "Future": FUTURE, "IPAddress": "10.0.0.2"},
                "other": {"NetworkID": "o", "Future": FUTURE},
            }
        },
    }


def answered(old: Json, body: Json) -> Json:
    """What an engine that keeps everything tells of the new container."""
    new = copy.deepcopy(old) | {"Id": "f" * 64, "Image": "sha256:new"}
    new["Config"] |= {"Image": "app:2", "Hostname": "f" * 12, "Labels": body["Labels"]}
    return new


def test_unknown_fields_are_asked_for_again() -> None:
    old = container()
    body = create_body(old, {"Config": {}}, "app:2", "u")
    assert body["Future"] == FUTURE
    assert body["HostConfig"]["Future"] == FUTURE
    assert body["NetworkingConfig"] == {"EndpointsConfig": {"net": {"Future": FUTURE}}}
    assert differences(old, body, answered(old, body), NEW_IMAGE) == ()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (("Config",), "Config.Future"),
        (("HostConfig",), "HostConfig.Future"),
        (("NetworkSettings", "Networks", "net"), "Networks.net"),
        (("NetworkSettings", "Networks", "other"), "Networks.other"),
    ],
)
def test_unknown_field_that_the_engine_lost_is_a_difference(
    path: tuple[str, ...], told: str
) -> None:
    old = container()
    body = create_body(old, {"Config": {}}, "app:2", "u")
    new = answered(old, body)
    place = new
    for key in path:
        place = place[key]
    del place["Future"]
    (found,) = differences(old, body, new, NEW_IMAGE)
    assert found.startswith(told)


def test_network_that_the_engine_left_out_or_added_is_a_difference() -> None:
    old = container()
    body = create_body(old, {"Config": {}}, "app:2", "u")
    new = answered(old, body)
    networks = new["NetworkSettings"]["Networks"]
    networks["bridge"] = {"NetworkID": "b"}
    del networks["other"]
    assert len(differences(old, body, new, NEW_IMAGE)) == 2


@pytest.mark.parametrize("name", ["db", "dbcafe", "d"])
def test_short_name_that_begins_like_the_id_is_the_users(name: str) -> None:
    old = container(Hostname=name)
    old["NetworkSettings"]["Networks"]["net"]["Aliases"] = [f"{name}x", "dbcafe000000"]
    body = create_body(old, {"Config": {}}, "app:2", "u")
    assert body["Hostname"] == name
    assert body["NetworkingConfig"]["EndpointsConfig"]["net"]["Aliases"] == [f"{name}x"]


@pytest.mark.parametrize(("told", "asked"), [({}, None), ({"DNSNames": ["db"]}, ["db"])])
def test_host_name_among_the_aliases_is_an_older_engines_and_a_newer_ones_users(
    told: dict[str, list[str]], asked: list[str] | None
) -> None:
    old = container(Hostname="db") | {"State": {"Status": "created"}}
    old["NetworkSettings"]["Networks"]["net"].update(told, Aliases=["db", "dbcafe000000"])
    assert endpoints(old)["net"].get("Aliases") == asked


def test_generated_host_name_is_not_the_users() -> None:
    assert "Hostname" not in create_body(container(), {"Config": {}}, "app:2", "u")


@pytest.mark.parametrize("mode", ["default", "bridge"])
def test_settings_of_the_default_bridge_are_asked_for(mode: str) -> None:
    old = container()
    old["HostConfig"]["NetworkMode"] = mode
    old["NetworkSettings"]["Networks"] = {"bridge": {"NetworkID": "b", "GwPriority": 5}}
    body = create_body(old, {"Config": {}}, "app:2", "u")
    assert body["NetworkingConfig"] == {"EndpointsConfig": {"bridge": {"GwPriority": 5}}}
