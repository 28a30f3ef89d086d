"""Charts of our own: written as folders, from manifests as dictionaries."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.kubernetes.kit import Json

RELEASE = "{{ .Release.Name }}"
_BARE = re.compile(r'"<<(.*?)>>"')


def bare(expression: str) -> str:
    """A template's expression whose result is no text: `bare(".Values.replicas")`."""
    return f"<<{expression}>>"


@dataclass(frozen=True)
class Chart:
    """A chart. `templates` are manifests by file name, or texts to be written as they are.

    A text within a manifest may hold expressions, without double quotes: `{{ .Values.image }}`.
    """

    name: str = "web"
    version: str = "1.0.0"
    app_version: str = "1.0.0"
    templates: Mapping[str, Json | str] = field(default_factory=dict)
    values: Mapping[str, Any] | str = field(default_factory=dict)
    schema: Json | None = None
    crds: Mapping[str, Json] = field(default_factory=dict)
    subcharts: tuple[Chart, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    """More of Chart.yaml: kubeVersion, deprecated, annotations."""

    def write(self, folder: Path) -> Path:
        """Write it below a folder; where it is."""
        where = folder / self.name
        for part in ("templates", "crds", "charts"):
            (where / part).mkdir(parents=True)
        (where / "Chart.yaml").write_text(as_text(self._described()))
        values = self.values if isinstance(self.values, str) else as_text(self.values)
        (where / "values.yaml").write_text(values)
        if self.schema is not None:
            (where / "values.schema.json").write_text(json.dumps(self.schema))
        for name, manifest in self.templates.items():
            (where / "templates" / name).write_text(_template(manifest))
        for name, crd in self.crds.items():
            (where / "crds" / name).write_text(json.dumps(crd))
        for subchart in self.subcharts:
            subchart.write(where / "charts")
        return where

    def at(self, version: str, **changed: Any) -> Chart:
        """Another version of it; `changed` are other fields."""
        return replace(self, version=version, **changed)

    def _described(self) -> Json:
        needs = [{"name": one.name, "version": one.version} for one in self.subcharts]
        return {
            "apiVersion": "v2",
            "name": self.name,
            "version": self.version,
            "appVersion": self.app_version,
            **({"dependencies": needs} if needs else {}),
            **self.meta,
        }


def as_text(value: object) -> str:
    """As JSON that is YAML too, which knows no surrogates."""
    return json.dumps(value, ensure_ascii=False)


def _template(manifest: Json | str) -> str:
    if isinstance(manifest, str):
        return manifest
    return _BARE.sub(r"{{ \1 }}", json.dumps(manifest, indent=1)) + "\n"


def config_map(name: str = RELEASE, **data: str) -> Json:
    """A ConfigMap: the least that a chart can hold."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def plain(version: str = "1.0.0", *, more: Mapping[str, Json] | None = None, **chart: Any) -> Chart:
    """A chart that holds one ConfigMap and needs no image, and `more` templates."""
    shown = config_map(version=version, values="{{ toJson .Values | sha256sum }}")
    templates = {"map.yaml": shown, **(more or {})}
    return Chart(version=version, app_version=version, templates=templates, **chart)
