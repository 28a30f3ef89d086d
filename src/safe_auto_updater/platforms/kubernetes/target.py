"""Which object an asset is, and how one change of its images is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.core.model import Image
from safe_auto_updater.core.reference import Reference
from safe_auto_updater.core.updater import Side, Work
from safe_auto_updater.platforms.kubernetes.kinds import KINDS, Kind, containers, images

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """One workload of a cluster, by its identity."""

    cluster: str
    namespace: str
    kind: Kind
    name: str

    @classmethod
    def of(cls, asset: str) -> Self:
        """From `kubernetes:<cluster>/<namespace>/<Kind>/<name>`. PlatformError: not our kind."""
        cluster, namespace, kind, name = asset.removeprefix("kubernetes:").split("/", 3)
        if kind not in KINDS:
            raise PlatformError(f"a {kind} is only looked at")
        return cls(cluster, namespace, KINDS[kind], name)

    @property
    def path(self) -> str:
        """Where the API has it."""
        return self.kind.path(self.namespace, self.name)

    def __str__(self) -> str:
        return f"{self.kind.name} {self.namespace}/{self.name}"


def pinned(image: Image) -> str:
    """How an image is written into a workload: its tag for people, its digest for the kubelet."""
    reference = Reference.parse(image.reference)
    if image.digest is None:
        return image.reference
    return str(reference.with_tag(reference.tag_or_latest).with_digest(image.digest))


def as_it_was(image: Image) -> str:
    """An old image, pinned to what it ran; a digest that somebody wrote is never overwritten."""
    return image.reference if Reference.parse(image.reference).digest else pinned(image)


def new_images(work: Work) -> dict[str, str]:
    """What each container that changes is to run."""
    return {c.container: pinned(c.candidate) for c in work.step.changes if c.candidate}


def old_images(work: Work) -> dict[str, tuple[str, ...]]:
    """What each of them ran, as it was written; and pinned, for a tag that has moved meanwhile."""
    written: Mapping[str, str] = work.facts["old_images"]
    return {
        change.container: tuple(
            dict.fromkeys([written[change.container], as_it_was(change.current)])
        )
        for change in work.step.changes
    }


def images_of(work: Work, side: Side, workload: Json | None) -> dict[str, str]:
    """What each container is to run on one side, in the spelling that the workload has."""
    if side is Side.NEW:
        return new_images(work)
    kind = Target.of(work.step.asset).kind
    has = {} if workload is None else images(kind.pod_spec(workload))
    return {
        name: has[name] if has.get(name) in spellings else spellings[0]
        for name, spellings in old_images(work).items()
    }


def digests_of(work: Work, side: Side) -> dict[str, tuple[str, ...]]:
    """What each of them may really be, by digest: the index, or this platform's manifest.

    Of the old side nothing is known before its snapshot: where its pods run two contents of one
    tag, that is what an update mends.
    """
    found: dict[str, tuple[str, ...]] = {}
    if side is Side.OLD and "snapshot" not in work.facts:
        return found
    for change in work.step.changes:
        image = change.candidate if side is Side.NEW else change.current
        if image is not None:
            found[change.container] = tuple(d for d in (image.digest, image.content) if d)
    return found


def operations(
    kind: Kind, workload: Json, before: Mapping[str, str], after: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A JSON Patch from these images to those, of this very object, or nothing at all.

    Each container is named and its image tested, so that whoever wrote it meanwhile wins, and
    whoever scaled or annotated the object meanwhile loses nothing.
    """
    found: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/uid", "value": workload["metadata"]["uid"]}
    ]
    for place, container in containers(kind.pod_spec(workload)):
        name = container["name"]
        if name not in after:
            continue
        at = f"{kind.pointer()}/{place}"
        found += [
            {"op": "test", "path": f"{at}/name", "value": name},
            {"op": "test", "path": f"{at}/image", "value": before[name]},
            {"op": "replace", "path": f"{at}/image", "value": after[name]},
        ]
    return found
