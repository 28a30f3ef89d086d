"""How a person set something up: the same after an update of ours, another once it was changed."""

from __future__ import annotations

from typing import Any

import pytest

from safe_auto_updater.platforms.docker.configured import configuration as of_container
from safe_auto_updater.platforms.docker.marks import MARK
from safe_auto_updater.platforms.kubernetes.comparing import configuration as of_pods

Json = dict[str, Any]


def container(host: Json | None = None, **config: Any) -> Json:
    labels = {"mine": "1", MARK: "u1"} | config.pop("labels", {})
    said = {"Hostname": "4f2c9a", "Image": "web:1.0.0", "Env": ["MODE=a"], "Labels": labels}
    return {
        "Id": "4f2c9a",
        "Config": said | config,
        "HostConfig": {"Binds": ["/a:/a"]} | (host or {}),
    }


SAME = {
    "another image": container(Image="web:1.1.0"),
    "made anew by an update": container(Hostname="77aa01", labels={MARK: "u2"}),
}
OTHER = {
    "a mount": container({"Binds": ["/b:/a"]}),
    "a variable": container(Env=["MODE=b"]),
    "a label": container(labels={"mine": "2"}),
    "no labels": container(Labels=None),
}


@pytest.mark.parametrize("what", SAME)
def test_what_an_update_makes_of_a_container_is_configured_as_before(what: str) -> None:
    assert of_container(SAME[what]) == of_container(container())


@pytest.mark.parametrize("what", OTHER)
def test_what_a_person_changes_of_a_container_is_another_configuration(what: str) -> None:
    assert of_container(OTHER[what]) != of_container(container())


def pod_spec(image: str = "web:1.0.0", key: str = "a", **more: Any) -> Json:
    env = [{"name": "MODE", "valueFrom": {"secretKeyRef": {"name": "web", "key": key}}}]
    return {"containers": [{"name": "web", "image": image, "env": env}], **more}


def test_images_of_a_workload_are_no_configuration_and_all_else_is() -> None:
    assert of_pods(pod_spec("web:1.1.0")) == of_pods(pod_spec())
    assert of_pods(pod_spec(key="b")) != of_pods(pod_spec())
    assert of_pods(pod_spec(initContainers=[{"name": "i", "image": "i:1"}])) != of_pods(pod_spec())
    assert of_pods(pod_spec(serviceAccountName="web")) != of_pods(pod_spec())
