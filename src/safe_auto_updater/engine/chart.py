"""What a chart says of itself: Chart.yaml, and the requirements.yaml of older ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safe_auto_updater.core.chart_archive import ChartFiles, NotAChart, read_archive
from safe_auto_updater.engine.texts import NoTexts, read_texts

_LARGEST = 1 << 20
_TRUE = frozenset({"true", "yes", "on", "y"})


@dataclass(frozen=True)
class Dependency:
    """A chart that another one needs, as it says so. `version` is a constraint."""

    name: str
    version: str = ""
    repository: str = ""
    alias: str = ""
    condition: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart and its files. What it does not say is empty."""

    name: str
    version: str
    app_version: str
    kube_version: str
    deprecated: bool
    kind: str  # `application` or `library`
    dependencies: tuple[Dependency, ...]
    files: ChartFiles


def read_chart(archive: bytes) -> Chart:
    """The chart in an archive. Raises NotAChart."""
    return chart_of(read_archive(archive))


def chart_of(files: ChartFiles) -> Chart:
    """The chart of these files. Raises NotAChart."""
    said = mapping(files.metadata, "its Chart.yaml")
    name, version = text(said, "name"), text(said, "version")
    if not name or not version:
        raise NotAChart("has a Chart.yaml without name or version")
    needs = said.get("dependencies")
    if needs is None and "requirements.yaml" in files.files:
        needs = mapping(files.files["requirements.yaml"], "its requirements.yaml").get(
            "dependencies"
        )
    return Chart(
        name,
        version,
        text(said, "appVersion"),
        text(said, "kubeVersion"),
        is_true(said.get("deprecated")),
        text(said, "type") or "application",
        tuple(_dependency(one) for one in needs) if isinstance(needs, list) else (),
        files,
    )


def mapping(content: bytes, what: str) -> Mapping[str, Any]:
    """A YAML mapping whose scalars are texts. Raises NotAChart, which calls it `what`."""
    if len(content) > _LARGEST:
        raise NotAChart(f"{what} is larger than {_LARGEST >> 20} MiB")
    try:
        found = read_texts(content, unique=False)
    except NoTexts as error:
        raise NotAChart(f"{what} {error}") from error
    if not isinstance(found, dict):
        raise NotAChart(f"{what} is no mapping")
    return found


def text(said: Mapping[str, Any], key: str) -> str:
    """What is said under a key; empty where it is no text, or null."""
    value = said.get(key)
    return value.strip() if isinstance(value, str) and value not in ("null", "~") else ""


def is_true(value: object) -> bool:
    """Whether a scalar says yes, as YAML 1.1 has it."""
    return isinstance(value, str) and value.lower() in _TRUE


def _dependency(said: object) -> Dependency:
    if not isinstance(said, dict):
        raise NotAChart("needs something that is no chart")
    return Dependency(
        *(text(said, key) for key in ("name", "version", "repository", "alias", "condition"))
    )
