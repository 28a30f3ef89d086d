"""Containers that another program owns: who, how one recognises it, and what to do instead. Data.

An owner that keeps its containers as it wants them, or that remembers their versions, would undo
our update or be confused by it: those are never touched. One that only made a container when it was
asked to leaves it alone afterwards (`yields`): there an operator may say that we update it.

Labels that the image brought prove nothing, unless the mark says so: anybody can run such an image.
Sources: the owners' public documentation and sources.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.model import Obstacle
from safe_auto_updater.platforms.docker.compose.labels import CONFIG_FILES, PROJECT
from safe_auto_updater.platforms.docker.swarm.view import SERVICE_NAME

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Mark:
    """What a container shows; everything that is said here must be so. Patterns match the whole."""

    label: str | None = None
    value: str = ".*"
    name: str = ".*"
    image: str = ".*"
    network: str = ".*"  # the network mode
    of_image: bool = False  # a label counts also where the image brought it


@dataclass(frozen=True)
class Owner:
    """A program that makes containers and regards them as its own."""

    name: str
    word: str  # in `managed_by`
    marks: tuple[Mark, ...]
    instead: str
    yields: bool = False  # an operator may say that we update such a container all the same


_ITS_PAGE = "update it there"
OWNERS = (
    Owner(
        "Home Assistant Supervisor",
        "home-assistant-supervisor",
        (
            Mark(label="supervisor_managed"),
            Mark(label="io.hass.type", of_image=True, name="(addon|hassio)_.+"),
        ),
        "update it in Home Assistant, under Settings",
    ),
    Owner(
        "Nextcloud All-in-One",
        "nextcloud-aio",
        (Mark(name="nextcloud-aio-(?!mastercontainer$).+"),),
        "update it in the All-in-One interface",
    ),
    Owner(
        "Nextcloud All-in-One",
        "nextcloud-aio",
        (Mark(name="nextcloud-aio-mastercontainer"),),
        "it updates itself: use the All-in-One interface",
        yields=True,
    ),
    Owner(
        "Kubernetes",
        "kubernetes",
        (Mark(label="io.kubernetes.pod.name"), Mark(label="io.kubernetes.container.name")),
        "change its workload",
    ),
    Owner("Nomad", "nomad", (Mark(label="com.hashicorp.nomad.alloc_id"),), "change its job"),
    Owner(
        "Amazon ECS",
        "ecs",
        (Mark(label="com.amazonaws.ecs.task-arn"),),
        "change its task definition",
    ),
    Owner(
        "Rancher",
        "rancher",
        (Mark(label="io.rancher.container.uuid"), Mark(label="io.rancher.rke.container.name")),
        "update it in Rancher",
    ),
    Owner(
        "Azure IoT Edge",
        "iot-edge",
        (Mark(label="net.azure-devices.edge.owner"),),
        "change its deployment",
    ),
    Owner(
        "balena",
        "balena",
        (Mark(label="io.balena.supervised"), Mark(label="io.resin.supervised")),
        "push a release to the fleet",
    ),
    Owner(
        "a Kubernetes cluster in containers",
        "kubernetes-node",
        (
            Mark(label="io.x-k8s.kind.cluster"),
            Mark(label="name.minikube.sigs.k8s.io"),
            Mark(label="k3d.cluster"),
        ),
        "create the cluster anew",
    ),
    Owner(
        "systemd, through Podman",
        "systemd",
        (Mark(label="PODMAN_SYSTEMD_UNIT"),),
        "change its unit, or use `podman auto-update`",
    ),
    Owner("Cloudron", "cloudron", (Mark(label="isCloudronManaged"),), "update it in Cloudron"),
    Owner(
        "Dokku",
        "dokku",
        (Mark(label="com.dokku.app-name"), Mark(label="com.dokku.container-type")),
        "deploy the app again",
    ),
    Owner(
        "CapRover",
        "caprover",
        (Mark(label=SERVICE_NAME, value="srv-captain--.+|captain-(captain|nginx|certbot)"),),
        "deploy the app again",
    ),
    Owner(
        "Pterodactyl's or Pelican's Wings",
        "wings",
        (Mark(label="Service", value="Pterodactyl|Pelican"),),
        "choose the image in the panel",
    ),
    Owner(
        "a GitLab runner",
        "gitlab-runner",
        (Mark(label="com.gitlab.gitlab-runner.managed"),),
        "it ends with its job",
    ),
    Owner(
        "a runner of workflows",
        "actions-runner",
        (Mark(network="github_network_[0-9a-f]{32}"), Mark(name="(GITEA|FORGEJO)-ACTIONS-TASK-.+")),
        "it ends with its job",
    ),
    Owner(
        "Testcontainers",
        "testcontainers",
        (Mark(label="org.testcontainers"),),
        "it ends with its tests",
    ),
    Owner(
        "a development container",
        "devcontainer",
        (Mark(label="devcontainer.local_folder"),),
        "rebuild it in your editor",
    ),
    Owner(
        "Docker Buildx",
        "buildx",
        (Mark(name="buildx_buildkit_.+", image="(.+/)?buildkit([:@].+)?"),),
        "create the builder anew",
    ),
    Owner(
        "Unraid",
        "unraid",
        (Mark(label="net.unraid.docker.managed", value="dockerman"),),
        "update it on Unraid's Docker page, else its template no longer fits",
        yields=True,
    ),
    Owner("TrueNAS", "truenas", (Mark(label=PROJECT, value="ix-.+"),), _ITS_PAGE, yields=True),
    Owner(
        "CasaOS or ZimaOS",
        "casaos",
        (
            Mark(label="casaos", value="casaos"),
            Mark(label="io.casaos.v1.app.store.id"),
            Mark(label=CONFIG_FILES, value="/var/lib/casaos/apps/.+"),
        ),
        _ITS_PAGE,
        yields=True,
    ),
    Owner(
        "umbrelOS",
        "umbrel",
        (Mark(label=CONFIG_FILES, value=".*/umbrel/app-data/.+"),),
        _ITS_PAGE,
        yields=True,
    ),
    Owner("Runtipi", "runtipi", (Mark(label="runtipi.managed"),), _ITS_PAGE, yields=True),
    Owner("Coolify", "coolify", (Mark(label="coolify.managed"),), _ITS_PAGE, yields=True),
    Owner("1Panel", "1panel", (Mark(label="createdBy", value="Apps"),), _ITS_PAGE, yields=True),
)


def owner_of(container: Json, image: Json) -> Owner | None:
    """Whoever owns this container, by its marks. Pure, over raw inspect JSON."""
    labels = container["Config"].get("Labels") or {}
    brought = (image.get("Config") or {}).get("Labels") or {}
    return next(
        (
            owner
            for owner in OWNERS
            for mark in owner.marks
            if _shows(mark, container, labels, brought)
        ),
        None,
    )


def ownership(container: Json, image: Json) -> tuple[Obstacle, ...]:
    """Why another program's container is left alone, with what to do instead."""
    owner = owner_of(container, image)
    if owner is None:
        return ()
    said = f"it belongs to {owner.name}: {owner.instead}"
    if owner.yields:
        said += "; or set safe-auto-updater.enable=true on it, or in a rule for it alone"
    return (Obstacle("foreign", said, yields_to_enable=owner.yields),)


def ownership_of_service(name: str) -> tuple[Obstacle, ...]:
    """The same for a Swarm service, by its name."""
    return ownership(
        {"Name": name, "Config": {"Labels": {SERVICE_NAME: name}}, "HostConfig": {}}, {}
    )


def _shows(
    mark: Mark, container: Json, labels: Mapping[str, str], brought: Mapping[str, str]
) -> bool:
    if mark.label is not None:
        value = labels.get(mark.label)
        if value is None or not re.fullmatch(mark.value, value, re.S):
            return False
        if not mark.of_image and brought.get(mark.label) == value:
            return False
    return bool(
        re.fullmatch(mark.name, container["Name"].lstrip("/"))
        and re.fullmatch(mark.image, container["Config"].get("Image") or "")
        and re.fullmatch(mark.network, container["HostConfig"].get("NetworkMode") or "")
    )
