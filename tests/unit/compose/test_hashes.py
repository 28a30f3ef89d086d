"""What a model says once a container shares others' namespaces; and no more of it changes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from safe_auto_updater.platforms.docker.compose.command import ComposeCommand
from safe_auto_updater.platforms.docker.compose.errors import Unclear
from safe_auto_updater.platforms.docker.compose.hashes import (
    as_run,
    assert_as_labelled,
    shares,
    without_extensions,
)
from safe_auto_updater.platforms.docker.compose.labels import ComposeService

HOST = {"NetworkMode": "container:aa", "PidMode": "container:bb", "VolumesFrom": ["cc", "dd:ro"]}
ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "its own networks": ({"networks": {"front": None}}, {}),
    "a service's network": ({"network_mode": "service:vpn"}, {"network_mode": "container:aa"}),
    "a container's network, as it is written": ({"network_mode": "container:vpn"}, {}),
    "the host's": ({"network_mode": "host"}, {}),
    "a service's processes": ({"pid": "service:db"}, {"pid": "container:bb"}),
    "a service's memory, which it has no more": ({"ipc": "service:db"}, {}),
    "others' volumes": (
        {"volumes_from": ["db", "container:x:ro"]},
        {"volumes_from": ["cc", "dd"]},
    ),
}


@pytest.mark.parametrize("what", ROWS)
def test_who_shares_with_a_service_shares_with_its_container(what: str) -> None:
    said, changed = ROWS[what]
    model = {"services": {"web": {"image": "web:1", **said}, "vpn": {"network_mode": "service:x"}}}
    expected = {**model["services"], "web": {"image": "web:1", **said, **changed}}
    assert as_run(model, "web", HOST)["services"] == expected


def test_an_image_is_text_and_no_template() -> None:
    model = {"services": {"web": {"image": "web:1"}}}
    assert as_run(model, "web", {}, "web:$x")["services"]["web"]["image"] == "web:$$x"
    assert model == {"services": {"web": {"image": "web:1"}}}, "what was given stays"


def test_a_service_that_is_no_more_is_unclear() -> None:
    with pytest.raises(Unclear, match="name no service web any more"):
        as_run({"services": {}}, "web", {})


def test_keys_that_mean_nothing_to_compose_are_told_from_others_that_look_like_them() -> None:
    labels = {"x-image": "web:1"}
    model = {
        "x-images": {"web": "web:1"},
        "services": {"web": {"image": "web:1", "x-note": "web:1", "labels": labels}, "x-db": {}},
        "networks": {"front": None, "back": {"x-note": 1, "internal": True}},
    }
    before = copy.deepcopy(model)
    assert without_extensions(model) == {
        "services": {"web": {"image": "web:1", "labels": labels}, "x-db": {}},
        "networks": {"front": None, "back": {"internal": True}},
    }
    assert model == before, "what was given stays"


def test_hash_that_only_compose_can_make_is_called_that() -> None:
    class Asked(ComposeCommand):
        def hashes(self, service: ComposeService, model: Any) -> dict[str, str]:
            return {"web": "ours"}

    service = ComposeService("shop", "web", "1", "theirs", "/srv", ("compose.yml",), ())
    old = {"Config": {"Image": "web:1"}, "HostConfig": {}}
    for more, told in (
        ({}, "Do that first"),
        ({"use_api_socket": True}, "only Compose itself can"),
    ):
        model = {"services": {"web": {"image": "web:1", **more}}}
        with pytest.raises(Unclear, match=told):
            assert_as_labelled(Asked({}), service, model, old)


def test_only_what_is_shared_counts_as_shared() -> None:
    old = {"HostConfig": {**HOST, "Memory": 1}}
    assert not shares(old, {**HOST, "Memory": 2})
    assert shares(old, {**HOST, "NetworkMode": "container:new"})
    assert not shares({"HostConfig": {"VolumesFrom": None}}, {"VolumesFrom": []})
