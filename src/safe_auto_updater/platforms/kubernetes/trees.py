"""KubernetesComparer: what an image means for one container of a workload, before and after.

Of what the user set only names leave this module, never values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from safe_auto_updater.core.errors import NotFound, RegistryError
from safe_auto_updater.core.image_tree import clean_path, from_config
from safe_auto_updater.core.model import Asset, Change, Image
from safe_auto_updater.core.ports import Trees
from safe_auto_updater.platforms.kubernetes.kinds import containers, images
from safe_auto_updater.platforms.kubernetes.target import Target
from safe_auto_updater.platforms.kubernetes.workloads import Workloads

Json = Mapping[str, Any]
_KEEPS = ("persistentVolumeClaim", "hostPath", "nfs", "csi", "iscsi", "cephfs", "glusterfs", "rbd")


class KubernetesComparer:
    """`config_of` gives the configuration of an image as the registry tells it."""

    def __init__(self, workloads: Workloads, config_of: Callable[[Image], Json]) -> None:
        self._workloads = workloads
        self._config_of = config_of

    def trees(self, asset: Asset, change: Change) -> Trees:
        """Both sides of one change. Raises RegistryError or PlatformError: *unknown*."""
        if change.candidate is None:
            raise ValueError(f"{asset.id}: nothing to compare with")
        target = Target.of(asset.id)
        workload = self._workloads.find(target)
        if workload is None:
            raise NotFound(f"{target} is gone")
        if change.container not in images(target.kind.pod_spec(workload)):
            raise NotFound(f"container {change.container} of {target} is gone")
        old = self._of_what_runs(change.current)
        new = from_config(self._config_of(change.candidate))
        shared = sum(
            1
            for _ in takewhile(
                lambda pair: pair[0] == pair[1], zip(old["layers"], new["layers"], strict=False)
            )
        )
        kept = target.kind.pod_spec(workload), workload
        return Trees(
            _tree(*kept, change.container, old, len(old["layers"])),
            _tree(*kept, change.container, new, shared),
        )

    def _of_what_runs(self, image: Image) -> dict[str, Any]:
        try:
            return from_config(self._config_of(image))
        except RegistryError as error:
            raise RegistryError(f"{error} There may be no way back to it.", error.reason) from error


def _tree(
    pod_spec: Json, workload: Json, name: str, image: Mapping[str, Any], shared: int
) -> dict[str, Any]:
    container = next(c for _, c in containers(pod_spec) if c["name"] == name)
    mounted = list(mounts(pod_spec, workload, container))
    return {
        "image": {**image, "layers": {"count": len(image["layers"]), "shared": shared}},
        "container": {
            "inherited": _inherited(pod_spec, container, image),
            "set": {
                "env": sorted(one["name"] for one in container.get("env") or ()),
                "entrypoint": bool(container.get("command")),
                "cmd": bool(container.get("args")),
            },
            "ports": {"published": [], "unpublished": list(image["ports"])},
            "mounts": mounted,
            "mounted": sorted(mount["path"] for mount in mounted),
            "data": sorted(mount["path"] for mount in mounted if mount["data"]),
        },
    }


def _inherited(pod_spec: Json, container: Json, image: Mapping[str, Any]) -> dict[str, Any]:
    """The image's settings as far as they reach the container. Its HEALTHCHECK never does."""
    security = {
        **(pod_spec.get("securityContext") or {}),
        **(container.get("securityContext") or {}),
    }
    given = {one["name"] for one in container.get("env") or ()}
    found = {
        "entrypoint": None if container.get("command") else image["entrypoint"],
        "cmd": None if container.get("command") or container.get("args") else image["cmd"],
        "user": None if "runAsUser" in security else image["user"],
        "workdir": None if container.get("workingDir") else image["workdir"],
        "stop_signal": image["stop_signal"],
        "env": {name: value for name, value in image["env"].items() if name not in given},
    }
    return {key: value for key, value in found.items() if value is not None}


def mounts(pod_spec: Json, workload: Json, container: Json) -> Iterator[dict[str, Any]]:
    """What a container has mounted, and whether it keeps data there."""
    volumes = {volume["name"]: volume for volume in pod_spec.get("volumes") or ()}
    claimed = {
        claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates") or ()
    }
    for mount in container.get("volumeMounts") or ():
        volume = volumes.get(mount["name"], {})
        keeps = mount["name"] in claimed or any(source in volume for source in _KEEPS)
        writable = not mount.get("readOnly", False)
        yield {
            "path": clean_path(mount["mountPath"]),
            "writable": writable,
            "data": keeps and writable,
        }
