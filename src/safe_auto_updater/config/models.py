"""The configuration file, key by key, as pydantic models: what is accepted and nothing else.

Descriptions end up in the JSON Schema. Rules between keys are in `relations.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from safe_auto_updater.config import values as v
from safe_auto_updater.core.events import EVENTS
from safe_auto_updater.core.probing import ADDRESS

if TYPE_CHECKING:
    EventName = str
else:
    EventName = Literal[tuple(EVENTS)]  # the names are data, kept in one place
Many = Field(strict=False)  # a YAML list arrives as a list and becomes a tuple


class Section(BaseModel):
    """A mapping of the file. Unknown keys are errors."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


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


class Match(Section):
    """Which assets an entry is for."""

    asset: v.Pattern


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


class PrometheusServer(Section):
    """How a Prometheus, or what speaks its API, is reached."""

    url: v.WebUrl
    ca_file: v.AbsolutePath | None = None
    token_file: v.AbsolutePath | None = None
    username: v.UserName | None = None
    password_file: v.AbsolutePath | None = None
    timeout: v.Timeout = 5.0


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


class HttpCheck(Section):
    """Well when the URL answers with an expected status."""

    match: Match
    type: Literal["http"]
    url: v.ProbeUrl
    expect_status: v.Statuses | None = None
    timeout: v.Timeout = 5.0


class ServiceCheck(Section):
    """Well when the Service of a cluster answers with an expected status."""

    match: Match
    type: Literal["http"]
    service: v.Service
    path: v.ServicePath = "/"
    expect_status: v.Statuses | None = None
    timeout: v.Timeout = 5.0


class TcpCheck(Section):
    """Well when the port accepts a connection."""

    match: Match
    type: Literal["tcp"]
    host: v.ProbeHost = ADDRESS
    port: v.Port
    timeout: v.Timeout = 5.0


class CommandCheck(Section):
    """Well when the command, run inside the container, exits with 0."""

    match: Match
    type: Literal["command"]
    command: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False, min_length=1)
    ]
    timeout: v.Timeout = 5.0


class JobCheck(Section):
    """Well when a Job, run once in the asset's namespace, does its work."""

    match: Match
    type: Literal["job"]
    image: v.ImageName
    command: (
        Annotated[
            tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False, min_length=1)
        ]
        | None
    ) = None
    timeout: v.JobTimeout = 60.0


class PrometheusCheck(PrometheusServer):
    """Well when the one value of the query is as expected."""

    match: Match
    type: Literal["prometheus"]
    query: v.CheckQuery
    expect: v.Expect


class PluginCheck(Section):
    """A check that a plugin brings; `options` go to it as they are."""

    match: Match
    type: v.Kind = Field(
        json_schema_extra={"not": {"enum": ["http", "tcp", "command", "job", "prometheus"]}}
    )
    options: dict[str, Any] = Field(default_factory=dict)


class WebhookEntry(Section):
    """Posts each notice as JSON."""

    type: Literal["webhook"]
    url: v.Url
    events: Annotated[tuple[EventName, ...], Field(strict=False, min_length=1)] | None = None
    token_file: v.AbsolutePath | None = None
    timeout: v.Timeout = 10.0


class PluginNotification(Section):
    """A notifier that a plugin brings; `options` go to it as they are."""

    type: v.Kind = Field(json_schema_extra={"not": {"const": "webhook"}})
    events: Annotated[tuple[EventName, ...], Field(strict=False, min_length=1)] | None = None
    options: dict[str, Any] = Field(default_factory=dict)


# Tags stand in pydantic's error locations; a NUL keeps them apart from every key of a file.
TAGGED: dict[str, type[Section]] = {
    "\0http": HttpCheck,
    "\0service": ServiceCheck,
    "\0tcp": TcpCheck,
    "\0command": CommandCheck,
    "\0job": JobCheck,
    "\0prometheus": PrometheusCheck,
    "\0check": PluginCheck,
    "\0webhook": WebhookEntry,
    "\0notification": PluginNotification,
}


def _tag(fallback: str, *built_in: str) -> Discriminator:
    def choose(entry: Any) -> str:
        kind = entry.get("type") if isinstance(entry, dict) else None
        if kind == "http" and "service" in entry and kind in built_in:
            return "\0service"
        return "\0" + (kind if kind in built_in else fallback)

    return Discriminator(choose)


Check = Annotated[
    Annotated[HttpCheck, Tag("\0http")]
    | Annotated[ServiceCheck, Tag("\0service")]
    | Annotated[TcpCheck, Tag("\0tcp")]
    | Annotated[CommandCheck, Tag("\0command")]
    | Annotated[JobCheck, Tag("\0job")]
    | Annotated[PrometheusCheck, Tag("\0prometheus")]
    | Annotated[PluginCheck, Tag("\0check")],
    _tag("check", "http", "tcp", "command", "job", "prometheus"),
]
Notification = Annotated[
    Annotated[WebhookEntry, Tag("\0webhook")]
    | Annotated[PluginNotification, Tag("\0notification")],
    _tag("notification", "webhook"),
]


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


class File(Section):
    """Safe Auto-Updater configuration."""

    inventory: Inventory = Field(default_factory=Inventory)
    detection: Detection = Field(default_factory=Detection)
    execution: Execution = Field(default_factory=Execution)
    notifications: Annotated[tuple[Notification, ...], Many] = ()
