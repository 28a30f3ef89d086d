"""One revision of a Helm release, read out of the Secret or ConfigMap that keeps it. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from safe_auto_updater.core.codec import hash_of
from safe_auto_updater.core.errors import PlatformError
from safe_auto_updater.platforms.kubernetes.annotations import spelled
from safe_auto_updater.platforms.kubernetes.helm.payload import Unreadable, members, unpacked
from safe_auto_updater.platforms.kubernetes.owners import controller

Json = Mapping[str, Any]
UPDATE = "safe-auto-updater.update"
"""The label of a revision that says which update of ours made it."""
_KEY = re.compile(r"sh\.helm\.release\.v1\.(.+)\.v([1-9][0-9]{0,8})")
_OWN_LABELS = ("owner", "name", "status", "version", "createdAt", "modifiedAt")


@dataclass(frozen=True)
class Storage:
    """The object that keeps one revision. `kind` is Secret or ConfigMap."""

    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: str


@dataclass(frozen=True)
class Chart:
    """The chart of a revision. `defaults` are its own values.yaml."""

    name: str
    version: str
    app_version: str | None = None
    kube_version: str | None = None  # the constraint that it puts on its cluster
    deprecated: bool = False
    dependencies: tuple[Json, ...] = ()
    defaults: Json = field(default_factory=dict)
    annotations: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Hook:
    """One object that Helm makes at a certain moment instead of with the others."""

    name: str
    kind: str
    path: str
    manifest: str
    events: tuple[str, ...]
    weight: int
    delete_policies: tuple[str, ...]
    last_run: Json


@dataclass(frozen=True)
class Info:
    """What Helm notes of a revision."""

    first_deployed: datetime | None
    last_deployed: datetime | None
    description: str


@dataclass(frozen=True)
class Release:
    """One revision of a release.

    `namespace` is where its objects are; Helm keeps its record there too, others elsewhere.
    `config` are the values as the user gave them, `config_text` the same to the byte, as JSON:
    numbers keep their spelling. `labels` are those that the user gave, without Helm's own.
    """

    name: str
    namespace: str
    revision: int
    status: str
    chart: Chart
    config: Json
    config_text: str
    manifest: str
    hooks: tuple[Hook, ...]
    labels: Mapping[str, str]
    info: Info
    storage: Storage
    made_by: str | None = None  # kind and name of the object that owns its record
    apply_method: str | None = None  # `ssa` or `csa`; only Helm 4 notes it

    @property
    def configuration(self) -> str:
        """The values as the user gave them, as a hash."""
        return hash_of(self.config_text)


def storage_of(stored: Json) -> Storage:
    """Which object it is."""
    meta = stored["metadata"]
    return Storage(
        kind=str(stored.get("kind") or "Secret"),
        namespace=str(meta["namespace"]),
        name=str(meta["name"]),
        uid=str(meta["uid"]),
        resource_version=str(meta["resourceVersion"]),
    )


def key_of(storage: Storage) -> tuple[str, int] | None:
    """Release and revision that an object is named after; None where it is none of Helm's."""
    found = _KEY.fullmatch(storage.name)
    return (found[1], int(found[2])) if found else None


def policy_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Our keys among the labels of a release, but for the one that we give ourselves."""
    return {key: value for key, value in spelled(labels).items() if key != UPDATE}


def user_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Those that a user gave with `--labels`."""
    return {key: str(value) for key, value in labels.items() if key not in _OWN_LABELS}


def release_of(stored: Json) -> Release:
    """Read a whole Secret or ConfigMap. PlatformError names it and what is wrong with it."""
    storage = storage_of(stored)
    try:
        payload = (stored.get("data") or {}).get("release")
        if not isinstance(payload, str):
            raise Unreadable("it has no `release`")
        if storage.kind == "Secret":  # the API packs the bytes of Secrets once more
            payload = base64.b64decode(payload, validate=True).decode()
        return _release(members(unpacked(payload)), storage, stored["metadata"])
    except ValueError as error:
        where = f"{storage.kind} {storage.namespace}/{storage.name}"
        remedy = "`helm history` lists the others; what is damaged can only be deleted"
        raise PlatformError(f"{where} holds no Helm release: {error}; {remedy}") from error


def rendered_release(told: Json, like: Release) -> Release:
    """What a dry run of helm says it would make of a release. PlatformError where it is none."""
    try:
        return replace(
            like,
            chart=_chart(_mapping(told, "chart")),
            manifest=_text(told, "manifest", optional=True),
            hooks=tuple(_hook(one) for one in _list(told, "hooks")),
        )
    except ValueError as error:
        raise PlatformError(f"helm's dry run of {like.name} is no release: {error}") from error


def _release(found: Mapping[str, tuple[Any, str]], storage: Storage, meta: Json) -> Release:
    told = {name: value for name, (value, _) in found.items()}
    info, chart = _mapping(told, "info"), _mapping(told, "chart")
    config, config_text = found.get("config", (None, "{}"))
    release = Release(
        name=_text(told, "name"),
        namespace=_text(told, "namespace"),
        revision=_number(told, "version"),
        status=_text(info, "status"),
        chart=_chart(chart),
        config=_mapping(told, "config", optional=True),
        config_text=config_text if config is not None else "{}",
        manifest=_text(told, "manifest", optional=True),
        hooks=tuple(_hook(one) for one in _list(told, "hooks")),
        labels=user_labels(meta.get("labels") or {}),
        info=Info(
            _time(info, "first_deployed"),
            _time(info, "last_deployed"),
            _text(info, "description", optional=True),
        ),
        storage=storage,
        made_by=controller(meta),
        apply_method=_text(told, "apply_method", optional=True) or None,
    )
    if (release.name, release.revision) != key_of(storage):
        raise Unreadable(f"it says that it is revision {release.revision} of {release.name}")
    return release


def _chart(told: Json) -> Chart:
    meta = _mapping(told, "metadata")
    return Chart(
        name=_text(meta, "name"),
        version=_text(meta, "version"),
        app_version=_text(meta, "appVersion", optional=True) or None,
        kube_version=_text(meta, "kubeVersion", optional=True) or None,
        deprecated=meta.get("deprecated") is True,
        dependencies=tuple(one for one in _list(meta, "dependencies") if isinstance(one, dict)),
        defaults=_mapping(told, "values", optional=True),
        annotations=_mapping(meta, "annotations", optional=True),
    )


def _hook(told: Any) -> Hook:
    return Hook(
        name=_text(told, "name"),
        kind=_text(told, "kind"),
        path=_text(told, "path", optional=True),
        manifest=_text(told, "manifest", optional=True),
        events=tuple(map(str, _list(told, "events"))),
        weight=_number(told, "weight", default=0),
        delete_policies=tuple(map(str, _list(told, "delete_policies"))),
        last_run=_mapping(told, "last_run", optional=True),
    )


def _member(told: Any, name: str, kind: type, optional: bool, empty: Any) -> Any:
    if not isinstance(told, dict):
        raise Unreadable(f"{type(told).__name__} where an object with `{name}` belongs")
    value = told.get(name)
    if value is None and optional:
        return empty
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Unreadable(f"its `{name}` is missing or of another type")
    return value


def _text(told: Any, name: str, *, optional: bool = False) -> str:
    return str(_member(told, name, str, optional, ""))


def _number(told: Any, name: str, *, default: int | None = None) -> int:
    return int(_member(told, name, int, default is not None, default))


def _mapping(told: Any, name: str, *, optional: bool = False) -> Json:
    found: Json = _member(told, name, dict, optional, {})
    return found


def _list(told: Any, name: str) -> Sequence[Any]:
    found: Sequence[Any] = _member(told, name, list, True, ())
    return found


def _time(told: Any, name: str) -> datetime | None:
    """None where Helm notes none, for which it has several spellings."""
    text = _text(told, name, optional=True)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year > 1 and found.tzinfo else None
