"""Containers that another program owns: recognised by its marks, and by nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safe_auto_updater.core.case import Case
from safe_auto_updater.core.guards import objections
from safe_auto_updater.core.memory import Memory
from safe_auto_updater.core.model import Asset, Change, Health, Image, ImageUse, Status
from safe_auto_updater.core.policy import Rule, Settings, resolve
from safe_auto_updater.platforms.docker.foreign import OWNERS, Mark, owner_of, ownership
from safe_auto_updater.platforms.docker.obstacles import manager_of

PROJECT = "com.docker.compose.project"
FILES = "com.docker.compose.project.config_files"


def container(
    name: str = "web", image: str = "nginx:1", mode: str = "bridge", **labels: str
) -> dict[str, Any]:
    return {
        "Id": "a" * 64,
        "Name": f"/{name}",
        "Config": {"Labels": labels or None, "Image": image},
        "HostConfig": {"NetworkMode": mode},
    }


def image(**labels: str) -> dict[str, Any]:
    return {"Config": {"Labels": labels or None}}


NEVER, ASKED = False, True  # whether an operator may say that we update it
OWNED: list[tuple[str, bool, dict[str, Any]]] = [
    ("home-assistant-supervisor", NEVER, {"name": "homeassistant", "supervisor_managed": ""}),
    ("home-assistant-supervisor", NEVER, {"name": "addon_core_mosquitto", "io.hass.type": "addon"}),
    ("home-assistant-supervisor", NEVER, {"name": "hassio_supervisor", "io.hass.type": "x"}),
    ("nextcloud-aio", NEVER, {"name": "nextcloud-aio-database"}),
    ("nextcloud-aio", ASKED, {"name": "nextcloud-aio-mastercontainer"}),
    ("kubernetes", NEVER, {"io.kubernetes.pod.name": "web-1"}),
    ("kubernetes", NEVER, {"io.kubernetes.container.name": "POD"}),
    ("nomad", NEVER, {"com.hashicorp.nomad.alloc_id": "4243abe5"}),
    ("ecs", NEVER, {"com.amazonaws.ecs.task-arn": "arn:aws:ecs:x"}),
    ("rancher", NEVER, {"io.rancher.container.uuid": "1"}),
    ("rancher", NEVER, {"io.rancher.rke.container.name": "etcd"}),
    ("iot-edge", NEVER, {"net.azure-devices.edge.owner": "Microsoft.Azure.Devices.Edge.Agent"}),
    ("balena", NEVER, {"io.balena.supervised": "true"}),
    ("kubernetes-node", NEVER, {"io.x-k8s.kind.cluster": "kind"}),
    ("kubernetes-node", NEVER, {"k3d.cluster": "dev"}),
    ("systemd", NEVER, {"PODMAN_SYSTEMD_UNIT": "web.service"}),
    ("cloudron", NEVER, {"isCloudronManaged": "true"}),
    ("dokku", NEVER, {"com.dokku.app-name": "shop"}),
    ("caprover", NEVER, {"com.docker.swarm.service.name": "srv-captain--shop"}),
    ("wings", NEVER, {"Service": "Pterodactyl"}),
    ("gitlab-runner", NEVER, {"com.gitlab.gitlab-runner.managed": "true"}),
    ("actions-runner", NEVER, {"mode": "github_network_" + "0a" * 16}),
    ("actions-runner", NEVER, {"name": "FORGEJO-ACTIONS-TASK-12_WORKFLOW-ci_JOB-test"}),
    ("testcontainers", NEVER, {"org.testcontainers": "true"}),
    ("devcontainer", NEVER, {"devcontainer.local_folder": "/home/me/shop"}),
    ("buildx", NEVER, {"name": "buildx_buildkit_mine0", "image": "moby/buildkit:buildx-stable-1"}),
    ("unraid", ASKED, {"net.unraid.docker.managed": "dockerman"}),
    ("truenas", ASKED, {PROJECT: "ix-immich"}),
    ("casaos", ASKED, {"casaos": "casaos"}),
    ("casaos", ASKED, {FILES: "/var/lib/casaos/apps/immich/docker-compose.yml"}),
    ("umbrel", ASKED, {FILES: "/home/umbrel/umbrel/app-data/immich/docker-compose.yml"}),
    ("runtipi", ASKED, {"runtipi.managed": "true"}),
    ("coolify", ASKED, {"coolify.managed": "true"}),
    ("1panel", ASKED, {"createdBy": "Apps"}),
]


@pytest.mark.parametrize(("word", "yields", "shown"), OWNED)
def test_owner_is_recognised_and_told(word: str, yields: bool, shown: dict[str, Any]) -> None:
    one = container(**shown)
    assert manager_of(one, image()) == word
    (obstacle,) = ownership(one, image())
    assert obstacle.yields_to_enable is yields
    assert ("enable=true" in obstacle.reason) is yields


def test_every_owner_has_a_row() -> None:
    assert {owner.word for owner in OWNERS} == {word for word, _, _ in OWNED}


@pytest.mark.parametrize(
    ("one", "brought"),
    [
        (container(), {}),
        # Home Assistant by itself, without a Supervisor: its labels came with the image.
        (container("homeassistant", **{"io.hass.type": "core"}), {"io.hass.type": "core"}),
        (container("coolify", **{"coolify.managed": "true"}), {"coolify.managed": "true"}),
        (container("nextcloud-aio"), {}),
        (container("my-nextcloud-aio-database"), {}),
        (container(**{"net.unraid.docker.managed": "composeman"}), {}),
        (container(**{PROJECT: "ixia"}), {}),
        (container(**{FILES: "/opt/stacks/web/compose.yml", PROJECT: "web"}), {}),
        (container("buildx_buildkit_mine0", "nginx:1"), {}),
        (container("buildkit", "moby/buildkit:latest"), {}),
        (container(**{"Service": "web", "createdBy": "me"}), {}),
        (container(**{"com.docker.swarm.service.name": "captains-log"}), {}),
        (container(mode="github_network"), {}),
    ],
)
def test_what_only_resembles_is_nobodys(one: dict[str, Any], brought: dict[str, str]) -> None:
    assert owner_of(one, image(**brought)) is None
    assert ownership(one, image(**brought)) == ()


def test_only_what_compose_made_is_its_and_not_what_runs_an_image_that_it_built() -> None:
    built = {PROJECT: "shop", "com.docker.compose.service": "web"}
    assert manager_of(container(**built), image(**built)) is None
    made = {**built, "com.docker.compose.config-hash": "abc"}
    assert manager_of(container(**made), image(**built)) == "compose:shop"


def test_label_that_differs_from_the_images_is_the_containers() -> None:
    one = container(**{"coolify.managed": "true"})
    found = owner_of(one, image(**{"coolify.managed": "false"}))
    assert found is not None and found.word == "coolify"


ID = "docker:local/web"


@pytest.mark.parametrize(
    ("labels", "rule", "stands"),
    [
        ({}, None, True),
        ({"safe-auto-updater.enable": "true"}, None, False),
        ({"safe-auto-updater.enable": "false"}, None, True),
        ({}, Rule("*/web", enable=True), False),
        ({}, Rule("docker:local/web", enable=True), False),
        ({}, Rule("*", enable=True), True),
        ({}, Rule("*/w*", enable=True), True),
        ({}, Rule("docker:local/*", enable=True), True),
        ({}, Rule("*/web"), True),
    ],
)
@pytest.mark.parametrize("shown", [{"casaos": "casaos"}, {"supervisor_managed": ""}])
def test_operator_who_names_the_container_is_obeyed_where_its_owner_yields(
    shown: dict[str, str], labels: dict[str, str], rule: Rule | None, stands: bool
) -> None:
    old, new = Image("nginx:1", "1", image_id="x"), Image("nginx:2", "2", image_id="y")
    asset = Asset(
        ID,
        "docker",
        "container",
        "web",
        (ImageUse("web", old),),
        Status.RUNNING,
        Health.HEALTHY,
        obstacles=ownership(container(**shown), image()),
    )
    policy = resolve(Settings(rules=(rule,) if rule else ()), ID, labels)
    case = Case(asset, (Change(ID, "web", old, new, "major"),), policy, Memory(now=0.0))
    found = [no.rule for no in objections(case, "step") if no.rule == "obstacle"]
    assert found == ["obstacle"] * (stands or "supervisor_managed" in shown)


DOCS = (Path(__file__).parents[2] / "docs/foreign.md").read_text()


def told(mark: Mark) -> str:
    """A mark as the document says it."""
    said = []
    if mark.label is not None:
        like = "" if mark.value == ".*" else f" like `{mark.value}`"
        said.append(f"label `{mark.label}`{like}{' (the image’s too)' * mark.of_image}")
    for word, pattern in (
        ("name", mark.name),
        ("image", mark.image),
        ("network mode", mark.network),
    ):
        said += [f"{word} like `{pattern}`"] * (pattern != ".*")
    return " and ".join(said).replace("|", r"\|").replace("’", "'")


def test_document_tells_every_owner() -> None:
    rows = [
        f"| {one.name} | `{one.word}` | {'; '.join(map(told, one.marks))} | {one.instead} | "
        f"{'yes' if one.yields else 'no'} |"
        for one in OWNERS
    ]
    table = DOCS.partition("|---|---|---|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == rows
