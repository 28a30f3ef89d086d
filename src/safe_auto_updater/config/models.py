"""The configuration file, key by key, as pydantic models: what is accepted and nothing else.

Entries that differ by their type are in `checks.py` and `notifications.py`, rules between keys in
`relations.py`. Descriptions end up in the JSON Schema.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from safe_auto_updater.config import values as v
from safe_auto_updater.config.checks import Check
from safe_auto_updater.config.notifications import Notification
from safe_auto_updater.config.section import Many, Match, PrometheusServer, Section
from safe_auto_updater.core.unattended import Unattended


class DockerEntry(Section):
    """A Docker engine: where it listens, or the Docker context that knows."""

    name: v.Name
    host: v.EngineAddress | None = None
    context: v.ContextName | None = None
    ca_file: v.AbsolutePath | None = None
    cert_file: v.AbsolutePath | None = None
    key_file: v.AbsolutePath | None = None


class KubernetesEntry(Section):
    """A Kubernetes cluster: the context of a kubeconfig; without any, the pod that we run in."""

    name: v.Name
    context: v.KubeContext | None = None
    kubeconfig: v.AbsolutePath | None = None
    namespaces: Annotated[tuple[v.Namespace, ...], Field(strict=False, min_length=1)] | None = None
    helm: bool | None = None
    pull_secrets: Annotated[tuple[v.Namespace, ...], Many] = ()


class Inventory(Section):
    """Where to look, and which assets to leave out."""

    docker: Annotated[tuple[DockerEntry, ...], Field(strict=False, min_length=1)] | None = None
    kubernetes: Annotated[tuple[KubernetesEntry, ...], Field(strict=False, min_length=1)] | None = (
        None
    )
    include: Annotated[tuple[v.Pattern, ...], Field(strict=False, min_length=1)] = ("*",)
    exclude: Annotated[tuple[v.Pattern, ...], Many] = ()
    watchtower_labels: bool = False


class RegistryEntry(Section):
    """How our own look-ups reach a registry."""

    host: v.RegistryName
    plain_http: bool | None = None
    ca_file: v.AbsolutePath | None = None
    username: v.UserName | None = None
    password_file: v.AbsolutePath | None = None
    mirror: v.Mirror | None = None


class HelmSourceEntry(Section):
    """Where the charts of Helm releases come from; the first that fits decides."""

    chart: v.ChartPattern
    repository: v.ChartRepository
    match: Match | None = None
    username: v.UserName | None = None
    password_file: v.AbsolutePath | None = None
    token_file: v.AbsolutePath | None = None
    ca_file: v.AbsolutePath | None = None
    cert_file: v.AbsolutePath | None = None
    key_file: v.AbsolutePath | None = None
    pass_credentials: bool = False


class Keys(Section):
    """What may be said of one asset: by a rule, by a label, or as the default for all."""

    policy: v.Level | None = None
    minimum_age: v.Duration | None = None
    approval: v.Approves | None = None
    window: v.Windows | None = None
    freeze: v.Freezes | None = None
    include_tags: v.TagPatterns | None = None
    exclude_tags: v.TagPatterns | None = None
    prereleases: bool | None = None
    walk: v.Walk | None = None


class RuleEntry(Keys):
    """What to allow for matching assets; the first matching rule decides."""

    match: Match
    enable: bool | None = None
    fix_forward: bool | None = None
    one_shot: bool | None = None
    group: v.Group | None = None
    health_timeout: v.Timeout | None = None
    stable_for: v.Duration | None = None
    compose: v.Compose | None = None
    pipeline: v.Pipelines | None = None
    strategy: v.Strategies | None = None
    docker_updater: v.DockerUpdater | None = None
    before_update: v.Command | None = None
    after_update: v.Command | None = None
    hook_timeout: v.Timeout | None = None


class BlockEntry(PrometheusServer):
    """Holds matching assets while the query returns anything, and while nobody answers."""

    match: Match
    query: v.IncidentQuery


class PolicyEntry(Section):
    """A policy that a plugin brings; `options` go to it as they are."""

    match: Match
    type: v.Kind
    options: dict[str, Any] = Field(default_factory=dict)


class Detection(Keys):
    """Which newer versions are wanted, and when. Beside the lists, the default for all assets."""

    registries: Annotated[tuple[RegistryEntry, ...], Many] = ()
    helm_sources: Annotated[tuple[HelmSourceEntry, ...], Many] = ()
    rules: Annotated[tuple[RuleEntry, ...], Many] = ()
    policies: Annotated[tuple[PolicyEntry, ...], Many] = ()
    block_while: Annotated[tuple[BlockEntry, ...], Many] = ()
    interval: v.Interval | None = None
    schedule: v.Schedule | None = None
    watch: bool = False


class HealthSection(Section):
    """How long to watch, and what to ask besides the container's own health check."""

    timeout: v.Timeout | None = None
    stable_for: v.Duration | None = None
    checks: Annotated[tuple[Check, ...], Many] = ()


class KeepSection(Section):
    """What stays of replaced versions for the way back."""

    versions: Annotated[int, Field(ge=1, le=1000)] = 1
    days: Annotated[float, Field(gt=0, le=3650)] = 7.0


class RiskSection(Section):
    """Below `automatic` a score acts by itself, below `approval` once approved, above never."""

    automatic: v.Score = 30
    approval: v.Score = 60


class WatchtowerSection(Section):
    """A running Watchtower that may be asked to replace containers."""

    url: v.WebUrl
    token_file: v.AbsolutePath
    docker: v.Name | None = None
    timeout: v.Timeout = 900.0


class HelmUser(Section):
    """As whom helm upgrades some releases."""

    match: Match
    user: Annotated[str, Field(min_length=1, max_length=253)]


class HelmSection(Section):
    """The `helm` command that upgrades releases; the first user that fits counts."""

    program: Annotated[str, Field(min_length=1)] = "helm"
    users: Annotated[tuple[HelmUser, ...], Many] = ()
    abandoned_after: v.Duration = 3600.0


class Execution(Section):
    """How an update is carried out."""

    docker_updater: v.DockerUpdater | None = None
    watchtower: WatchtowerSection | None = None
    helm: HelmSection = Field(default_factory=HelmSection)
    risk: RiskSection = Field(default_factory=RiskSection)
    health: HealthSection = Field(default_factory=HealthSection)
    rollback: Literal["automatic"] = "automatic"
    compose: v.Compose | None = None
    max_parallel: Annotated[int, Field(ge=1, le=32)] = 1
    keep: KeepSection = Field(default_factory=KeepSection)
    unattended: v.Unattended = Unattended.LABELLED
    stop_grace: v.Duration = 20.0


class File(Section):
    """Safe Auto-Updater configuration."""

    inventory: Inventory = Field(default_factory=Inventory)
    detection: Detection = Field(default_factory=Detection)
    execution: Execution = Field(default_factory=Execution)
    notifications: Annotated[tuple[Notification, ...], Many] = ()
