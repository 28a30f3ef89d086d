"""From the file's models to the values that the program uses. Nothing can fail here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safe_auto_updater.config import checks, notifications
from safe_auto_updater.config import models as m
from safe_auto_updater.config.config import (
    LOCAL,
    Config,
    DockerContext,
    DockerHost,
    HelmCommand,
    HelmSource,
    KubernetesCluster,
    NotificationSpec,
    RegistryAccess,
    ServiceSettings,
    WatchtowerAccess,
)
from safe_auto_updater.config.contexts import Address
from safe_auto_updater.config.section import Section
from safe_auto_updater.core.policy import (
    BlockSpec,
    CheckSpec,
    HealthSettings,
    Keep,
    Keys,
    PolicySpec,
    Rule,
    Settings,
)
from safe_auto_updater.core.promql import Question
from safe_auto_updater.core.risk import Bands
from safe_auto_updater.core.wording import Wording


def config_of(file: m.File) -> Config:
    """The configuration that a valid file describes."""
    detection = file.detection
    return Config(
        decisions=_settings(file),
        engines=tuple(_engine(entry) for entry in file.inventory.docker or ()),
        clusters=tuple(_cluster(entry) for entry in file.inventory.kubernetes or ()),
        registries=tuple(RegistryAccess(**dict(entry)) for entry in file.detection.registries),
        helm_sources=tuple(_helm_source(entry) for entry in file.detection.helm_sources),
        notifications=tuple(_notification(entry) for entry in file.notifications),
        watchtower=_watchtower(file.execution.watchtower),
        helm=HelmCommand(
            file.execution.helm.program,
            tuple((one.match.asset, one.user) for one in file.execution.helm.users),
            file.execution.helm.abandoned_after,
        ),
        service=ServiceSettings(
            ServiceSettings.interval_s if detection.interval is None else detection.interval,
            detection.schedule,
            file.execution.unattended,
            file.execution.stop_grace,
            detection.watch,
        ),
    )


def _watchtower(section: m.WatchtowerSection | None) -> WatchtowerAccess | None:
    if section is None:
        return None
    return WatchtowerAccess(section.url, section.token_file, section.timeout)


def _engine(entry: m.DockerEntry) -> DockerHost | DockerContext:
    if entry.context is not None:
        return DockerContext(entry.name, entry.context)
    assert entry.host is not None  # said by `relations`
    return DockerHost(
        entry.name, Address(entry.host, entry.ca_file, entry.cert_file, entry.key_file)
    )


def _cluster(entry: m.KubernetesEntry) -> KubernetesCluster:
    return KubernetesCluster(
        entry.name,
        entry.context,
        entry.kubeconfig,
        tuple(entry.namespaces or ()),
        helm=entry.helm,
        pull_secrets=entry.pull_secrets,
    )


def _helm_source(entry: m.HelmSourceEntry) -> HelmSource:
    keys = {key: value for key, value in entry if key != "match"}
    return HelmSource(asset=entry.match.asset if entry.match else "*", **keys)


def _settings(file: m.File) -> Settings:
    health, keep = file.execution.health, file.execution.keep
    default = {key: getattr(file.detection, key) for key in m.Keys.model_fields}
    return Settings(
        include=file.inventory.include,
        exclude=file.inventory.exclude,
        default=Keys(
            **default,
            compose=file.execution.compose,
            docker_updater=file.execution.docker_updater,
        ),
        rules=tuple(_rule(entry) for entry in file.detection.rules),
        policies=tuple(
            PolicySpec(entry.match.asset, entry.type, entry.options)
            for entry in file.detection.policies
        ),
        blocks=tuple(
            BlockSpec(entry.match.asset, _question(entry)) for entry in file.detection.block_while
        ),
        bands=Bands(file.execution.risk.automatic, file.execution.risk.approval),
        health=HealthSettings(health.timeout, health.stable_for),
        checks=tuple(_check(entry) for entry in health.checks),
        keep=Keep(keep.versions, keep.days),
        max_parallel=file.execution.max_parallel,
        watchtower_host=_watchtower_host(file),
        watchtower_labels=file.inventory.watchtower_labels,
    )


def _watchtower_host(file: m.File) -> str | None:
    """Which engine the configured Watchtower works on; `relations` asks for it where many are."""
    watchtower, engines = file.execution.watchtower, file.inventory.docker
    if watchtower is None:
        return None
    return watchtower.docker or (engines[0].name if engines else LOCAL)


def _rule(entry: m.RuleEntry) -> Rule:
    keys = {key: value for key, value in entry if key != "match"}
    return Rule(pattern=entry.match.asset, **keys)


def _question(entry: m.BlockEntry | checks.PrometheusCheck) -> Question:
    return Question(
        entry.url,
        entry.query,
        entry.ca_file,
        entry.token_file,
        entry.username,
        entry.password_file,
        entry.timeout,
    )


def _check(entry: checks.Check) -> CheckSpec:
    match entry:
        case checks.HttpCheck():
            options = {
                "url": entry.url,
                "expect_status": entry.expect_status or (),
                "timeout_s": entry.timeout,
            }
        case checks.ServiceCheck():
            options = {
                "service": entry.service,
                "path": entry.path,
                "expect_status": entry.expect_status or (),
                "timeout_s": entry.timeout,
            }
        case checks.TcpCheck():
            options = {"host": entry.host, "port": entry.port, "timeout_s": entry.timeout}
        case checks.CommandCheck():
            options = {"command": entry.command, "timeout_s": entry.timeout}
        case checks.JobCheck():
            options = {
                "image": entry.image,
                "command": entry.command or (),
                "timeout_s": entry.timeout,
            }
        case checks.PrometheusCheck():
            options = {"question": _question(entry), "expect": entry.expect}
        case checks.PluginCheck():
            options = entry.options
    return CheckSpec(entry.match.asset, entry.type, options)


def _notification(entry: notifications.Notification) -> NotificationSpec:
    match entry:
        case notifications.HeartbeatEntry():
            return NotificationSpec(entry.type, ("cycle",), _own(entry, Section))
        case notifications.PluginNotification():
            return _receiver(entry, entry.options)
        case _:
            return replace(
                _receiver(entry, _own(entry, notifications.Reader)),
                batch=entry.batch is not None,
                wording=Wording(entry.template.title, entry.template.body),
            )


def _receiver(
    entry: notifications.WebhookEntry
    | notifications.EmailEntry
    | notifications.AppriseEntry
    | notifications.PluginNotification,
    options: Mapping[str, Any],
) -> NotificationSpec:
    return NotificationSpec(
        entry.type,
        entry.events or (),
        options,
        entry.match.asset if entry.match else None,
        entry.quiet_hours or (),
    )


def _own(entry: Section, shared: type[Section]) -> dict[str, Any]:
    """The keys of its type alone, those that were given; seconds are called so."""
    names = {"timeout": "timeout_s"}
    return {
        names.get(key, key): value
        for key, value in entry
        if key not in shared.model_fields and key != "type" and value is not None
    }
