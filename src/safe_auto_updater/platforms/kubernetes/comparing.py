"""Whether a workload is what it is expected to be: everything but who scales it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safe_auto_updater.core.codec import hash_of
from safe_auto_updater.core.diff import compare
from safe_auto_updater.platforms.kubernetes.kinds import Kind, images

Json = Mapping[str, Any]


def differences(kind: Kind, before: Json, after: Json, expected: Mapping[str, str]) -> list[str]:
    """Where a workload's spec is not as before, but for these images of its containers."""
    template = (*kind.template[1:], "spec")
    found = [
        "/".join(one.path)
        for one in compare(_compared(before), _compared(after))
        if not (one.path[: len(template)] == template and one.path[-1] == "image")
    ]
    wanted = images(kind.pod_spec(before)) | dict(expected)
    has = images(kind.pod_spec(after))
    return found + [
        f"container {name} has image {image}"
        for name, image in has.items()
        if name in wanted and wanted[name] != image
    ]


def configuration(pod_spec: Json) -> str:
    """How a person set pods up, as a hash: all but which images they run."""
    parts = {
        part: [{k: v for k, v in container.items() if k != "image"} for container in pod_spec[part]]
        for part in ("initContainers", "containers")
        if pod_spec.get(part)
    }
    return hash_of({**pod_spec, **parts})


def _compared(workload: Json) -> dict[str, Any]:
    return {key: value for key, value in workload["spec"].items() if key != "replicas"}
