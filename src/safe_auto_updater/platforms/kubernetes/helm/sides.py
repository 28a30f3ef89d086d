"""Both sides of an upgrade as trees for DiffAnalyzer: what is, and what would be. Pure.

`core.release_rules` judges them: its path names are those that are made here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from safe_auto_updater.core.semver import SemVerEvaluator
from safe_auto_updater.core.stateful import is_stateful
from safe_auto_updater.core.versions import Bump
from safe_auto_updater.platforms.kubernetes.helm.hooks import UPGRADING, one_way
from safe_auto_updater.platforms.kubernetes.helm.pieces import Piece
from safe_auto_updater.platforms.kubernetes.helm.release import Chart, Hook
from safe_auto_updater.platforms.kubernetes.helm.rights import gained
from safe_auto_updater.platforms.kubernetes.helm.shape import shaped
from safe_auto_updater.platforms.kubernetes.kinds import containers, images
from safe_auto_updater.platforms.kubernetes.trees import mounts

Json = Mapping[str, Any]
SHARP = ("CustomResourceDefinition", "PersistentVolumeClaim", "Namespace", "PersistentVolume")
"""Kinds that take more with them than themselves where they are deleted."""


@dataclass(frozen=True)
class Side:
    """One version of a release: its chart, values, hooks, and each object as it is or would be."""

    chart: Chart
    config: Json
    hooks: Sequence[Hook]
    pieces: Sequence[Piece]
    objects: Mapping[str, Json] = field(default_factory=dict)  # by the key of their piece


@dataclass(frozen=True)
class Seen:
    """What the cluster said besides: refusals, kinds it does not serve, and who scales what."""

    refused: Mapping[str, str]
    unserved: Sequence[str]
    scaled: Sequence[str]  # workloads that an autoscaler and the chart both scale
    lost: Mapping[str, str] = field(default_factory=dict)  # images that run and why none is had
    unseen: Mapping[str, str] = field(default_factory=dict)  # the same, why nobody can say


def trees(old: Side, new: Side, seen: Seen) -> tuple[dict[str, Any], dict[str, Any]]:
    """Before and after."""
    after_only = {
        "refused": dict(seen.refused),
        "unserved": dict.fromkeys(seen.unserved, True),
        "lost_images": dict(seen.lost),
        "unseen_images": dict(seen.unseen),
        "scaled": dict.fromkeys(seen.scaled, True),
        "rights": dict.fromkeys(gained(old.pieces, new.pieces), True),
        "one_way_hooks": {hook.name: _moments(hook) for hook in new.hooks if one_way(hook)},
        "hooks": {hook.name: _moments(hook) for hook in new.hooks if _upgrading(hook)},
        "lost_values": _lost(old, new),
        "image_jumps": dict(_jumps(old, new)),
        "over_data": dict(_over_data(old, new)),
        "deprecated": {new.chart.name: True} if new.chart.deprecated else {},
    }
    before, after = _of(old), _of(new)
    for one, other in ((before, after), (after, before)):  # what comes or goes is told as one
        for label in one["changes"].keys() - other["changes"].keys():
            del one["changes"][label]
    for piece in old.pieces:
        if piece.kept and piece.kind in SHARP and piece.name not in after[piece.kind]:
            del before[piece.kind][piece.name]  # Helm leaves it
    for piece, paths in _left_out(old, new):
        for path in paths:
            after["changes"].get(piece.label, {}).pop(path, None)
    return before | {name: {} for name in after_only}, after | after_only


def _of(side: Side) -> dict[str, Any]:
    made = {piece.label: piece for piece in side.pieces}
    return {
        "objects": {label: {} for label, piece in made.items() if piece.kind not in SHARP},
        **{kind: {p.name: {} for p in made.values() if p.kind == kind} for kind in SHARP},
        "changes": {
            piece.label: flat(shaped(side.objects[piece.key]))
            for piece in side.pieces
            if piece.key in side.objects
        },
        "images": {
            f"{p.label}, {name}": image for p in side.pieces for name, image in images_of(p).items()
        },
        "defaults": flat(_unset(side.chart.defaults, side.config)),
        "app": side.chart.app_version,
    }  # fmt: skip


def _left_out(old: Side, new: Side) -> Iterator[tuple[Piece, set[str]]]:
    """What the new manifest does not say any more, and Helm takes from the live object.

    The server's own trial does not show it: fields that others wrote stay there.
    """
    before = {piece.key: piece for piece in old.pieces}
    for piece in new.pieces:
        if piece.key in before:
            yield piece, set(_said(before[piece.key])) - set(_said(piece))


def _said(piece: Piece) -> dict[str, Any]:
    return flat(shaped(piece.body))


def flat(tree: Any, above: str = "") -> dict[str, Any]:
    """Each leaf by its path, parts joined by dots."""
    if not isinstance(tree, dict) or (above and not tree):
        return {above: tree}
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= flat(value, f"{above}.{key}" if above else str(key))
    return found


def images_of(piece: Piece) -> dict[str, str]:
    """What the containers of a workload run, by their names."""
    return {} if piece.pod_spec is None else images(piece.pod_spec)


def run_by(all_of_it: Sequence[Piece]) -> list[str]:
    """Every image that the workloads of a manifest run."""
    found = (image for piece in all_of_it for image in images_of(piece).values() if image)
    return list(dict.fromkeys(found))


def scaled_twice(
    new: Sequence[Piece],
    live: Mapping[str, Json],
    scaled: Collection[tuple[str, str, str]],
    unseen: Collection[str],
) -> list[str]:
    """Workloads whose number of pods the chart sets and an autoscaler too.

    `scaled` are the targets of autoscalers, by namespace, kind and name. In the namespaces `unseen`
    they cannot be looked at: there another number than the chart's shows that somebody scales.
    """
    found = []
    for piece in new:
        replicas = (piece.body.get("spec") or {}).get("replicas")
        if replicas is None:
            continue
        now = (live.get(piece.key, {}).get("spec") or {}).get("replicas")
        if (piece.namespace, piece.kind, piece.name) in scaled:
            found.append(piece.label)
        elif piece.namespace in unseen and now not in (None, replicas):
            told = f"{now} pods, the chart says {replicas}, and autoscalers may not be listed"
            found.append(f"{piece.label} ({told})")
    return found


def _jumps(old: Side, new: Side) -> Iterator[tuple[str, str]]:
    """Images that go further than a minor version, or whose data moves one way at this step."""
    for piece, name, was, image, bump in _steps(old, new):
        known = is_stateful(image)
        if known is not None and known.moves_one_way(bump):
            yield f"{piece.label}, {name}", f"{known.name}: {was} -> {image}"
        elif bump is Bump.MAJOR:
            yield f"{piece.label}, {name} (major)", f"{was} -> {image}"


def _over_data(old: Side, new: Side) -> Iterator[tuple[str, str]]:
    """Images that go further than a patch and keep data in a volume."""
    for piece, name, was, image, bump in _steps(old, new):
        if bump not in (Bump.PATCH, Bump.DIGEST) and _keeps_data(piece, name):
            yield f"{piece.label}, {name}", f"{was} -> {image} ({bump})"


def _keeps_data(piece: Piece, name: str) -> bool:
    pod_spec = piece.pod_spec or {}
    found = (container for _, container in containers(pod_spec) if container["name"] == name)
    return any(m["data"] for one in found for m in mounts(pod_spec, piece.body, one))


def _steps(old: Side, new: Side) -> Iterator[tuple[Piece, str, str, str, Bump]]:
    """Each container whose image gets another tag: what it was, what it gets, and how far."""
    before = {(p.label, name): image for p in old.pieces for name, image in images_of(p).items()}
    evaluator = SemVerEvaluator()
    for piece in new.pieces:
        for name, image in images_of(piece).items():
            was = before.get((piece.label, name))
            if was is None or was == image or _repository(was) != _repository(image):
                continue
            yield piece, name, was, image, evaluator.between(_tag(was), _tag(image))


def _repository(image: str) -> str:
    return image.partition("@")[0].rpartition(":")[0]


def _tag(image: str) -> str:
    return image.partition("@")[0].rpartition(":")[2]


def _moments(hook: Hook) -> list[str]:
    return sorted(hook.events)


def _upgrading(hook: Hook) -> bool:
    return hook.kind in ("Job", "Pod") and bool(set(hook.events) & set(UPGRADING))


def _unset(defaults: Any, config: Any) -> Any:
    """The chart's defaults as far as the user has not set something there."""
    if not isinstance(defaults, dict) or not isinstance(config, dict):
        return defaults
    return {
        key: _unset(value, config.get(key))
        for key, value in defaults.items()
        if key not in config or isinstance(config[key], dict)
    }


def _lost(old: Side, new: Side) -> dict[str, bool]:
    """What the user set and the chart had a default for, and has none any more."""
    return {
        "/".join(path): True
        for path in _leaves(old.config)
        if _has(old.chart.defaults, path) and not _has(new.chart.defaults, path)
    }


def _leaves(values: Json, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key)


def _has(values: Any, path: Sequence[str]) -> bool:
    """Whether defaults lead to a path; below an empty object or list anything may stand."""
    for part in path:
        if isinstance(values, dict) and not values:
            return True
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True
